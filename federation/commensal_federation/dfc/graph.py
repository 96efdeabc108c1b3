"""Values become the nodes of a flat graph: links in both directions, numbers as strings, every node with a name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from commensal import digits

from .literals import write_country, write_moment, write_number
from .names import COUNTRY, CURRENCY, compact, full
from .saying import Said, named
from .shapes import SAID
from .taxonomies import CURRENCY_TERMS
from .vocabulary import DfcItem, DfcLine, DfcOther, DfcPrice, DfcQuantity, Thing

Json = dict[str, Any]
_LINK = {"@id": ""}.keys()
_UNLIMITED = Decimal(-1)  # as deployed platforms have it


@dataclass
class Graph:
    """One document of a version. `links`: properties that its context declares to be links."""

    version: str
    links: frozenset[str]
    nodes: dict[str, Json] = field(default_factory=dict)
    _unnamed: int = 0

    def add_all(self, things: Iterable[Thing]) -> list[Json]:
        """All nodes of these things, with what belongs to them."""
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
            types = [named(name), *map(full, thing.also)]
        if types:
            node["@type"] = types[0] if len(types) == 1 else types
        said_of_it = vars(thing)
        for one in _plan(type(thing), self.links).fields:
            value = said_of_it[one.name]
            if not value and not isinstance(value, Decimal):  # nothing is said; 0 is something
                if not one.limits or value is not None:
                    continue
                value = _UNLIMITED
            for said in one.write(self, thing, one.said, value):
                for key, linked in one.keys:
                    self._put(node, key, said, linked)
            if one.pieces:
                node["dfc-b:quantity"] = write_number(value.value)  # which is what the connectors read
        for property, values in thing.extra.items():
            for value in values:
                self._put(node, full(property), _as_it_was(value), property in self.links)

    def _link_back(self, thing: Thing, as_they_were: set[str]) -> None:
        for name, key, linked in _plan(type(thing), self.links).inverses:
            value = getattr(thing, name)
            if not value:
                continue
            for iri in value if isinstance(value, tuple) else (value,):
                if iri in self.nodes and iri not in as_they_were:
                    self._put(self.nodes[iri], key, {"@id": thing.iri}, linked)

    def _put(self, node: Json, key: str, value: Any, linked: bool) -> None:
        """Adds a value, once; one alone stands without a list, as the connectors have it. `linked`: the context says
        that it is a link."""
        if linked and isinstance(value, dict) and value.keys() == _LINK:
            value = value["@id"]
        before = node.get(key)
        if before is None:
            node[key] = value
        elif isinstance(before, list):
            before.append(value)
        elif before != value:
            node[key] = [before, value]

    def unnamed(self, said: Json) -> Json:
        """A node without a name of its own, for a price or a quantity; the link to it."""
        self._unnamed += 1
        while f"_:b{self._unnamed}" in self.nodes:
            self._unnamed += 1
        name = f"_:b{self._unnamed}"
        self.nodes[name] = {"@id": name, **said}
        return {"@id": name}


def _as_it_was(value: Mapping[str, Any]) -> Any:
    if "@id" in value:
        return {"@id": full(str(value["@id"]))}
    return value["@value"] if value.keys() == {"@value"} else dict(value)


def _concept(scheme: str, name: str) -> Json:
    return {"@id": full(name) if ":" in name else f"{scheme}:{name}"}


def _text(graph: Graph, thing: Thing, said: Said, value: Any) -> list[Any]:
    return [value]


def _texts(graph: Graph, thing: Thing, said: Said, value: Any) -> list[Any]:
    return list(value)


def _link(graph: Graph, thing: Thing, said: Said, value: Any) -> list[Any]:
    return [{"@id": value}]


def _links(graph: Graph, thing: Thing, said: Said, value: Any) -> list[Any]:
    return [{"@id": one} for one in value]


def _one_concept(graph: Graph, thing: Thing, said: Said, value: Any) -> list[Any]:
    return [_concept(said.scheme, value)]


def _concepts(graph: Graph, thing: Thing, said: Said, value: Any) -> list[Any]:
    return [_concept(said.scheme, one) for one in value]


def _allergens(graph: Graph, thing: Thing, said: Said, value: Any) -> list[Any]:
    links = []
    for term in value:
        iri = f"{thing.iri}#allergen-{compact(term).rpartition('#')[2]}"
        graph.nodes[iri] = {"@id": iri, "@type": "dfc-b:AllergenCharacteristic"}
        dimension = "dfc-b:hasAllergenDimension"
        graph._put(graph.nodes[iri], dimension, _concept("dfc-m", term), dimension in graph.links)
        links.append({"@id": iri})
    return links


def _number(graph: Graph, thing: Thing, said: Said, value: Any) -> list[Any]:
    return [write_number(value)]


def _moment(graph: Graph, thing: Thing, said: Said, value: Any) -> list[Any]:
    return [write_moment(value)]


def _flag(graph: Graph, thing: Thing, said: Said, value: Any) -> list[Any]:
    return ["true"]


def _country(graph: Graph, thing: Thing, said: Said, value: Any) -> list[Any]:
    alpha_3 = write_country(value)
    return [{"@id": f"{COUNTRY}{alpha_3}"}] if alpha_3 else []


def _quantity(graph: Graph, thing: Thing, said: Said, value: DfcQuantity) -> list[Any]:
    unit = _concept("dfc-m", value.unit)["@id"]
    said_so = {"@type": "dfc-b:QuantitativeValue", "dfc-b:hasUnit": unit, "dfc-b:value": write_number(value.value)}
    return [graph.unnamed(said_so)]


def _price(graph: Graph, thing: Thing, said: Said, value: DfcPrice) -> list[Any]:
    number = write_number(Decimal(value.amount).scaleb(-digits(value.currency)))
    node: Json = {"@type": "dfc-b:Price", "dfc-b:value": number}
    if value.vat_rate is not None:
        node["dfc-b:VATrate"] = write_number(value.vat_rate)
    term = CURRENCY_TERMS.get(value.currency) if graph.version != "2.0" else None
    if value.currency:
        node["dfc-b:hasUnit"] = f"dfc-m:{term}" if term else f"{CURRENCY}{value.currency}"
    return [graph.unnamed(node)]


_WRITERS: Mapping[str, Callable[[Graph, Thing, Said, Any], list[Any]]] = {
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
    "flag": _flag,
    "country": _country,
    "quantity": _quantity,
    "price": _price,
}


@dataclass(frozen=True)
class _Field:
    """How a field is written: by which keys, each with whether the context declares it to be a link.

    limits: an item's stock, of which nothing is said where there is no limit; pieces: the quantity of a line
    """

    name: str
    said: Said
    write: Callable[[Graph, Thing, Said, Any], list[Any]]
    keys: tuple[tuple[str, bool], ...]
    limits: bool
    pieces: bool


@dataclass(frozen=True)
class _Plan:
    """How things of one kind are written. `inverses`: fields whose links are said from the other side too."""

    fields: tuple[_Field, ...]
    inverses: tuple[tuple[str, str, bool], ...]


_plans: dict[tuple[type[Thing], frozenset[str]], _Plan] = {}  # a few kinds in two versions


def _plan(kind: type[Thing], links: frozenset[str]) -> _Plan:
    made = _plans.get((kind, links))
    if made is None:
        made = _plans[kind, links] = _planned(kind, links)
    return made


def _planned(kind: type[Thing], links: frozenset[str]) -> _Plan:
    known = SAID.get(kind, {})
    return _Plan(
        tuple(
            _Field(
                name=name,
                said=said,
                write=_WRITERS[said.how],
                keys=tuple((full(one), one in links) for one in said.properties),
                limits=said.how == "stock" and kind is DfcItem,
                pieces=said.term == "hasQuantity" and kind is DfcLine,
            )
            for name, said in known.items()
        ),
        tuple(
            (name, full(named(said.inverse)), named(said.inverse) in links)
            for name, said in known.items()
            if said.inverse
        ),
    )
