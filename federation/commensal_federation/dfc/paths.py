"""Where a finding is in the JSON of a document, as a normalised path (RFC 9535): ``$['@graph'][3]['dfc-b:name']``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from .aliases import property_name
from .classes import PROPERTIES
from .names import compact
from .properties import short_name


class Paths:
    """``Paths(raw).path_of(iri, "dfc-b:hasPrice")``. `raw` is the parsed JSON of one document, or a list of them."""

    def __init__(self, raw: object) -> None:
        self._nodes: dict[str, list[tuple[str, Mapping[str, object]]]] = {}
        for path, node in _objects(raw):
            if isinstance(node.get("@id"), str):
                self._nodes.setdefault(node["@id"], []).append((path, node))

    def path_of(self, iri: str, property: str = "") -> str:
        """The path of a node's property, or of the node if it has no such property; "" for a node without an IRI."""
        places = [path for path, node in self._nodes.get(iri, []) if len(node) > 1]
        return (property and self.property_path(iri, property)) or (places[0] if places else "")

    def property_path(self, iri: str, property: str) -> str:
        """The path of a node's property in any spelling; "" if no node with that IRI has it."""
        synonyms = _synonyms(property)
        for path, node in self._nodes.get(iri, []):
            for key in node:
                if _name(key) in synonyms:
                    return f"{path}[{_quoted(key)}]"
        return ""


def _objects(raw: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    stack = [("$", raw)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, Mapping):
            yield path, value
            members: list[tuple[str, object]] = [
                (f"{path}[{_quoted(key)}]", member) for key, member in value.items() if key != "@context"
            ]
        elif isinstance(value, list):
            members = [(f"{path}[{index}]", member) for index, member in enumerate(value)]
        else:
            continue
        stack += reversed(members)


def _quoted(key: str) -> str:
    escaped = key.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _name(key: str) -> str:
    return property_name(compact(key))


@cache
def _synonyms(property: str) -> frozenset[str]:
    """All names of the fields that this property fills, in both spellings."""
    names = {property}
    for definitions in PROPERTIES.values():
        for definition in definitions.values():
            spellings = {*definition.short_names, *map(short_name, definition.reads)}
            if property in spellings:
                names |= spellings
    return frozenset(names)
