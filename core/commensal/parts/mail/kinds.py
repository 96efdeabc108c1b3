"""What e-mails of plugins about orders are called."""

from __future__ import annotations

from collections.abc import Mapping

from ...base.errors import PluginError
from ...base.languages.catalogs import translate
from ...hooks import specifications
from ...instance import Instance


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
