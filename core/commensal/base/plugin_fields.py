"""The fields that plugins add to things of the core, by plugin and name. Values are stored in one column of the thing.

Only what differs from a field's default is kept. Values of a plugin that is switched off stay, and are not shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import msgspec

from .converting import convert
from .errors import Problem
from .fields import Field, read_plain_value
from .languages.catalogs import in_language, translate
from .languages.formats import format_money, format_number

PluginValues = Mapping[str, Mapping[str, Any]]  # by plugin and name


@dataclass(frozen=True, eq=False)
class PluginFields:
    """The fields that enabled plugins declare, each a `Field`. Two are equal only if they are the same."""

    by_plugin: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Pairs of a plugin's id and one of its fields."""
        return ((plugin, entry) for plugin, entries in self.by_plugin.items() for entry in entries.values())

    def of(self, plugins: Collection[str]) -> PluginFields:
        """The fields of these plugins alone."""
        return PluginFields({plugin: entries for plugin, entries in self.by_plugin.items() if plugin in plugins})

    def shown(self, values: PluginValues) -> dict[str, dict[str, object]]:
        """The values that the shop shows, which everybody may read."""
        return self._select(values, "shown")

    def copied(self, values: PluginValues) -> dict[str, dict[str, object]]:
        """The values that peers and platforms are told."""
        return self._select(values, "copied")

    def _select(self, values: PluginValues, permission: str) -> dict[str, dict[str, object]]:
        selected: dict[str, dict[str, object]] = {}
        for plugin, entry in self:
            if getattr(entry, permission) and entry.name in values.get(plugin, ()):
                selected.setdefault(plugin, {})[entry.name] = values[plugin][entry.name]
        return selected


NO_PLUGIN_FIELDS: PluginFields = PluginFields()


@dataclass(frozen=True, eq=False)
class DeclaredFields:
    """What enabled plugins add: to products each a `ProductField`, to orders an `OrderField`, to customers a
    `CustomerField`."""

    products: PluginFields = NO_PLUGIN_FIELDS
    orders: PluginFields = NO_PLUGIN_FIELDS
    customers: PluginFields = NO_PLUGIN_FIELDS


def describe_values(
    declared: PluginFields, values: PluginValues, language: str, currency: str
) -> list[tuple[str, str]]:
    """The values in words, each with its label, in the order in which plugins declare them; empty ones are left out.

    `currency` (ISO 4217) is that of amounts.
    """
    described = []
    for plugin, entry in declared:
        value = values.get(plugin, {}).get(entry.name, entry.default)
        text = value_in_words(entry, value, language, currency)
        if text:
            described.append((translate(language, entry.label(language)), text))
    return described


def value_in_words(entry: Field, value: Any, language: str, currency: str) -> str:
    """A value as people read it, "" for none or the default. `currency` (ISO 4217) is that of amounts."""
    if not value or value == entry.default:
        return ""
    if entry.kind == "flag":
        return translate(language, "yes")
    if entry.kind in ("term", "terms"):
        terms = [value] if entry.kind == "term" else value
        return ", ".join(
            translate(language, entry.vocabulary[term].label(language)) for term in terms if term in entry.vocabulary
        )
    if entry.kind in ("texts", "htmls"):
        return in_language(language, "", "", value).text
    if entry.kind == "number":
        return format_number(Decimal(value), language)
    return format_money(value, currency, language) if entry.kind == "amount" else str(value)


def read_plugin_values(
    declared: PluginFields, sent: PluginValues, before: PluginValues, problems: list[Problem]
) -> dict[str, dict[str, object]]:
    """The values of a thing after `sent` is set; None removes a value, and what is not sent stays.

    Adds a problem for each value that is not declared, or of another type or size than declared.
    """
    values = {plugin: dict(entries) for plugin, entries in before.items()}
    for plugin, entries in sent.items():
        for name, value in entries.items():
            where = f"plugin_fields/{plugin[:40]}/{name[:60]}"
            entry = declared.by_plugin.get(plugin, {}).get(name)
            if entry is None:
                text = "No plugin that is switched on has the field {field}."
                problems.append(Problem("unknown_field", text, f"/{where}", {"field": f"{plugin}.{name}"[:100]}))
                continue
            read = entry.default if value is None else _read(replace(entry, name=where), value, problems)
            values.setdefault(plugin, {}).pop(name, None)
            if read != entry.default:
                values[plugin][name] = read
    return {plugin: entries for plugin, entries in values.items() if entries}


def _read(entry: Field, value: object, problems: list[Problem]) -> object:
    """The value as it is kept, in types of JSON: a number as text. Its default after adding a problem."""
    try:
        typed = convert(value, entry.type)
    except msgspec.ValidationError:
        text = "This is not of the type that the field {field} has."
        problems.append(Problem("type", text, f"/{entry.name}", {"field": entry.english}))
        return entry.default
    if entry.kind in ("number", "amount"):
        if not (Decimal(typed).is_finite() and entry.least <= typed <= entry.most):
            text = "This must be between {least} and {most}."
            problems.append(Problem("range", text, f"/{entry.name}", {"least": entry.least, "most": entry.most}))
        return format(typed, "f") if entry.kind == "number" else typed
    if entry.kind == "html" and len(typed) > entry.most:
        text = "This is longer than {most} characters."
        problems.append(Problem("too_long", text, f"/{entry.name}", {"most": entry.most}))
    read = read_plain_value(entry, typed, problems)
    return list(read) if entry.kind == "terms" else read
