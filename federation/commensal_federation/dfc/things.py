"""Nodes become values: each property its field, links from either side the same link; what is left is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .fields import PLAIN, Field
from .findings import Findings
from .nodes import Node, Nodes, Value
from .shapes import BY_TYPE, OLD_PLACES, SAID, Kind, field_of, guess_kind, inverse_of
from .vocabulary import DfcOther, Thing

_CONTAINERS = {"ldp:Container", "ldp:BasicContainer"}


@dataclass
class _Draft:
    """A thing while it is read. `left`: properties that no field holds; `links`: what others say of its links."""

    kind: Kind
    node: Node
    also: tuple[str, ...]
    values: dict[str, Any] = field(default_factory=dict)
    left: dict[str, list[Value]] = field(default_factory=dict)
    links: dict[str, dict[str, None]] = field(default_factory=dict)

    def thing(self) -> Thing:
        extra = {name: tuple(values) for name, values in self.left.items() if values}
        for name, links in self.links.items():
            self.values[name] = tuple(dict.fromkeys((*self.values.get(name, ()), *links)))
        return self.kind(iri=self.node.iri, also=self.also, extra=extra, **self.values)


@dataclass
class Reader:
    """Reads all nodes of a document. `containers`: what the document lists, by the name of the list."""

    nodes: Nodes
    findings: Findings
    containers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _absorbed: set[str] = field(default_factory=set)
    _drafts: dict[str, _Draft] = field(default_factory=dict)

    def things(self) -> dict[str, Thing]:
        """In the order of the document."""
        for node in self.nodes.by_iri.values():
            known = next((name for name in node.types if name in BY_TYPE), None)
            if known:
                self._draft(BY_TYPE[known], node, tuple(one for one in node.types if BY_TYPE.get(one) is None))
        for node in self.nodes.by_iri.values():
            if not node.types and node.said and node.iri not in self._absorbed:
                self._guess(node)
        for draft in self._drafts.values():
            self._from_the_other_side(draft)
        for draft in self._drafts.values():
            self._note_left(draft)
        kept = self._kept()
        return {iri: made for iri, node in self.nodes.by_iri.items() if (made := self._made(node, kept))}

    def _made(self, node: Node, kept: set[str]) -> Thing | None:
        if node.iri in self._drafts:
            return self._drafts[node.iri].thing()
        if _CONTAINERS & set(node.types):
            listed = node.values("ldp:contains")
            self.containers[node.iri] = tuple(str(one.get("@id", one.get("@value"))) for one in listed)
            if not node.said.keys() - {"ldp:contains"}:
                return None
        if node.iri in self._absorbed and node.iri not in kept:
            return None
        if not node.types and not any(node.said.values()):
            return None
        self._note_other(node)
        extra = {name: tuple(values.values()) for name, values in node.said.items()}
        return DfcOther(iri=node.iri, also=tuple(node.types), extra=extra)

    def _note_other(self, node: Node) -> None:
        if node.types:
            text = "Things of {types} are kept and passed on, but nothing is done with them."
            self.findings.note("other", text, node.iri, types=" and ".join(node.types)[:100])
        else:
            text = "Things of no type are kept and passed on, but nothing is done with them."
            self.findings.note("other", text, node.iri)

    def _guess(self, node: Node) -> None:
        kind = guess_kind(set(node.said))
        if kind is not None:
            self.findings.note("no_type", "What has no type is read as {kind}.", node.iri, kind=kind.NAMES[0])
            self._draft(kind, node, ())

    def _draft(self, kind: Kind, node: Node, also: tuple[str, ...]) -> None:
        draft = self._drafts[node.iri] = _Draft(kind, node, also)
        said: dict[str, list[Value]] = {}
        for property in node.said:
            name = field_of(kind, property)
            if name is None:
                draft.left[property] = node.values(property)
            else:
                said.setdefault(name, []).extend(node.values(property))
        for name, how in SAID[kind].items():
            if name in said:
                self._fill(draft, name, said[name])
            elif how.how in OLD_PLACES:
                self._fill_from_old_place(draft, name, OLD_PLACES[how.how])

    def _fill(self, draft: _Draft, name: str, values: list[Value]) -> None:
        said = SAID[draft.kind][name]
        plain = PLAIN.get(said.how)
        if plain is not None and len(values) == 1 and (only := plain(values[0])) is not None:
            draft.values[name] = only
            return
        kept: list[Value] = []
        property = said.properties[0]
        of = Field(self.nodes, self.findings, self._absorbed, draft.node, said, property, values, kept)
        value = of.read()
        if value is not None:
            draft.values[name] = value
        if kept:
            draft.left.setdefault(property, []).extend(kept)
        old = draft.left.get(OLD_PLACES.get(said.how, ""), [])
        if value is not None and old and said.term.startswith("has"):
            del draft.left[OLD_PLACES[said.how]]  # deprecated, and said twice

    def _fill_from_old_place(self, draft: _Draft, name: str, property: str) -> None:
        said = SAID[draft.kind][name]
        if not said.term.startswith("has") or property not in draft.left:
            return
        values = draft.left.pop(property)
        self._fill(draft, name, values)
        if name in draft.values:
            draft.left.pop("dfc-b:hasUnit", None)

    def _from_the_other_side(self, draft: _Draft) -> None:
        """Takes links that say what a field of another thing says. Links out of the document stay where they are."""
        for property, values in list(draft.left.items()):
            fields = inverse_of(property)
            if not fields:
                continue
            draft.left[property] = [one for one in values if not self._turned(draft, property, fields, one)]

    def _turned(self, draft: _Draft, property: str, fields: Any, value: Value) -> bool:
        other = self._drafts.get(str(value.get("@id", value.get("@value"))))
        name = fields.get(other.kind) if other else None
        if other is None or name is None:
            return False
        here = draft.node.iri
        if SAID[other.kind][name].how == "links":
            other.links.setdefault(name, {})[here] = None
            return True
        if other.values.setdefault(name, here) == here:
            return True
        text = "{term} says otherwise than the {field} of what it names; what that one says counts."
        self.findings.wrong("two_values", text, here, property, term=property, field=name)
        return False

    def _note_left(self, draft: _Draft) -> None:
        for property, values in draft.left.items():
            if values and field_of(draft.kind, property) is None and not inverse_of(property):
                text = "{term} of {kind} is kept and passed on, but nothing is done with it."
                self.findings.note("kept", text, draft.node.iri, property, term=property, kind=draft.kind.NAMES[0])

    def _kept(self) -> set[str]:
        """Names in what is kept: what they name must be kept too."""
        left = (values for draft in self._drafts.values() for values in draft.left.values())
        others = (
            node.values(property)
            for node in self.nodes.by_iri.values()
            if node.iri not in self._drafts and node.iri not in self._absorbed
            for property in node.said
        )
        return {str(one["@id"]) for values in (*left, *others) for one in values if "@id" in one}
