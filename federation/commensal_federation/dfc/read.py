"""Reads documents of any platform that speaks DFC, in whichever of its dialects, into values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from .contexts import Expanded, expand_anything, expand_by_prefixes, plain_context
from .cycles import note_cycles
from .dialect import events_of, said_version, shapes_of
from .findings import Finding, Findings, Unreadable
from .flat import flat_nodes
from .limits import CATALOGUE, Limits, contexts_in, parse, refuse_beyond
from .nodes import Nodes
from .things import Reader
from .vocabulary import DfcEvent, DfcOther, Thing

__all__ = ["DfcDocument", "Finding", "Unreadable", "read"]

T = TypeVar("T", bound=Thing)


@dataclass(frozen=True, kw_only=True)
class DfcDocument:
    """What a document says. `version` is "1.16" or "2.0"; `shapes` say how it was written, in words.

    things:     by IRI, in the order of the document; what has no value of its own is among them as `DfcOther`
    containers: IRIs that the document lists, by the name of the list
    findings:   what was not understood, or cannot be right
    """

    version: str
    shapes: tuple[str, ...]
    things: Mapping[str, Thing]
    containers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    events: tuple[DfcEvent, ...] = ()
    findings: tuple[Finding, ...] = ()

    def all(self, kind: type[T]) -> tuple[T, ...]:
        """All things of a kind, in the order of the document."""
        return tuple(one for one in self.things.values() if isinstance(one, kind))

    def get(self, kind: type[T], iri: str | None) -> T | None:
        """The thing of that name, where the document has it and it is of that kind."""
        found = self.things.get(iri or "")
        return found if isinstance(found, kind) else None

    def one(self, kind: type[T]) -> T:
        """The only thing of a kind. Raises `Unreadable` where there is none, or more than one."""
        found = self.all(kind)
        if len(found) != 1:
            raise Unreadable("not_one", f"The document has {len(found)} things of type {kind.NAMES[0]}, not one.")
        return found[0]

    @property
    def others(self) -> tuple[DfcOther, ...]:
        """What is kept and passed on as it is."""
        return self.all(DfcOther)


def read(document: Mapping[str, Any] | list[Any] | bytes, *, host: str = "", limits: Limits = CATALOGUE) -> DfcDocument:
    """The values of a document, or of a list of documents. Nothing is fetched: an unknown context is refused.

    `host` is who sent it, such as "hub.example": things that somebody else's host names are reported as wrong. Raises
    `Unreadable` for what is no JSON-LD, beyond the `limits`, or too deep.
    """
    raw = parse(document) if isinstance(document, bytes) else document
    refuse_beyond(raw, limits)
    findings = Findings()
    documents = raw if isinstance(raw, list) else [raw]
    events = events_of(documents)
    nodes = _nodes_of(documents, findings, limits)
    reader = Reader(nodes, findings)
    things = reader.things()
    if not things and not events and not reader.containers:
        raise Unreadable("nothing", "There is nothing of DFC in this document.")
    note_cycles(things, findings)
    _note_foreign(things, host, findings)
    return DfcDocument(
        version="2.0" if nodes.version_2 or said_version(nodes, documents) == "2.0" else "1.16",
        shapes=shapes_of(documents, nodes),
        things=things,
        containers=reader.containers,
        events=events,
        findings=findings.listed,
    )


def _nodes_of(documents: Sequence[Any], findings: Findings, limits: Limits) -> Nodes:
    if len(documents) == 1 and (context := plain_context(documents[0])) and "eventType" not in documents[0]:
        flat = flat_nodes(documents[0], context)
        if flat is not None:
            return flat
    nodes, contexts = Nodes(), 0
    for place, one in enumerate(documents, start=1):
        if isinstance(one, Mapping) and "eventType" in one:
            continue
        plain = expand_by_prefixes(one)
        contexts += contexts_in(one) if plain is None else 0
        if contexts > limits.contexts:
            raise Unreadable(
                "too_many_contexts", f"At most {limits.contexts} contexts that are not DFC's own are processed."
            )
        expanded = Expanded(plain, ()) if plain is not None else expand_anything(one)
        nodes.add_document(expanded.nodes, mark="" if len(documents) == 1 else f"d{place}")
        for name in expanded.dropped:
            text = "{term} has no meaning: no context declares it."
            findings.note("no_meaning", text, place=name[:100], term=name[:100])
    return nodes


def _note_foreign(things: Mapping[str, Thing], host: str, findings: Findings) -> None:
    if not host:
        return
    for iri in things:
        if "://" in iri and urlsplit(iri).netloc.lower() != host.lower():
            findings.wrong("foreign_host", "Only its own host may say what {thing} is.", iri, thing=iri[:200])
