"""Nodes of a document that is as plain as ours are: a flat graph of named things, in a context of prefixes.

The same nodes come out as by way of expanded JSON-LD, in half the time, since nothing is written out only to be
shortened again. Whatever is nested, unnamed or harder than prefixes is left to that way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .names import compact
from .nodes import Node, Nodes
from .plain import Harder, Terms

_NAME_ALONE = {"@id"}


def flat_nodes(document: Mapping[str, Any], context: Mapping[str, Any]) -> Nodes | None:
    """None for a document that is not as plain as that. `context` has prefixes and links only."""
    graph = document.get("@graph")
    if not isinstance(graph, list) or document.keys() - {"@context"} != {"@graph"}:
        return None
    flat = _Flat(context)
    try:
        for one in graph:
            flat.take(one)
    except Harder:
        return None
    return flat.nodes


class _Flat:
    def __init__(self, context: Mapping[str, Any]) -> None:
        self.nodes = Nodes()
        self._terms = Terms(context)
        self._properties: dict[str, tuple[str, bool]] = {}  # short name, and whether it is a link; a document has few

    def take(self, one: Any) -> None:
        if type(one) is not dict or "@id" not in one or len(one) < 2:
            raise Harder
        node = self._node(one["@id"])
        for property, value in one.items():
            if property == "@id":
                continue
            if property == "@type":
                self._types(node, value)
                continue
            short, link = self._properties.get(property) or self._property(property)
            for said in value if type(value) is list else (value,):
                if type(said) is dict:
                    if said.keys() != _NAME_ALONE:
                        raise Harder
                    node.add(short, {"@id": self._name(said["@id"])})
                elif said is None or type(said) is list:
                    raise Harder
                elif link and type(said) is str:
                    node.add(short, {"@id": self._name(said)})
                else:
                    node.add(short, {"@value": said})

    def _node(self, name: Any) -> Node:
        iri = self._terms.iri(name)
        known = self.nodes.by_iri.get(iri)
        if known is None:
            known = self.nodes.by_iri[iri] = Node(iri)
        return known

    def _types(self, node: Node, said: Any) -> None:
        if said == []:
            raise Harder
        for one in said if type(said) is list else (said,):
            short = self.nodes.short(self._terms.iri(one))
            if short not in node.types:
                node.types.append(short)

    def _property(self, name: str) -> tuple[str, bool]:
        self._properties[name] = found = self.nodes.short(self._terms.iri(name)), self._terms.is_link(name)
        return found

    def _name(self, said: Any) -> str:
        return compact(self._terms.iri(said))
