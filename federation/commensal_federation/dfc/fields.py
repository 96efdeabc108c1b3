"""Values of single fields, from what a node says of them and back."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from commensal import LARGEST, clean_html, digits, half_up

from .findings import Findings
from .literals import read_country, read_moment, read_number
from .names import COUNTRY, compact
from .nodes import Node, Nodes, Value
from .saying import Said
from .taxonomies import CURRENCIES, taxonomy
from .vocabulary import DfcPrice, DfcQuantity

_NOISE = Decimal("0.000001")  # of binary fractions, in minor units
_TAXONOMIES = ("dfc-pt", "dfc-f", "dfc-m", "dfc-v")


@dataclass
class Field:
    """One field of one node while it is read. `absorbed`: nodes that became part of a value. `kept`: values that are
    not understood, and are passed on."""

    nodes: Nodes
    findings: Findings
    absorbed: set[str]
    node: Node
    said: Said
    property: str
    values: list[Value]
    kept: list[Value]

    def read(self) -> Any:
        """The field's value; None where it says nothing that is understood."""
        return _READERS[self.said.how](self)

    def one(self, read: Callable[[Value], Any]) -> Any:
        """The first value that is understood; the others are kept, and another value than the first is reported."""
        result = None
        for value in self.values:
            found = read(value)
            if found is None or found == result:
                continue
            if result is None:
                result = found
                continue
            self.kept.append(value)
            self.wrong("two_values", "There are two values of {name}; the first counts.")
        return result

    def wrong(self, code: str, text: str) -> None:
        """What cannot be right. The text says `{name}` for the property."""
        self.findings.wrong(code, text, self.node.iri, self.property, name=self.property)

    def note(self, code: str, text: str, **values: str) -> None:
        self.findings.note(code, text, self.node.iri, self.property, **values)

    def reject(self, value: Value, code: str, text: str) -> None:
        self.kept.append(value)
        self.wrong(code, text)


def _text(field: Field, value: Value) -> str | None:
    said = value.get("@value", value.get("@id"))
    return str(said).strip() if said is not None else None


def _html(field: Field, value: Value) -> str | None:
    text = _text(field, value)
    if text is None:
        return None
    clean = clean_html(text)
    if _plain(clean) != _plain(text):
        field.note("html", "Descriptions keep paragraphs, lists, emphasis and links; other HTML is left out.")
    return clean


def _plain(text: str) -> str:
    return " ".join(html.unescape(text).split())


def _link(field: Field, value: Value) -> str | None:
    iri = value.get("@id", value.get("@value"))
    if not isinstance(iri, str) or not iri:
        field.reject(value, "no_link", "{name} is not the address of anything.")
        return None
    return iri


def _concept(field: Field, value: Value) -> str | None:
    name = compact(str(value.get("@id", value.get("@value", ""))).strip())
    prefix, _, term = name.partition(":")
    scheme = field.said.scheme
    if not name:
        return None
    if prefix == scheme or (prefix not in _TAXONOMIES and name in taxonomy(scheme)):
        term = term or name
        if term not in taxonomy(scheme):
            text = "{term} is no term of DFC's taxonomies; it is kept as it is."
            field.note("unknown_term", text, term=f"{scheme}:{term[:60]}")
        return term
    field.note("unknown_term", "{term} is of none of DFC's taxonomies; it is kept as it is.", term=name[:100])
    return name


def _allergen(field: Field, value: Value) -> str | None:
    node = field.nodes.by_iri.get(value.get("@id", ""))
    dimensions = node.values("dfc-b:hasAllergenDimension") if node else [value]
    if not dimensions:
        field.kept.append(value)
        return None
    if node:
        field.absorbed.add(node.iri)
    return _concept(field, dimensions[0])


def _number(field: Field, value: Value) -> Decimal | None:
    number = read_number(value.get("@value"))
    if number is None:
        field.reject(value, "no_number", "{name} is not a number that can be.")
    return number


def _stock(field: Field) -> Decimal | None:
    """Negative is unlimited, as deployed platforms have it."""
    number: Decimal | None = field.one(lambda value: _number(field, value))
    return None if number is None or number < 0 else number


def _moment(field: Field, value: Value) -> Any:
    moment = read_moment(value.get("@value", ""))
    if moment is None:
        field.reject(value, "no_date", "{name} is not a date that is understood; write ISO 8601.")
    return moment


def _flag(field: Field, value: Value) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(str(value.get("@value")).lower())


