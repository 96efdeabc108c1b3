"""Settings in words: labels and help, read from the class that defines them; and their trial by plugins before they are
stored."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Literal, get_args, get_origin, get_type_hints

from sqlalchemy import select

from ...base.converting import dataclasses_in
from ...base.errors import Invalid, PluginError, Problem, Refused
from ...enterprises.plugins import accept_settings
from ...enterprises.references import unknown_names
from ...enterprises.tables import enterprise, enterprise_plugin
from ...hooks import specifications
from ...hooks.values import OFFERS_NOTHING
from ...instance import Instance
from ...storage.database import RowQuery, Transaction


@dataclass(frozen=True)
class SettingText:
    """What people read of a setting, in English, which is the key of its translations: "Secret key", and a help."""

    label: str
    help: str


@cache
def setting_texts(shape: type) -> dict[str, SettingText]:
    """Returns the texts of the settings of a dataclass or struct by name, those of its bases included."""
    docs: dict[str, str] = {}
    for cls in reversed(shape.__mro__):
        docs |= _field_docs(cls)
    return {name: SettingText(as_label(name), docs.get(name, "")) for name in get_type_hints(shape)}


def as_label(name: str) -> str:
    """Returns the name of a setting or a choice as people write it: ``secret_key`` as "Secret key"."""
    words = name.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]


def setting_summary(shape: type) -> str:
    """Returns the first line of the docstring of a class; empty if it has none of its own."""
    doc = shape.__dict__.get("__doc__") or ""
    return "" if doc.startswith(f"{shape.__name__}(") else _plain(doc.strip().partition("\n")[0])


def texts_of(shape: type) -> Iterator[str]:
    """Yields every text that a form for `shape` shows, those of the classes within it included."""
    for name, text in setting_texts(shape).items():
        yield text.label
        yield text.help
        yield from map(as_label, _choices(get_type_hints(shape)[name]))
    for inner in {inner for hint in get_type_hints(shape).values() for inner in dataclasses_in(hint)}:
        yield kind_label(inner)
        yield setting_summary(inner)
        yield from texts_of(inner)


def kind_label(shape: type) -> str:
    """Returns what a form calls a class: its own attribute ``shown_as`` (without a type, so it is not a setting), or
    else its name as people write it: ``FlatRate`` as "Flat rate"."""
    return str(shape.__dict__.get("shown_as") or as_label(_in_words(shape.__name__)))


def _in_words(name: str) -> str:
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()


def _choices(hint: object) -> Iterator[str]:
    if get_origin(hint) is Literal:
        yield from map(str, get_args(hint))
    for inner in get_args(hint) if get_origin(hint) is not Literal else ():
        yield from _choices(inner)


def _field_docs(cls: type) -> dict[str, str]:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    except (OSError, TypeError, SyntaxError):  # of a class without source, like `object`
        return {}
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    return {
        field.target.id: _plain(doc.value.value)
        for field, doc in pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant) and isinstance(doc.value.value, str)
    }


def _plain(text: str) -> str:
    """Returns a docstring without its line breaks and marks of code."""
    return " ".join(text.replace("``", "").replace("`", "").split())


# Asks plugins to check settings: before they are stored, and for all enterprises in the operator's check.


def try_settings(
    tx: Transaction, instance: Instance, enterprise_id: str, plugin: str, settings: Mapping[str, object]
) -> None:
    """Lets the plugin check settings that an enterprise sends. `tx` only reads: the plugin may ask a slow provider.

    Raises `NotFound`, `Invalid` with every problem, `PluginError` if the plugin itself fails.
    """
    stored = tx.value(_stored_settings(enterprise_id, plugin))
    accepted = accept_settings(tx, instance.hooks, enterprise_id, plugin, settings, stored or {})
    problems = _ask_plugin(instance, enterprise_id, plugin, accepted)
    if problems:
        raise Invalid(problems)


def settings_problems(instance: Instance) -> Iterator[Problem]:
    """The problems with the stored settings of every enterprise, also things that they name and that were deleted
    since; `where` names the enterprise and the plugin. That a hub offers nothing by them yet is not told."""
    store, hooks = instance.store, instance.hooks
    columns, enterprise_columns = enterprise_plugin.c, enterprise.c
    query = select(columns.enterprise_id, columns.plugin, columns.settings, enterprise_columns.slug).join_from(
        enterprise_plugin, enterprise
    )
    with store.read() as tx:
        rows = tx.all(
            query.where(columns.plugin.in_(hooks.plugins())).order_by(enterprise_columns.slug, columns.plugin)
        )
    for row in rows:
        where = f"{row['slug']}, {row['plugin']}"
        try:
            hooks.settings(row["plugin"], row["settings"])
            with store.read() as tx:
                shape = hooks.settings_class(row["plugin"])
                unknown = unknown_names(tx, hooks, row["enterprise_id"], shape, row["settings"])
            problems = _ask_plugin(instance, row["enterprise_id"], row["plugin"], row["settings"])
        except (PluginError, Refused) as error:
            yield Problem("settings", "The settings do not work: {what}", where, {"what": error})
            continue
        yield from (
            Problem(problem.code, problem.text, f"{where}{problem.where}", problem.values)
            for problem in (*unknown, *problems)
            if problem.code != OFFERS_NOTHING
        )


def _stored_settings(enterprise_id: str, plugin: str) -> RowQuery:
    columns = enterprise_plugin.c
    return select(columns.settings).where(columns.enterprise_id == enterprise_id, columns.plugin == plugin)


def _ask_plugin(
    instance: Instance, enterprise_id: str, plugin: str, settings: Mapping[str, object]
) -> Sequence[Problem]:
    hook = specifications.check_settings
    if not instance.hooks.implementing(hook, {plugin}):
        return ()
    used = {plugin: settings}
    return instance.hooks.ask(hook, plugin, used, instance=instance, enterprise_id=enterprise_id) or ()
