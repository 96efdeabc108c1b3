"""Turns nodes into values. Links of either direction fill the same field; other properties are kept in `extra`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from .classes import BY_TYPE, OLD_PLACES, PROPERTIES, DfcClass, field_of, guess_class, inverse_of
from .described import is_read
from .facts import read_facts
from .fields import PLAIN, FieldReader
from .findings import DocumentFindings
from .literals import read_number
from .nodes import Node, Nodes, Value
from .vocabulary import DfcOther, DfcProduct, DfcQuantity, Thing

_CONTAINERS = {"ldp:Container", "ldp:BasicContainer"}
_PHONE = "dfc-b:hasPhoneNumber"
_PHONE_NUMBER = re.compile(r"(?:tel:)?\+?[0-9(][0-9 ()./-]{3,30}")


@dataclass
class _Draft:
    """A thing under construction. `unread`: properties without a field; `links`: links that other things declare."""

    kind: DfcClass
    node: Node
    also: tuple[str, ...]
    values: dict[str, Any] = field(default_factory=dict)
    unread: dict[str, list[Value]] = field(default_factory=dict)
    links: dict[str, dict[str, None]] = field(default_factory=dict)

    def thing(self) -> Thing:
        extra = {name: tuple(values) for name, values in self.unread.items() if values}
        for name, links in self.links.items():
            self.values[name] = tuple(dict.fromkeys((*self.values.get(name, ()), *links)))
        return self.kind(iri=self.node.iri, also=self.also, extra=extra, **self.values)


@dataclass
class ThingReader:
    """Reads all nodes of a document. `containers`: the members of each LDP container, by the container's IRI."""

    nodes: Nodes
    findings: DocumentFindings
    containers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _absorbed: set[str] = field(default_factory=set)
    _drafts: dict[str, _Draft] = field(default_factory=dict)

    def things(self) -> dict[str, Thing]:
        """Reads and returns all things by IRI, in the order of the document."""
        self._name_phones()
        for node in self.nodes.by_iri.values():
            type_name = next((name for name in node.types if name in BY_TYPE), None)
            if type_name:
                self._draft(BY_TYPE[type_name], node, tuple(name for name in node.types if BY_TYPE.get(name) is None))
        for node in self.nodes.by_iri.values():
            if not node.types and node.properties and node.iri not in self._absorbed:
                self._guess(node)
        for draft in self._drafts.values():
            if draft.kind is DfcProduct:
                read_facts(draft.unread, self.nodes, self._absorbed)
            self._take_inverse_links(draft)
        for draft in self._drafts.values():
            self._note_unread(draft)
        kept_iris = self._iris_in_unread_values()
        return {iri: thing for iri, node in self.nodes.by_iri.items() if (thing := self._thing_of(node, kept_iris))}

    def _name_phones(self) -> None:
        """Gives telephones that stand as text, where DFC has a thing, a node of their own."""
        phones: dict[str, Node] = {}
        for node in self.nodes.by_iri.values():
            values = node.properties.get(_PHONE, {})
            for key, value in list(values.items()):
                number = str(value.get("@value", value.get("@id")))
                if number not in self.nodes.by_iri and _PHONE_NUMBER.fullmatch(number):
                    phone = phones.setdefault(number, Node(f"_:phone{len(phones) + 1}", ["dfc-b:PhoneNumber"]))
                    phone.add("dfc-b:phoneNumber", {"@value": number})
                    del values[key]
                    node.add(_PHONE, {"@id": phone.iri})
        self.nodes.by_iri.update({phone.iri: phone for phone in phones.values()})

    def _thing_of(self, node: Node, kept_iris: set[str]) -> Thing | None:
        if node.iri in self._drafts:
            return self._drafts[node.iri].thing()
        if _CONTAINERS & set(node.types):
            members = node.values("ldp:contains")
            self.containers[node.iri] = tuple(str(member.get("@id", member.get("@value"))) for member in members)
            if not node.properties.keys() - {"ldp:contains"}:
                return None
        if node.iri in self._absorbed and node.iri not in kept_iris:
            return None
        if not node.types and not any(node.properties.values()):
            return None
        self._note_other(node)
        extra = {name: tuple(values.values()) for name, values in node.properties.items()}
        return DfcOther(iri=node.iri, also=tuple(node.types), extra=extra)

    def _note_other(self, node: Node) -> None:
        if node.types:
            text = "Things of {types} are kept and passed on, but nothing is done with them."
            self.findings.note("other", text, node.iri, types=" and ".join(node.types)[:100])
        else:
            text = "Things of no type are kept and passed on, but nothing is done with them."
            self.findings.note("other", text, node.iri)

    def _guess(self, node: Node) -> None:
        kind = guess_class(set(node.properties))
        if kind is not None:
            self.findings.note("no_type", "What has no type is read as {kind}.", node.iri, kind=kind.NAMES[0])
            self._draft(kind, node, ())

    def _draft(self, kind: DfcClass, node: Node, also: tuple[str, ...]) -> None:
        draft = self._drafts[node.iri] = _Draft(kind, node, also)
        values_by_field: dict[str, list[Value]] = {}
        for property in node.properties:
            name = field_of(kind, property)
            if name is None:
                draft.unread[property] = node.values(property)
            else:
                values_by_field.setdefault(name, []).extend(node.values(property))
        for name, definition in PROPERTIES[kind].items():
            if name in values_by_field:
                self._fill(draft, name, values_by_field[name])
            elif definition.datatype in OLD_PLACES:
                self._fill_from_old_place(draft, name, OLD_PLACES[definition.datatype])

    def _fill(self, draft: _Draft, name: str, values: list[Value]) -> None:
        definition = PROPERTIES[draft.kind][name]
        parse = PLAIN.get(definition.datatype)
        if parse is not None and len(values) == 1 and (only := parse(values[0])) is not None:
            draft.values[name] = only
            return
        unread: list[Value] = []
        property = definition.short_names[0]
        field_reader = FieldReader(
            self.nodes, self.findings, self._absorbed, draft.node, definition, property, values, unread
        )
        value = field_reader.read()
        if value is not None:
            draft.values[name] = value
        if unread:
            draft.unread.setdefault(property, []).extend(unread)
        if value is not None and definition.datatype in OLD_PLACES and self._is_literal(values[0]):
            draft.unread.pop("dfc-b:hasUnit", None)  # of a number without a node of its own
        if value is not None and definition.datatype in OLD_PLACES and definition.term.startswith("has"):
            self._drop_repetitions(draft, OLD_PLACES[definition.datatype], value)

    def _is_literal(self, value: Value) -> bool:
        return "@value" in value or value.get("@id") not in self.nodes.by_iri

    def _drop_repetitions(self, draft: _Draft, property: str, value: object) -> None:
        """Drops the values of a deprecated property that repeat the value; reports and keeps a different quantity."""
        for repeated in draft.unread.pop(property, []):
            if isinstance(value, DfcQuantity) and read_number(repeated.get("@value")) != value.value:
                draft.unread.setdefault(property, []).append(repeated)
                text = "{term} differs from hasQuantity, which counts."
                self.findings.wrong("two_values", text, draft.node.iri, property, term=property)

    def _fill_from_old_place(self, draft: _Draft, name: str, property: str) -> None:
        definition = PROPERTIES[draft.kind][name]
        if not definition.term.startswith("has") or property not in draft.unread:
            return
        values = draft.unread.pop(property)
        self._fill(draft, name, values)
        if name in draft.values:
            draft.unread.pop("dfc-b:hasUnit", None)

    def _take_inverse_links(self, draft: _Draft) -> None:
        """Moves inverse links to the field of the thing they link to. Links out of the document stay as they are."""
        for property, values in list(draft.unread.items()):
            fields = inverse_of(property)
            if not fields:
                continue
            draft.unread[property] = [
                value for value in values if not self._take_inverse_link(draft, property, fields, value)
            ]

    def _take_inverse_link(self, draft: _Draft, property: str, fields: Any, value: Value) -> bool:
        other = self._drafts.get(str(value.get("@id", value.get("@value"))))
        name = fields.get(other.kind) if other else None
        if other is None or name is None:
            return False
        iri = draft.node.iri
        if PROPERTIES[other.kind][name].datatype == "links":
            other.links.setdefault(name, {})[iri] = None
            return True
        if other.values.setdefault(name, iri) == iri or self._is_item_of(iri, other.values[name]):
            return True
        text = "{term} says otherwise than the {field} of what it names; what that one says counts."
        self.findings.wrong("two_values", text, iri, property, term=property, field=name)
        return False

    def _is_item_of(self, iri: str, other_iri: str) -> bool:
        """Whether one of the two is an item of the other: some platforms offer the product and its item alike."""
        pair = {iri: self._drafts[iri].node, other_iri: self.nodes.by_iri.get(other_iri)}
        links = (
            str(value.get("@id", value.get("@value")))
            for node in pair.values()
            if node is not None
            for property in ("dfc-b:references", "dfc-b:referencedBy")
            for value in node.values(property)
        )
        return any(link in pair for link in links)

    def _note_unread(self, draft: _Draft) -> None:
        for property, values in draft.unread.items():
            if draft.kind is DfcProduct and is_read(property):
                continue
            if values and field_of(draft.kind, property) is None and not inverse_of(property):
                text = "{term} of {kind} is kept and passed on, but nothing is done with it."
                self.findings.note("kept", text, draft.node.iri, property, term=property, kind=draft.kind.NAMES[0])

    def _iris_in_unread_values(self) -> set[str]:
        """IRIs in values that are kept unread; their nodes must be kept too."""
        unread = (values for draft in self._drafts.values() for values in draft.unread.values())
        others = (
            node.values(property)
            for node in self.nodes.by_iri.values()
            if node.iri not in self._drafts and node.iri not in self._absorbed
            for property in node.properties
        )
        return {str(value["@id"]) for values in (*unread, *others) for value in values if "@id" in value}
