"""Fields that plugins add to orders, as the checkout asks for them.

In the form their names are like ``plugin_fields/tour/gate``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from commensal import OrderField, PluginFields, translate

PREFIX = "plugin_fields/"


@dataclass(frozen=True, kw_only=True)
class AskedField:
    """A field of the form. `options` are the words that can be chosen, by term, for a field of kind "term"."""

    plugin: str
    field: OrderField
    label: str
    options: Mapping[str, str]

    @property
    def name(self) -> str:
        return f"{PREFIX}{self.plugin}/{self.field.name}"

    @property
    def needed(self) -> bool:
        """Whether every order needs it, so that the browser may ask for it."""
        return self.field.required and self.field.asked == "always"


def fields_to_ask(declared: PluginFields, language: str, *, delivery: bool) -> Sequence[AskedField]:
    """The fields that the checkout asks for; `delivery`: also those of orders that are delivered to an address."""
    return [
        AskedField(
            plugin=plugin,
            field=field,
            label=translate(language, field.label(language)),
            options={term: translate(language, concept.label(language)) for term, concept in field.vocabulary.items()},
        )
        for plugin, field in declared
        if field.asked == "always" or (field.asked == "delivery" and delivery)
    ]


def typed_values(
    fields: Sequence[AskedField], form: Mapping[str, str], *, delivered: bool
) -> dict[str, dict[str, object]]:
    """The values of an order by plugin and name. What was left empty, or is only asked with a delivery, is left out."""
    values: dict[str, dict[str, object]] = {}
    for entry in fields:
        text = form.get(entry.name, "").strip()
        if text and (delivered or entry.field.asked == "always"):
            values.setdefault(entry.plugin, {})[entry.field.name] = _value(entry.field, text)
    return values


def _value(field: OrderField, text: str) -> object:
    if field.kind == "flag":
        return True
    return text.replace(",", ".") if field.kind == "number" else text


def texts_to_keep(fields: Sequence[AskedField], form: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What was typed, by plugin and name, to be shown when the customer comes back to the checkout."""
    texts: dict[str, dict[str, str]] = {}
    for entry in fields:
        text = form.get(entry.name, "").strip()
        texts.setdefault(entry.plugin, {})[entry.field.name] = text[: entry.field.most or 200]
    return texts


def texts_kept(values: Mapping[str, Mapping[str, object]]) -> dict[str, str]:
    """The same by the names of the form's fields."""
    return {
        f"{PREFIX}{plugin}/{name}": str(text) for plugin, entries in values.items() for name, text in entries.items()
    }


def typed_texts(form: Mapping[str, str]) -> dict[str, str]:
    """The form's texts for fields of plugins, declared or not."""
    return {name: text for name, text in form.items() if name.startswith(PREFIX)}
