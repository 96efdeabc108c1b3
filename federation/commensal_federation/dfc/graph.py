"""Writes values as the nodes of a flat graph: links in both directions, numbers as strings, every node with an @id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from commensal import digits

from .classes import PROPERTIES
from .contexts import CONTEXT_20, CONTEXT_116, links_of
from .facts import NUTRIENTS, NUTRITION, STORAGE, Nutrient, nutrients_in
from .literals import write_country, write_duration, write_moment, write_number
from .names import COUNTRY, CURRENCY, LDP, compact, full
from .properties import DfcProperty, short_name
from .taxonomies import CURRENCY_TERMS
from .vat import INCLUDES_VAT
from .vocabulary import DfcItem, DfcLine, DfcOther, DfcPrice, DfcProduct, DfcQuantity, Thing

Json = dict[str, Any]
_LINK = {"@id": ""}.keys()
_UNLIMITED = Decimal(-1)  # what deployed platforms send for unlimited stock


@dataclass
class Graph:
    """One document under construction. `links`: properties that its context declares as links (``@type: @id``);
    `named_values`: allergens are nodes with an IRI, as in messages, and not blank nodes."""

    version: str
    links: frozenset[str]
    named_values: bool = False
    nodes: dict[str, Json] = field(default_factory=dict)
    _unnamed: int = 0

    def add_all(self, things: Iterable[Thing]) -> list[Json]:
        """Returns the nodes of these things, with those of their prices, quantities and allergens."""
        written = list(things)
        for thing in written:
            self.nodes[thing.iri] = {"@id": thing.iri}
        for thing in written:
            self._add(thing)
        as_they_were = {thing.iri for thing in written if isinstance(thing, DfcOther)}
        for thing in written:
            self._link_back(thing, as_they_were)
        return list(self.nodes.values())

    def _add(self, thing: Thing) -> None:
        node = self.nodes[thing.iri]
        if isinstance(thing, DfcOther):
            types = [*map(full, thing.also)]
        else:
            name = thing.NAME_2 if self.version == "2.0" and thing.NAME_2 else thing.NAMES[0]
            types = [short_name(name), *map(full, thing.also)]
        if types:
            node["@type"] = types[0] if len(types) == 1 else types
        attributes = vars(thing)
        for writer in _layout_of(type(thing), self.links).fields:
            value = attributes[writer.name]
            if not value and not isinstance(value, (Decimal, timedelta)):  # empty; but 0 is a number
                if not writer.limits or value is not None:
                    continue
                value = _UNLIMITED
            for json_value in writer.write(self, thing, writer.definition, value):
                for key, linked in writer.keys:
                    self._put(node, key, json_value, linked)
            if writer.pieces:
                node["dfc-b:quantity"] = write_number(value.value)  # the official connectors read it here
        for property, values in thing.extra.items():
            for value in values:
                self._put(node, full(property), _as_it_was(value), property in self.links)
        if isinstance(thing, DfcProduct) and not self.named_values:
            self._add_facts(node, thing)

    def _add_facts(self, node: Json, product: DfcProduct) -> None:
        """Adds what products here say by a text, and platforms by a property of the connectors or by nodes."""
        for value in product.extra.get(STORAGE, ()):
            node["dfc-b:usageOrStorageCondition"] = value.get("@value", "")
        for value in product.extra.get(NUTRITION, ()):
            for nutrient in nutrients_in(str(value.get("@value", ""))) or ():
                self._put(node, NUTRIENTS, self._nutrient(nutrient), NUTRIENTS in self.links)

    def _nutrient(self, nutrient: Nutrient) -> Json:
        dimension, unit = (_concept("dfc-m", term) for term in (nutrient.term, nutrient.unit))
        key = "dfc-b:hasNutrientDimension"
        return self.unnamed(
            {
                "@type": "dfc-b:NutrientCharacteristic",
                key: dimension["@id"] if key in self.links else dimension,
                "dfc-b:hasUnit": unit["@id"],
                "dfc-b:value": write_number(nutrient.value),
            }
        )

    def _link_back(self, thing: Thing, as_they_were: set[str]) -> None:
        for name, key, linked in _layout_of(type(thing), self.links).inverses:
            value = getattr(thing, name)
            if not value:
                continue
            for iri in value if isinstance(value, tuple) else (value,):
                if iri in self.nodes and iri not in as_they_were:
                    self._put(self.nodes[iri], key, {"@id": thing.iri}, linked)

    def _put(self, node: Json, key: str, value: object, linked: bool) -> None:
        """Adds a value once. A single value stands without a list, as the connectors write it. `linked`: the context
        declares the key as a link, so a link is written as its IRI alone."""
        if linked and isinstance(value, dict) and value.keys() == _LINK:
            value = value["@id"]
        existing = node.get(key)
        if existing is None:
            node[key] = value
        elif isinstance(existing, list):
            existing.append(value)
        elif existing != value:
            node[key] = [existing, value]

    def unnamed(self, members: Json) -> Json:
        """Adds a blank node, for a price or a quantity, and returns the link to it."""
        self._unnamed += 1
        while f"_:b{self._unnamed}" in self.nodes:
            self._unnamed += 1
        name = f"_:b{self._unnamed}"
        self.nodes[name] = {"@id": name, **members}
        return {"@id": name}


def _as_it_was(value: Mapping[str, object]) -> object:
    if "@id" in value:
        return {"@id": full(str(value["@id"]))}
    return value["@value"] if value.keys() == {"@value"} else dict(value)


def _concept(scheme: str, name: str) -> Json:
    return {"@id": full(name) if ":" in name else f"{scheme}:{name}"}


def _text(graph: Graph, thing: Thing, definition: DfcProperty, value: object) -> list[object]:
    return [value]


def _texts(graph: Graph, thing: Thing, definition: DfcProperty, value: Iterable[str]) -> list[object]:
    return list(value)


def _link(graph: Graph, thing: Thing, definition: DfcProperty, value: object) -> list[object]:
    return [{"@id": value}]


def _links(graph: Graph, thing: Thing, definition: DfcProperty, value: Iterable[str]) -> list[object]:
    return [{"@id": iri} for iri in value]


def _one_concept(graph: Graph, thing: Thing, definition: DfcProperty, value: str) -> list[object]:
    return [_concept(definition.scheme, value)]


def _concepts(graph: Graph, thing: Thing, definition: DfcProperty, value: Iterable[str]) -> list[object]:
    return [_concept(definition.scheme, name) for name in value]


def _allergens(graph: Graph, thing: Thing, definition: DfcProperty, value: Iterable[str]) -> list[object]:
    return [_allergen(graph, thing, term) for term in value]


def _allergen(graph: Graph, thing: Thing, term: str) -> Json:
    """The link to a node of its own. The connector for Ruby fails on a whole document if this node has an IRI."""
    dimension, concept = "dfc-b:hasAllergenDimension", _concept("dfc-m", term)
    node = {"@type": "dfc-b:AllergenCharacteristic", dimension: concept["@id"] if dimension in graph.links else concept}
    if not graph.named_values:
        return graph.unnamed(node)
    iri = f"{thing.iri}#allergen-{compact(term).rpartition('#')[2]}"
    graph.nodes[iri] = {"@id": iri, **node}
    return {"@id": iri}


def _number(graph: Graph, thing: Thing, definition: DfcProperty, value: Decimal) -> list[object]:
    return [write_number(value)]


def _moment(graph: Graph, thing: Thing, definition: DfcProperty, value: datetime) -> list[object]:
    return [write_moment(value)]


def _duration(graph: Graph, thing: Thing, definition: DfcProperty, value: timedelta) -> list[object]:
    return [write_duration(value)]


def _flag(graph: Graph, thing: Thing, definition: DfcProperty, value: object) -> list[object]:
    return ["true"]


def _country(graph: Graph, thing: Thing, definition: DfcProperty, value: str) -> list[object]:
    alpha_3 = write_country(value)
    return [{"@id": f"{COUNTRY}{alpha_3}"}] if alpha_3 else []


def _quantity(graph: Graph, thing: Thing, definition: DfcProperty, value: DfcQuantity) -> list[object]:
    unit = _concept("dfc-m", value.unit)["@id"]
    node = {"@type": "dfc-b:QuantitativeValue", "dfc-b:hasUnit": unit, "dfc-b:value": write_number(value.value)}
    return [graph.unnamed(node)]


def _quantities(graph: Graph, thing: Thing, definition: DfcProperty, value: Iterable[DfcQuantity]) -> list[object]:
    return [node for quantity in value for node in _quantity(graph, thing, definition, quantity)]


def _price(graph: Graph, thing: Thing, definition: DfcProperty, value: DfcPrice) -> list[object]:
    number = write_number(Decimal(value.amount).scaleb(-digits(value.currency)))
    node: Json = {"@type": "dfc-b:Price", "dfc-b:value": number}
    if value.vat_rate is not None:
        node["dfc-b:VATrate"] = write_number(value.vat_rate)
    term = CURRENCY_TERMS.get(value.currency) if graph.version != "2.0" else None
    if value.includes_vat is not None:  # DFC has no word for it
        node[full(INCLUDES_VAT)] = "true" if value.includes_vat else "false"
    if value.currency:
        node["dfc-b:hasUnit"] = f"dfc-m:{term}" if term else f"{CURRENCY}{value.currency}"
    return [graph.unnamed(node)]


_WRITERS: Mapping[str, Callable[[Graph, Thing, DfcProperty, Any], list[object]]] = {
    "text": _text,
    "html": _text,
    "texts": _texts,
    "link": _link,
    "links": _links,
    "concept": _one_concept,
    "concepts": _concepts,
    "allergens": _allergens,
    "number": _number,
    "stock": _number,
    "moment": _moment,
    "duration": _duration,
    "flag": _flag,
    "country": _country,
    "quantity": _quantity,
    "quantities": _quantities,
    "price": _price,
}


@dataclass(frozen=True)
class _FieldWriter:
    """Writes one field. `keys`: its properties, each with whether the context declares it as a link.

    limits: the stock of an item, where None stands for unlimited; pieces: the quantity of an order line
    """

    name: str
    definition: DfcProperty
    write: Callable[[Graph, Thing, DfcProperty, object], list[object]]
    keys: tuple[tuple[str, bool], ...]
    limits: bool
    pieces: bool


@dataclass(frozen=True)
class _Layout:
    """How things of one class are written. `inverses`: fields whose links are also written at their targets."""

    fields: tuple[_FieldWriter, ...]
    inverses: tuple[tuple[str, str, bool], ...]


_layouts: dict[tuple[type[Thing], frozenset[str]], _Layout] = {}  # few classes, two versions


def _layout_of(kind: type[Thing], links: frozenset[str]) -> _Layout:
    layout = _layouts.get((kind, links))
    if layout is None:
        layout = _layouts[kind, links] = _build_layout(kind, links)
    return layout


def _build_layout(kind: type[Thing], links: frozenset[str]) -> _Layout:
    definitions = PROPERTIES.get(kind, {})
    return _Layout(
        tuple(
            _FieldWriter(
                name=name,
                definition=definition,
                write=_WRITERS[definition.datatype],
                keys=tuple((full(key), key in links) for key in definition.short_names),
                limits=definition.datatype == "stock" and kind is DfcItem,
                pieces=definition.term == "hasQuantity" and kind is DfcLine,
            )
            for name, definition in definitions.items()
        ),
        tuple(
            (name, full(short_name(definition.inverse)), short_name(definition.inverse) in links)
            for name, definition in definitions.items()
            if definition.inverse
        ),
    )


# Writes values as documents of DFC 1.16 and 2.0.

# DFC's context does not declare `ldp`. Declared here, the same words are also links for JSON-LD processors.
_LDP = {"ldp": LDP, "ldp:contains": {"@type": "@id"}}


def write_116(things: Iterable[Thing], *, named_values: bool = False) -> dict[str, Any]:
    """Writes a document of DFC 1.16, as the official connectors and Open Food Network read it.

    It has a flat ``@graph``, links in both directions, and numbers as strings. Terms that DFC lacks are whole IRIs of a
    vocabulary of our own, which others ignore. Values are blank nodes; with `named_values` those of a shared
    vocabulary have IRIs.
    """
    graph = Graph("1.16", links_of("1.16"), named_values)
    return {"@context": CONTEXT_116, "@graph": graph.add_all(things)}


def write_20(things: Iterable[Thing], containers: Mapping[str, Iterable[str]]) -> dict[str, object]:
    """Writes a document of DFC 2.0: organizations, currencies of ISO 4217, lists as LDP containers.

    `containers` are the lists to write: the IRIs of their members, by the IRI of the list.
    """
    lists = [
        {"@id": iri, "@type": "ldp:Container", "ldp:contains": list(members)} for iri, members in containers.items()
    ]
    graph = Graph("2.0", links_of("2.0"))
    return {"@context": [CONTEXT_20, _LDP], "@graph": [*lists, *graph.add_all(things)]}
