"""Reads the value of one field from the values that a node has for its property."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from commensal import LARGEST, clean_html, digits, half_up

from .findings import DocumentFindings
from .literals import read_country, read_duration, read_moment, read_number, read_percent, write_number
from .names import COUNTRY, compact
from .nodes import Node, Nodes, Value
from .properties import DfcProperty
from .taxonomies import find_currency, find_spelling, find_term, narrowest
from .vat import INCLUDES_VAT
from .vocabulary import DfcPrice, DfcQuantity

_NOISE = Decimal("0.000001")  # minor units; error of binary fractions
_TAXONOMIES = ("dfc-pt", "dfc-f", "dfc-m", "dfc-v")


@dataclass
class FieldReader:
    """One field of one node while it is read. `absorbed`: IRIs of nodes that became part of a value. `kept`: values
    that are not understood, to be passed on."""

    nodes: Nodes
    findings: DocumentFindings
    absorbed: set[str]
    node: Node
    definition: DfcProperty
    property: str
    values: list[Value]
    kept: list[Value]

    def read(self) -> object:
        """The field's value; None if none of its values is understood."""
        return _READERS[self.definition.datatype](self)

    def first(self, read: Callable[[Value], object]) -> Any:
        """The first value that is understood. A different later value is kept, and reported: as wrong, unless it only
        says the same in another language."""
        result, language = None, None
        for value in self.values:
            parsed = read(value)
            if parsed is None or parsed == result:
                continue
            if result is None:
                result, language = parsed, value.get("@language")
                continue
            self.kept.append(value)
            if language and value.get("@language", language) != language:
                self.note("languages", "{name} is said in several languages; the first counts.", name=self.property)
            else:
                self.wrong("two_values", "There are two values of {name}; the first counts.")
        return result

    def wrong(self, code: str, text: str) -> None:
        """Reports something wrong. `{name}` in the text stands for the property."""
        self.findings.wrong(code, text, self.node.iri, self.property, name=self.property)

    def note(self, code: str, text: str, **values: str) -> None:
        self.findings.note(code, text, self.node.iri, self.property, **values)

    def reject(self, value: Value, code: str, text: str) -> None:
        self.kept.append(value)
        self.wrong(code, text)


def _text(field: FieldReader, value: Value) -> str | None:
    content = value.get("@value", value.get("@id"))
    if content is None:
        return None
    if "@value" not in value and content.startswith("_:"):  # an object without an address, where a text belongs
        field.reject(value, "no_text", "{name} is not a text.")
        return None
    return str(content).strip()


def _html(field: FieldReader, value: Value) -> str | None:
    text = _text(field, value)
    if text is None:
        return None
    clean = clean_html(text)
    if _plain(clean) != _plain(text):
        field.note("html", "Descriptions keep paragraphs, lists, emphasis and links; other HTML is left out.")
    return clean


def _plain(text: str) -> str:
    return " ".join(html.unescape(text).split())


def _link(field: FieldReader, value: Value) -> str | None:
    iri = value.get("@id", value.get("@value"))
    if not isinstance(iri, str) or not iri:
        field.reject(value, "no_link", "{name} is not the address of anything.")
        return None
    return iri


def _concept(field: FieldReader, value: Value) -> str | None:
    term, name = _term(field, value)
    if term is not None or not name:
        return term
    certificate = field.nodes.by_iri.get(name)
    if certificate is not None and _CERTIFICATE in certificate.types:
        return _certified(field, certificate)
    prefix, _, unknown = name.partition(":")
    if prefix == field.definition.scheme:
        text = "{term} is not a term of DFC's taxonomies; it is kept as it is."
        field.note("unknown_term", text, term=f"{prefix}:{unknown[:60]}")
        return unknown
    field.note("unknown_term", "{term} is of none of DFC's taxonomies; it is kept as it is.", term=name[:100])
    return name


def _term(field: FieldReader, value: Value) -> tuple[str | None, str]:
    """The term of the field's taxonomy that a value names, by its IRI or by a label, and the name as it was said.

    A concept of a platform's own is the term whose label it has.
    """
    name = compact(str(value.get("@id", value.get("@value", ""))).strip())
    prefix, _, term = name.partition(":")
    scheme = field.definition.scheme
    if prefix in _TAXONOMIES:
        return (find_spelling(scheme, term) if prefix == scheme else None), name
    node = field.nodes.by_iri.get(name)
    labels = [label for property in _LABELS for label in node.values(property)] if node else [{"@value": name}]
    terms = (find_term(scheme, str(label.get("@value", ""))) for label in labels)
    term_found = next((term for term in terms if term), None)
    if node is not None and term_found and _CERTIFICATE not in node.types:
        field.absorbed.add(node.iri)
    return term_found, name


