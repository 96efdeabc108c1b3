"""The customer's choices besides goods: codes, delivery address, consents, and places with their hours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from commensal import (
    Address,
    Conflict,
    Invalid,
    OrderField,
    PluginFields,
    Problem,
    ShippingOption,
    format_day,
    format_span,
    translate,
)
from commensal.orders import read_codes
from commensal.pages import Visit

T = TypeVar("T")

CODE = "code"  # the field for a new code
_CODES = "codes/"  # prefix of hidden fields, each with an accepted code
_REMOVE = "remove/"  # prefix of the value of a button that removes a code; the code follows
_CONSENTS = "consents/"  # prefix of checkboxes; the name of the request follows
_ADDRESS = "address/"
_LONGEST = {"street": 200, "postcode": 20, "city": 100, "note": 500}
ADDRESS_FIELDS = tuple(_ADDRESS + name for name in _LONGEST)


@dataclass(frozen=True)
class CodesResult(Generic[T]):
    """The result of an attempt with the accepted `codes`; `refused` are the problems with the others."""

    value: T
    codes: tuple[str, ...]
    refused: tuple[Problem, ...]


def typed_address(form: Mapping[str, str]) -> Address | None:
    """The typed address; None if the fields are empty or missing."""
    values = {name: form.get(_ADDRESS + name, "").strip()[:most] for name, most in _LONGEST.items()}
    return Address(**values) if any(values.values()) else None


def address_fields(address: Address | None) -> dict[str, str]:
    """The values of the address fields by field name."""
    return {_ADDRESS + name: getattr(address, name) if address else "" for name in _LONGEST}


def missing_fields(address: Address | None) -> list[Problem]:
    """Problems for the fields that an order with delivery needs and the address lacks."""
    street = Problem("address_missing", "Say in which street your order shall be brought.", f"/{_ADDRESS}street")
    postcode = Problem(
        "address_missing", "Say the postcode of where your order shall be brought.", f"/{_ADDRESS}postcode"
    )
    city = Problem("address_missing", "Say in which town your order shall be brought.", f"/{_ADDRESS}city")
    filled = address or Address()
    parts = ((filled.street, street), (filled.postcode, postcode), (filled.city, city))
    return [problem for value, problem in parts if not value]


def ticked_consents(form: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the consents that the customer gives. A browser sends ticked boxes only."""
    return tuple(name.removeprefix(_CONSENTS) for name in form if name.startswith(_CONSENTS))


def sends_codes(form: Mapping[str, str]) -> bool:
    """Whether the form has a field for codes; without one, the codes of an order stay."""
    return CODE in form


def typed_codes(form: Mapping[str, str]) -> tuple[str, ...]:
    """The codes accepted when the page was shown and the new one, without the one that is being removed."""
    accepted = [value for name, value in form.items() if name.startswith(_CODES)]
    removed = form.get("then", "")
    return tuple(code for code in (*accepted, form.get(CODE, "")) if code.strip() and removed != _REMOVE + code)


def try_codes(visit: Visit, codes: Sequence[str], attempt: Callable[[tuple[str, ...]], T]) -> CodesResult[T]:
    """Calls `attempt` with all codes, and again without those that are refused.

    Raises every other error of `attempt`, and `TooMany` if too many codes were guessed.
    """
    refused: list[Problem] = []
    while True:
        try:
            plain = read_codes(codes)
            with visit.guessing(plain):
                return CodesResult(attempt(plain), plain, tuple(refused))
        except Conflict as error:
            if error.code != "too_many_codes":
                raise
            refused.append(Problem(error.code, error.text, f"/{CODE}", dict(error.values)))
            codes = codes[:-1]
        except Invalid as error:
            refusals = {problem.where: replace(problem, where=f"/{CODE}") for problem in error.problems}
            accepted = tuple(code for index, code in enumerate(plain) if f"/{_CODES}{index}" not in refusals)
            if len(plain) - len(accepted) != len(refusals):
                raise
            refused += refusals.values()
            codes = accepted


# Fields that plugins add to orders, as the checkout asks for them.
#
# In the form their names are like ``plugin_fields/tour/gate``.

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


# Groups shipping options: pickups at the same place on the same day together, deliveries of a day together.
#
# The label of an option names all of it: place, day and time. Under a heading with the place and the day the time is
# enough.


@dataclass(frozen=True, kw_only=True)
class ShippingGroup:
    """The options of one pickup place on a day, or all deliveries of a day (`brought`).

    name:    of the place, "" if options do not name one; day: in words; note: how to find the place
    options: with the text of each, by id
    """

    brought: bool
    name: str
    address: str
    note: str
    day: str
    options: Mapping[str, tuple[ShippingOption, str]]


def group_by_place(options: Mapping[str, ShippingOption], zone: str, language: str) -> list[ShippingGroup]:
    """Groups in the order in which the options are offered; deliveries come last. `zone` is the shop's time zone."""
    groups: dict[tuple[bool, str, str, str, str], dict[str, tuple[ShippingOption, str]]] = {}
    for id, option in options.items():
        name, text = _name_and_time(option, zone, language)
        place = ("", "", "") if option.needs_address else (name, option.address, option.note)
        key = (option.needs_address, *place, format_day(option.begins_at, zone, language))
        groups.setdefault(key, {})[id] = (option, text)
    return [
        ShippingGroup(brought=key[0], name=key[1], address=key[2], note=key[3], day=key[4], options=groups[key])
        for key in sorted(groups, key=lambda key: key[0])
    ]


def _name_and_time(option: ShippingOption, zone: str, language: str) -> tuple[str, str]:
    """The name of the place and the hours. If the label does not end with the time, it is shown as it is."""
    span = format_span(option.begins_at, option.ends_at, zone, language)
    if not option.label.endswith(span) or len(option.label) == len(span):
        return "", option.label
    hours = span.removeprefix(format_day(option.begins_at, zone, language)).lstrip(", ")
    return option.label.removesuffix(span).rstrip(", "), hours
