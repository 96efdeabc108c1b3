"""Placeholders in texts that a hub writes for its e-mails: ``{account_balance}``, whose values plugins have."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from ...base.errors import Invalid, PluginError, Problem
from ...base.languages.catalogs import translate
from ...enterprises.plugins import enabled_plugins
from ...hooks import specifications
from ...instance import Instance
from ...orders.values import Order

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9]*_[a-z0-9_]+)\}", re.ASCII)


def mail_placeholders(instance: Instance, plugins: Collection[str], language: str) -> Mapping[str, str]:
    """What these plugins have values for, by the name that stands in braces, each with its label in `language`.

    Raises `PluginError` for a name that does not begin with its plugin's id.
    """
    labels = instance.state.of(_labels)
    return {name: translate(language, labels[name][1]) for name in labels if labels[name][0] in plugins}


def _labels(instance: Instance) -> dict[str, tuple[str, str]]:
    """The plugin and the label of each name."""
    labels: dict[str, tuple[str, str]] = {}
    for answer in instance.hooks.each(specifications.mail_placeholders):
        for name, label in (answer.value or {}).items():
            if not (name.startswith(f"{answer.plugin}_") and _PLACEHOLDER.fullmatch(f"{{{name}}}")):
                text = f"the placeholder {name!r} must begin with '{answer.plugin}_'"
                raise PluginError(answer.plugin, specifications.mail_placeholders.name, text)
            labels[name] = (answer.plugin, label)
    return labels


def refuse_unknown_placeholders(text: str, known: Collection[str], where: str) -> None:
    """Raises `Invalid` for a text with a placeholder that is not among the known ones."""
    unknown = next((name for name in _PLACEHOLDER.findall(text) if name not in known), None)
    if unknown is not None:
        message = "No plugin knows what {name} stands for."
        raise Invalid([Problem("placeholder", message, where, {"name": f"{{{unknown}}}"})])


def without_placeholders(text: str) -> str:
    """The text without the lines that have a placeholder: they are for e-mails alone."""
    return _filled(text, {})


def fill_placeholders(instance: Instance, order: Order, kind: str, language: str, text: str) -> str:
    """The text with the values for this order and its customer. Lines with a placeholder without a value are left out.

    A plugin that hangs costs the e-mail all such lines: it takes their transaction with it.
    """
    names = frozenset(_PLACEHOLDER.findall(text))
    if not names:
        return text
    try:
        with instance.store.read() as tx:
            answers = instance.hooks.each(
                specifications.placeholder_values,
                enabled_plugins(tx, order.enterprise_id),
                tx=tx,
                order=order,
                names=names,
                kind=kind,
                language=language,
            )
    except PluginError:
        return _filled(text, {})  # the dispatcher of hooks has noted it
    values = {
        name: value
        for answer in answers
        for name, value in (answer.value or {}).items()
        if name.startswith(f"{answer.plugin}_")
    }
    return _filled(text, values)


def _filled(text: str, values: Mapping[str, str]) -> str:
    lines = [line for line in text.splitlines() if all(values.get(name) for name in _PLACEHOLDER.findall(line))]
    return "\n".join(_PLACEHOLDER.sub(lambda match: values[match[1]], line) for line in lines)


# What e-mails of plugins about orders are called.


def plugin_mail_names(instance: Instance, language: str) -> Mapping[str, str]:
    """The names in `language` of the kinds that enabled plugins send.

    Raises `PluginError` for a kind that is not named after its plugin.
    """
    return {kind: translate(language, name) for kind, name in instance.state.of(_mail_kinds).items()}


def _mail_kinds(instance: Instance) -> dict[str, str]:
    names: dict[str, str] = {}
    for answer in instance.hooks.each(specifications.mail_kinds):
        for kind, name in (answer.value or {}).items():
            if not kind.startswith(f"{answer.plugin}_"):
                text = f"the kind {kind!r} must begin with '{answer.plugin}_'"
                raise PluginError(answer.plugin, specifications.mail_kinds.name, text)
            names[kind] = name
    return names