_LABELS = (
    "http://www.w3.org/2004/02/skos/core#prefLabel",
    "skos:prefLabel",
    "http://www.w3.org/2000/01/rdf-schema#label",
    "rdfs:label",
    "dfc-b:name",
)


def _one_concept(field: FieldReader) -> object:
    """A single concept: of several the one below all others, else the first."""
    if len(field.values) > 1:
        terms = [_term(field, value)[0] for value in field.values]
        if all(terms) and (term := narrowest(field.definition.scheme, [term for term in terms if term])):
            return term
    return field.first(lambda value: _concept(field, value))


_CERTIFICATE = "dfc-b:Certfication"


def _certified(field: FieldReader, certificate: Node) -> str:
    """The IRI of a certificate that is not a label which is known here."""
    for value in certificate.values("dfc-b:name"):
        name = str(value.get("@value", "")).strip()
        field.note("unknown_certificate", "The certificate {name} is not a label that is known here.", name=name[:100])
    return certificate.iri


def _allergen(field: FieldReader, value: Value) -> str | None:
    node = field.nodes.by_iri.get(value.get("@id", ""))
    dimensions = node.values("dfc-b:hasAllergenDimension") if node else [value]
    if not dimensions:
        field.kept.append(value)
        return None
    if node:
        field.absorbed.add(node.iri)
    return _concept(field, dimensions[0])


def _number(field: FieldReader, value: Value) -> Decimal | None:
    number = read_number(value.get("@value"))
    if number is None and not _is_blank(value):
        field.reject(value, "no_number", "{name} is not a number that can be.")
    return number


def _stock(field: FieldReader) -> Decimal | None:
    """Deployed platforms send a negative number for unlimited stock, which is None here. A stock that is not understood
    is nothing, for the other reading would sell what nobody has."""
    number: Decimal | None = field.first(lambda value: _pieces(field, value))
    if number is not None:
        return None if number < 0 else number
    if all(_is_blank(value) for value in field.values):
        return None
    field.note("no_stock", "{name} is not understood, so that nothing is there to order.", name=field.property)
    return Decimal(0)


def _pieces(field: FieldReader, value: Value) -> Decimal | None:
    """A number of pieces, by itself or with its unit in a node."""
    if "@id" not in value:
        return _number(field, value)
    parsed = _amount(field, value)
    if parsed is None:
        return None
    if (_unit(field, parsed[1]) or "Piece") != "Piece":
        field.reject(value, "no_pieces", "{name} is not in pieces.")
        return None
    return parsed[0]


def _is_blank(value: Value) -> bool:
    return str(value.get("@value", value)).strip() == ""


def _moment(field: FieldReader, value: Value) -> object:
    moment = read_moment(value.get("@value", ""))
    if moment is None and not _is_blank(value):
        field.reject(value, "no_date", "{name} is not a date that is understood; write ISO 8601.")
    return moment


def _duration(field: FieldReader, value: Value) -> object:
    duration = read_duration(value.get("@value", ""))
    if duration is None and not _is_blank(value):
        field.reject(value, "no_duration", "{name} is not a duration that is understood; write it like PT8M.")
    return duration


_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def _flag(field: FieldReader, value: Value) -> bool | None:
    flag = _FLAGS.get(str(value.get("@value")).strip().lower())
    if flag is None and not _is_blank(value):
        field.reject(value, "no_flag", "{name} is neither true nor false.")
    return flag


def _country(field: FieldReader, value: Value) -> str | None:
    text = str(value.get("@id", value.get("@value", "")))
    country = read_country(text.removeprefix(COUNTRY))
    if country is None:
        field.kept.append(value)
        field.note(
            "unknown_country", "{country} is not a country that is known; it is kept as it is.", country=text[:60]
        )
    return country


def _unit(field: FieldReader, node: Node) -> str | None:
    for value in node.values("dfc-b:hasUnit"):
        name = compact(str(value.get("@id", value.get("@value", ""))))
        label = name.removeprefix("dfc-m:").removeprefix("unit:")
        term = find_term("dfc-m", label)
        if term is None:
            field.note("unknown_unit", "The unit {unit} is not known; it is kept as it is.", unit=name[:100])
        return term or (label if name.startswith("dfc-m:") else name)
    return None


