"""Nodes of a document. A nested and a flat document, in one file or several, give the same nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .contexts import RELATIVE
from .names import class_name, compact, is_version_2, property_name
from .plain import ILLEGAL, NameExpander, NotPlain

_MOST_NAMES = 1_000  # short names of properties and types kept in memory

Value = Mapping[str, Any]  # expanded JSON-LD: {"@id": …} with a short name, or {"@value": …}


@dataclass
class Node:
    """One node. `properties`: distinct values by the property's short name, in the order of the document."""

    iri: str
    types: list[str] = field(default_factory=list)
    properties: dict[str, dict[Any, Value]] = field(default_factory=dict)

    def values(self, property: str) -> list[Value]:
        return list(self.properties.get(property, {}).values())

    def add(self, property: str, value: Value) -> None:
        key = value.get("@id") or (str(value.get("@value")), value.get("@type"), value.get("@language"))
        self.properties.setdefault(property, {}).setdefault(key, value)


@dataclass
class Nodes:
    """All nodes of a document by IRI. A node without an IRI gets a blank node identifier, ``_:…``."""

    by_iri: dict[str, Node] = field(default_factory=dict)
    version_2: bool = False
    nested: bool = False
    malformed: set[str] = field(default_factory=set)  # addresses with characters that none has
    _unnamed: int = 0
    _properties: dict[str, str] = field(default_factory=dict, compare=False)  # short names by IRI
    _types: dict[str, str] = field(default_factory=dict, compare=False)

    def add_document(self, expanded: Iterable[object], mark: str = "") -> None:
        """Adds the nodes of one document. `mark` keeps its blank nodes apart from those of other documents."""
        stack: list[Any] = [entry for entry in expanded if isinstance(entry, dict)]
        stack.reverse()
        while stack:
            entry = stack.pop()
            children = [child for name in ("@graph", "@included") for child in _items(entry.get(name, ()))]
            if len(entry) > 1 or "@id" not in entry:
                node = self._node(entry, mark)
                entry["@id"] = node.iri
                children += self._take(node, entry, mark)
            stack += reversed([child for child in children if isinstance(child, dict) and "@value" not in child])

    def _node(self, entry: dict[str, Any], mark: str) -> Node:
        iri = self.name(entry.get("@id"), mark)
        node = self.by_iri.setdefault(iri, Node(iri))
        for name in entry.get("@type", ()):
            short = self.type_name(name)
            if short not in node.types:
                node.types.append(short)
        return node

    def _take(self, node: Node, entry: Mapping[str, Any], mark: str) -> Iterator[object]:
        """Adds an entry's properties to its node; yields the nodes nested in it."""
        for name, values in entry.items():
            short = self._properties.get(name)
            if short is None:
                if name == "@reverse":
                    yield from self._take_reverse(node, values, mark)
                if name.startswith("@"):
                    continue
                short = self.property_name(name)
            for value in _items(values):
                if not isinstance(value, dict):
                    continue
                if "@value" in value:
                    node.add(short, value)
                    continue
                iri = self.name(value.get("@id"), mark)
                node.add(short, {"@id": compact(iri)})
                if len(value) > 1 or "@id" not in value:
                    self.nested = True
                    value["@id"] = iri
                    yield value

    def property_name(self, name: str) -> str:
        """The short name of a property, or of the one that it stands for; see `aliases`."""
        return self._short(name, self._properties, property_name)

    def type_name(self, name: str) -> str:
        """The short name of a type, or of the class that it stands for."""
        return self._short(name, self._types, class_name)

    def _short(self, name: str, names: dict[str, str], resolve: Callable[[str], str]) -> str:
        """A name spelt as in DFC 2 marks the document as version 2."""
        short = names.get(name)
        if short is None:
            self.version_2 = self.version_2 or is_version_2(name)
            short = resolve(compact(name.removeprefix(RELATIVE)))
            if len(names) < _MOST_NAMES:
                names[name] = short
        return short

    def _take_reverse(self, node: Node, values: Mapping[str, object], mark: str) -> Iterator[object]:
        for name, subjects in values.items():
            for subject in _items(subjects):
                subject["@id"] = iri = self.name(subject.get("@id"), mark)
                self.by_iri.setdefault(iri, Node(iri)).add(self.property_name(name), {"@id": node.iri})
                yield subject

    def name(self, iri: object, mark: str) -> str:
        """The name of a node: its IRI, its blank node identifier within this document, or a new identifier."""
        if not isinstance(iri, str) or not iri:
            self._unnamed += 1
            return f"_:unnamed{self._unnamed}"
        if iri.startswith(RELATIVE):
            iri = iri.removeprefix(RELATIVE)
        if ILLEGAL.search(iri) and "://" in iri and len(self.malformed) < _MOST_NAMES:
            self.malformed.add(iri)
        if mark and iri.startswith("_:") and not iri.startswith(("_:unnamed", f"_:{mark}.")):
            return f"_:{mark}.{iri[2:]}"
        return iri


