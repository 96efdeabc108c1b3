"""Findings about a document: what was not understood, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

from commensal import Problem, Refused

from .classes import PROPERTIES
from .names import compact, property_name
from .properties import short_name

LISTED = 1_000  # findings of each weight; further ones are only counted
Weight = Literal["wrong", "note"]


class UnreadableDocument(Refused):
    """The document is not read at all. `code` is for programs, `what` in English for a platform's developer."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(code, what.replace("{", "{{").replace("}", "}}"))


@dataclass(frozen=True, kw_only=True)
class DocumentFinding:
    """Something that was not understood ("note") or is wrong ("wrong"), with the first thing that has it.
    `property_name` is the thing's property, if the finding concerns one.

    Equal notes are one finding; `count` says how often it occurred.
    """

    weight: Weight
    problem: Problem
    property_name: str = ""
    count: int = 1

    @property
    def code(self) -> str:
        return self.problem.code

    @property
    def iri(self) -> str:
        return self.problem.where


class DocumentFindings:
    """Collects findings; their number is bounded, whatever the document."""

    def __init__(self) -> None:
        self._notes: dict[tuple[str, ...], DocumentFinding] = {}  # the first occurrence of each
        self._again: dict[tuple[str, ...], int] = {}
        self._wrong: list[DocumentFinding] = []
        self._unlisted = 0

    def note(self, code: str, text: str, iri: str = "", property: str = "", **values: str) -> None:
        key = (code, text, *values.values())
        if key in self._notes:
            self._again[key] = self._again.get(key, 0) + 1
        elif len(self._notes) < LISTED:
            problem = Problem(code, text, iri[:300], values)
            self._notes[key] = DocumentFinding(weight="note", problem=problem, property_name=property)
        else:
            self._unlisted += 1

    def wrong(self, code: str, text: str, iri: str = "", property: str = "", **values: str) -> None:
        if len(self._wrong) < LISTED:
            problem = Problem(code, text, iri[:300], values)
            self._wrong.append(DocumentFinding(weight="wrong", problem=problem, property_name=property))
        else:
            self._unlisted += 1

    @property
    def collected(self) -> tuple[DocumentFinding, ...]:
        """All findings, wrong ones first."""
        notes = (replace(first, count=1 + self._again.get(key, 0)) for key, first in self._notes.items())
        findings = [*self._wrong, *notes]
        if self._unlisted:
            more = Problem("more", "There is more that is not listed.")
            findings.append(DocumentFinding(weight="wrong", problem=more, count=self._unlisted))
        return tuple(findings)


# Where a finding is in the JSON of a document, as a normalised path (RFC 9535): ``$['@graph'][3]['dfc-b:name']``.


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