def _country(field: Field, value: Value) -> str | None:
    said = str(value.get("@id", value.get("@value", "")))
    country = read_country(said.removeprefix(COUNTRY))
    if country is None:
        field.kept.append(value)
        field.note("unknown_country", "{country} is no country that is known; it is kept as it is.", country=said[:60])
    return country


def _unit(field: Field, node: Node) -> str | None:
    for value in node.values("dfc-b:hasUnit"):
        name = compact(str(value.get("@id", value.get("@value", ""))))
        term = name.removeprefix("dfc-m:")
        if term in taxonomy("dfc-m"):
            return term
        if not name.startswith("cur:"):
            field.note("unknown_unit", "The unit {unit} is not known; it is kept as it is.", unit=name[:100])
        return term if name.startswith("dfc-m:") else name
    return None


def _amount(field: Field, value: Value, literal: str) -> tuple[Decimal, Node] | None:
    """A number with the node that names its unit: one of its own, or the one that says it, as older documents do."""
    node = field.nodes.by_iri.get(value.get("@id", ""))
    if node is None and "@value" not in value:
        field.reject(value, "missing", "{name} names something that is not in the document.")
        return None
    said = node.values("dfc-b:value") if node else [value]
    number = read_number(said[0].get("@value")) if said else None
    if number is None:
        field.reject(value, "no_number", "{name} is not a number that can be.")
        return None
    if node is None:
        return number, field.node
    unknown = node.said.keys() - _PARTS
    if not unknown:
        field.absorbed.add(node.iri)
    for name in sorted(unknown):
        field.note("kept", "{term} of a quantity is kept and passed on, but nothing is done with it.", term=name)
    return number, node


_PARTS = {"dfc-b:value", "dfc-b:hasUnit", "dfc-b:VATrate", "dfc-b:isPriceOf", "dfc-b:name"}


def _quantity(field: Field, value: Value) -> DfcQuantity | None:
    found = _amount(field, value, "dfc-b:quantity")
    if found is None:
        return None
    return DfcQuantity(value=found[0], unit=_unit(field, found[1]) or "Piece")


def _price(field: Field, value: Value) -> DfcPrice | None:
    found = _amount(field, value, "dfc-b:price")
    if found is None:
        return None
    number, node = found
    unit = (_unit(field, node) or "").removeprefix("cur:")
    currency = CURRENCIES.get(unit, unit)
    if not (len(currency) == 3 and currency.isalpha() and currency.isupper()):
        if currency:
            field.reject(value, "no_currency", "{name} is in no currency that is known.")
            return None
        field.note("no_currency", "{name} names no currency.", name=field.property)
    minor = number.scaleb(digits(currency))
    if abs(minor) >= LARGEST:
        field.reject(value, "no_number", "{name} is no price that can be.")
        return None
    amount = half_up(minor)
    if abs(minor - amount) > _NOISE:
        field.wrong("rounded", "{name} has more decimals than its currency, and is rounded.")
    rates = node.values("dfc-b:VATrate")
    rate = read_number(rates[0].get("@value")) if rates else None
    if rates and rate is None:
        field.wrong("no_number", "The VAT rate of {name} is not a number that can be.")
    return DfcPrice(amount=amount, currency=currency, vat_rate=rate)


def _each(read: Callable[[Field, Value], Any]) -> Callable[[Field], Any]:
    def all_of(field: Field) -> tuple[Any, ...]:
        found = (read(field, value) for value in field.values)
        return tuple(dict.fromkeys(one for one in found if one is not None))

    return all_of


def _first(read: Callable[[Field, Value], Any]) -> Callable[[Field], Any]:
    return lambda field: field.one(lambda value: read(field, value))


def _plain_text(value: Value) -> str | None:
    said = value.get("@value")
    return said.strip() if type(said) is str else None


def _plain_link(value: Value) -> str | None:
    iri = value.get("@id")
    return iri if type(iri) is str and iri else None


# One value that is as it should be needs no more than this; None: look closer.
PLAIN: Mapping[str, Callable[[Value], Any]] = {
    "text": _plain_text,
    "link": _plain_link,
    "number": lambda value: read_number(value.get("@value")),
}

_READERS: Mapping[str, Callable[[Field], Any]] = {
    "text": _first(_text),
    "html": _first(_html),
    "texts": _each(_text),
    "link": _first(_link),
    "links": _each(_link),
    "concept": _first(_concept),
    "concepts": _each(_concept),
    "allergens": _each(_allergen),
    "number": _first(_number),
    "stock": _stock,
    "moment": _first(_moment),
    "flag": _first(_flag),
    "country": _first(_country),
    "quantity": _first(_quantity),
    "price": _first(_price),
}