def _items(values: object) -> Iterable[Any]:
    """The members of lists and sets, nested or not. The usual case, a list of one, takes the short way."""
    if type(values) is list and len(values) == 1:
        (only,) = values
        if type(only) is dict and not ("@list" in only or "@set" in only):
            return values
    return _unpacked(values) if values else ()


def _unpacked(values: object) -> Iterator[object]:
    stack = [values]
    while stack:
        value = stack.pop()
        if isinstance(value, (list, tuple)):
            stack += reversed(value)
        elif isinstance(value, dict) and ("@list" in value or "@set" in value):
            stack.append(value.get("@list", value.get("@set")))
        else:
            yield value


# Reads the nodes of a document as plain as our own: a flat graph of named things, in a context of prefixes.
#
# The nodes equal those from expanded JSON-LD, in half the time, since no name is expanded only to be shortened again.
# Documents with nested or unnamed nodes, or with names that need more than prefixes, take the way through expansion.

_NAME_ALONE = {"@id"}


def flat_nodes(document: Mapping[str, object], context: Mapping[str, object]) -> Nodes | None:
    """The nodes; None if the document is not that plain. `context` has prefixes and links only."""
    graph = document.get("@graph")
    if not isinstance(graph, list) or document.keys() - {"@context"} != {"@graph"}:
        return None
    flat = _Flat(context)
    try:
        for node in graph:
            flat.take(node)
    except NotPlain:
        return None
    return flat.nodes


class _Flat:
    def __init__(self, context: Mapping[str, object]) -> None:
        self.nodes = Nodes()
        self._names = NameExpander(context)
        self._properties: dict[str, tuple[str, bool]] = {}  # short name, and whether it is a link; a document has few

    def take(self, members: object) -> None:
        if type(members) is not dict or "@id" not in members or len(members) < 2:
            raise NotPlain
        node = self._node(members["@id"])
        for property, values in members.items():
            if property == "@id":
                continue
            if property == "@type":
                self._types(node, values)
                continue
            short, link = self._properties.get(property) or self._property(property)
            for value in values if type(values) is list else (values,):
                if type(value) is dict:
                    if value.keys() != _NAME_ALONE:
                        raise NotPlain
                    node.add(short, {"@id": self._name(value["@id"])})
                elif value is None or type(value) is list:
                    raise NotPlain
                elif link and type(value) is str:
                    node.add(short, {"@id": self._name(value)})
                else:
                    node.add(short, {"@value": value})

    def _node(self, name: object) -> Node:
        iri = self._names.iri(name)
        node = self.nodes.by_iri.get(iri)
        if node is None:
            node = self.nodes.by_iri[iri] = Node(iri)
        return node

    def _types(self, node: Node, names: object) -> None:
        if names == []:
            raise NotPlain
        for name in names if type(names) is list else (names,):
            short = self.nodes.type_name(self._names.iri(name))
            if short not in node.types:
                node.types.append(short)

    def _property(self, name: str) -> tuple[str, bool]:
        self._properties[name] = entry = self.nodes.property_name(self._names.iri(name)), self._names.is_link(name)
        return entry

    def _name(self, name: object) -> str:
        return compact(self._names.iri(name))