def _amount(field: FieldReader, value: Value) -> tuple[Decimal, Node] | None:
    """A number with the node that has its unit: the number's own node, or the field's node in older documents."""
    node = field.nodes.by_iri.get(value.get("@id", ""))
    if node is None and read_number(value.get("@id")) is not None:  # a number where the context declares a link
        value = {"@value": value["@id"]}
    if node is None and ":" in value.get("@id", ""):
        field.reject(value, "missing", "{name} names something that is not in the document.")
        return None
    values = node.values("dfc-b:value") if node else [value]
    number = read_number(values[0].get("@value")) if values else None
    if number is None:
        field.reject(value, "no_number", "{name} is not a number that can be.")
        return None
    if node is None:
        return number, field.node
    unknown = node.properties.keys() - _PARTS
    if not unknown:
        field.absorbed.add(node.iri)
    for name in sorted(unknown):
        field.note("kept", "{term} of a quantity is kept and passed on, but nothing is done with it.", term=name)
    return number, node


_PARTS = {"dfc-b:value", "dfc-b:hasUnit", "dfc-b:VATrate", "dfc-b:isPriceOf", "dfc-b:name", INCLUDES_VAT}


def _quantity(field: FieldReader, value: Value) -> DfcQuantity | None:
    parsed = _amount(field, value)
    if parsed is None:
        return None
    return DfcQuantity(value=parsed[0], unit=_unit(field, parsed[1]) or "Piece")


def _price(field: FieldReader, value: Value) -> DfcPrice | None:
    parsed = _amount(field, value)
    if parsed is None:
        return None
    number, node = parsed
    names = [compact(str(unit.get("@id", unit.get("@value", "")))) for unit in node.values("dfc-b:hasUnit")]
    currency = next((code for name in names if (code := find_currency(name))), "")
    if names and not currency:
        field.reject(value, "no_currency", "{name} is in no currency that is known.")
        return None
    if not currency:
        field.note("no_currency", "{name} names no currency.", name=field.property)
    minor = number.scaleb(digits(currency))
    if abs(minor) >= LARGEST:
        field.reject(value, "no_number", "{name} is not a price that can be.")
        return None
    amount = half_up(minor)
    if abs(minor - amount) > _NOISE:
        field.wrong("rounded", "{name} has more decimals than its currency, and is rounded.")
    flags = node.values(INCLUDES_VAT)
    includes_vat = _flag(field, flags[0]) if flags else None
    return DfcPrice(amount=amount, currency=currency, vat_rate=_vat_rate(field, node), includes_vat=includes_vat)


def _vat_rate(field: FieldReader, node: Node) -> Decimal | None:
    rates = [value for value in node.values("dfc-b:VATrate") if not _is_blank(value)]
    rate = read_percent(rates[0].get("@value")) if rates else None
    if rates and rate is None:
        field.wrong("no_number", "The VAT rate of {name} is not a percentage that can be.")
    if rate is not None and 0 < rate < 1:
        text = "The VAT rate of {name} is read as {rate} percent."
        field.note("small_rate", text, name=field.property, rate=write_number(rate))
    return rate


def _read_each(read: Callable[[FieldReader, Value], object]) -> Callable[[FieldReader], object]:
    def read_all(field: FieldReader) -> tuple[object, ...]:
        parsed = (read(field, value) for value in field.values)
        return tuple(dict.fromkeys(item for item in parsed if item is not None))

    return read_all


def _read_first(read: Callable[[FieldReader, Value], object]) -> Callable[[FieldReader], object]:
    return lambda field: field.first(lambda value: read(field, value))


def _plain_text(value: Value) -> str | None:
    text = value.get("@value")
    return text.strip() if type(text) is str else None


def _plain_link(value: Value) -> str | None:
    iri = value.get("@id")
    return iri if type(iri) is str and iri else None


# The short way for a single well-formed value; None: take the general way.
PLAIN: Mapping[str, Callable[[Value], object]] = {
    "text": _plain_text,
    "link": _plain_link,
    "number": lambda value: read_number(value.get("@value")),
}

_READERS: Mapping[str, Callable[[FieldReader], object]] = {
    "text": _read_first(_text),
    "html": _read_first(_html),
    "texts": _read_each(_text),
    "link": _read_first(_link),
    "links": _read_each(_link),
    "concept": _one_concept,
    "concepts": _read_each(_concept),
    "allergens": _read_each(_allergen),
    "number": _read_first(_number),
    "stock": _stock,
    "moment": _read_first(_moment),
    "duration": _read_first(_duration),
    "flag": _read_first(_flag),
    "country": _read_first(_country),
    "quantity": _read_first(_quantity),
    "quantities": _read_each(_quantity),
    "price": _read_first(_price),
}
