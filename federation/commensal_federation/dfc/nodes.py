"""A document as nodes: nested or flat, one or several documents, whatever its spelling, the same nodes come out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .contexts import RELATIVE
from .names import compact, is_version_2

_MOST_NAMES = 1_000  # of properties and types that are remembered

Value = Mapping[str, Any]  # of expanded JSON-LD: {"@id": …} with a short name, or {"@value": …}


@dataclass
class Node:
    """`said`: values by the short name of their property, each once, in the order of the document."""

    iri: str
    types: list[str] = field(default_factory=list)
    said: dict[str, dict[Any, Value]] = field(default_factory=dict)

    def values(self, property: str) -> list[Value]:
        return list(self.said.get(property, {}).values())

    def add(self, property: str, value: Value) -> None:
        key = value.get("@id") or (str(value.get("@value")), value.get("@type"), value.get("@language"))
        self.said.setdefault(property, {}).setdefault(key, value)


@dataclass
class Nodes:
    """All nodes of a document by their names. What has no name gets one that begins with ``_:``."""

    by_iri: dict[str, Node] = field(default_factory=dict)
    version_2: bool = False
    nested: bool = False
    _unnamed: int = 0
    _short: dict[str, str] = field(
        default_factory=dict, compare=False
    )  # names of properties and types: a document has few

    def add_document(self, expanded: Iterable[Any], mark: str = "") -> None:
        """Takes the nodes of one document. `mark` keeps its unnamed nodes apart from those of others."""
        stack: list[Any] = [one for one in expanded if isinstance(one, dict)]
        stack.reverse()
        while stack:
            one = stack.pop()
            deeper = [inner for name in ("@graph", "@included") for inner in _items(one.get(name, ()))]
            if len(one) > 1 or "@id" not in one:
                node = self._node(one, mark)
                one["@id"] = node.iri
                deeper += self._take(node, one, mark)
            stack += reversed([inner for inner in deeper if isinstance(inner, dict) and "@value" not in inner])

    def _node(self, one: dict[str, Any], mark: str) -> Node:
        iri = self.name(one.get("@id"), mark)
        node = self.by_iri.setdefault(iri, Node(iri))
        for name in one.get("@type", ()):
            short = self.short(name)
            if short not in node.types:
                node.types.append(short)
        return node

    def _take(self, node: Node, one: Mapping[str, Any], mark: str) -> Iterator[Any]:
        """Notes what is said of the node; yields the nodes inside it."""
        for name, values in one.items():
            short = self._short.get(name)
            if short is None:
                if name == "@reverse":
                    yield from self._take_reverse(node, values, mark)
                if name.startswith("@"):
                    continue
                short = self.short(name)
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

    def short(self, name: str) -> str:
        """The short name of a property or type. That it was said tells whether this is DFC 2."""
        short = self._short.get(name)
        if short is None:
            self.version_2 = self.version_2 or is_version_2(name)
            short = compact(name)
            if len(self._short) < _MOST_NAMES:
                self._short[name] = short
        return short

    def _take_reverse(self, node: Node, values: Mapping[str, Any], mark: str) -> Iterator[Any]:
        for name, subjects in values.items():
            for subject in _items(subjects):
                subject["@id"] = iri = self.name(subject.get("@id"), mark)
                self.by_iri.setdefault(iri, Node(iri)).add(compact(name), {"@id": node.iri})
                yield subject

    def name(self, iri: object, mark: str) -> str:
        """The name of a node: its own, apart from those of other documents, or a new one."""
        if not isinstance(iri, str) or not iri:
            self._unnamed += 1
            return f"_:unnamed{self._unnamed}"
        if iri.startswith(RELATIVE):
            iri = iri.removeprefix(RELATIVE)
        if mark and iri.startswith("_:") and not iri.startswith(("_:unnamed", f"_:{mark}.")):
            return f"_:{mark}.{iri[2:]}"
        return iri


def _items(values: Any) -> Iterable[Any]:
    """What stands in lists and sets, which say the same here. Nearly always that is a list of one."""
    if type(values) is list and len(values) == 1:
        (only,) = values
        if type(only) is dict and not ("@list" in only or "@set" in only):
            return values
    return _unpacked(values) if values else ()


def _unpacked(values: Any) -> Iterator[Any]:
    stack = [values]
    while stack:
        one = stack.pop()
        if isinstance(one, (list, tuple)):
            stack += reversed(one)
        elif isinstance(one, dict) and ("@list" in one or "@set" in one):
            stack.append(one.get("@list", one.get("@set")))
        else:
            yield one
