"""Reads DFC documents of any platform, version and spelling into values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from .contained import note_cycles
from .contexts import Expanded, expand_anything, expand_by_prefixes, plain_context
from .detection import describe_shapes, detect_version, note_contexts, read_events
from .findings import DocumentFinding, DocumentFindings, UnreadableDocument
from .flat import flat_nodes
from .limits import CATALOGUE, DocumentLimits, contexts_in, parse, refuse_beyond
from .nodes import Nodes
from .things import ThingReader
from .vocabulary import DfcEvent, DfcOther, Thing

__all__ = ["DfcDocument", "DocumentFinding", "UnreadableDocument", "read"]

T = TypeVar("T", bound=Thing)


@dataclass(frozen=True, kw_only=True)
class DfcDocument:
    """The values of a document. `version` is "1.16" or "2.0"; `shapes` describe in words how it was written.

    things:     by IRI, in the order of the document; things of a class without a value are `DfcOther`
    containers: members (IRIs) of each LDP container, by the container's IRI
    findings:   what was not understood, or is wrong
    """

    version: str
    shapes: tuple[str, ...]
    things: Mapping[str, Thing]
    containers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    events: tuple[DfcEvent, ...] = ()
    findings: tuple[DocumentFinding, ...] = ()

    def all(self, kind: type[T]) -> tuple[T, ...]:
        """All things of a class, in the order of the document."""
        return tuple(thing for thing in self.things.values() if isinstance(thing, kind))

    def get(self, kind: type[T], iri: str | None) -> T | None:
        """The thing with that IRI if the document has it and it is of that class, else None."""
        thing = self.things.get(iri or "")
        return thing if isinstance(thing, kind) else None

    def one(self, kind: type[T]) -> T:
        """The only thing of a class. Raises `UnreadableDocument` if there is none, or more than one."""
        things = self.all(kind)
        if len(things) != 1:
            raise UnreadableDocument(
                "not_one", f"The document has {len(things)} things of type {kind.NAMES[0]}, not one."
            )
        return things[0]

    @property
    def others(self) -> tuple[DfcOther, ...]:
        """Things that Commensal keeps and passes on unchanged."""
        return self.all(DfcOther)


def read(
    document: Mapping[str, object] | list[object] | bytes, *, host: str = "", limits: DocumentLimits = CATALOGUE
) -> DfcDocument:
    """Reads a document, or a list of documents, into values. Fetches nothing: an unknown context is refused.

    A document that is an empty list, or has an empty graph, has no things. `host` is the sender's, such as
    "hub.example": things with an IRI of another host are reported as wrong. Raises `UnreadableDocument` for anything
    but JSON-LD, and for a document beyond `limits` or nested too deeply.
    """
    raw = parse(document) if isinstance(document, bytes) else document
    refuse_beyond(raw, limits)
    findings = DocumentFindings()
    documents = raw if isinstance(raw, list) else [raw]
    events = read_events(documents)
    note_contexts(documents, findings)
    nodes = _nodes_of(documents, findings, limits)
    reader = ThingReader(nodes, findings)
    things = reader.things()
    if not things and not events and not reader.containers and not _is_empty_list(documents):
        raise UnreadableDocument("nothing", "There is nothing of DFC in this document.")
    note_cycles(things, findings)
    _note_foreign(things, host, findings)
    return DfcDocument(
        version="2.0" if nodes.version_2 or detect_version(nodes, documents) == "2.0" else "1.16",
        shapes=describe_shapes(documents, nodes),
        things=things,
        containers=reader.containers,
        events=events,
        findings=findings.collected,
    )


def _nodes_of(documents: Sequence[Any], findings: DocumentFindings, limits: DocumentLimits) -> Nodes:
    if len(documents) == 1 and (context := plain_context(documents[0])) and "eventType" not in documents[0]:
        flat = flat_nodes(documents[0], context)
        if flat is not None:
            return flat
    nodes, contexts = Nodes(), 0
    for number, document in enumerate(documents, start=1):
        if isinstance(document, Mapping) and "eventType" in document:
            continue
        plain = expand_by_prefixes(document)
        contexts += contexts_in(document) if plain is None else 0
        if contexts > limits.contexts:
            raise UnreadableDocument(
                "too_many_contexts", f"At most {limits.contexts} contexts that are not DFC's own are processed."
            )
        expanded = Expanded(plain, ()) if plain is not None else expand_anything(document)
        nodes.add_document(expanded.nodes, mark="" if len(documents) == 1 else f"d{number}")
        for name in expanded.dropped:
            text = "{term} has no meaning: no context declares it."
            findings.note("no_meaning", text, property=name[:100], term=name[:100])
    for iri in sorted(nodes.malformed):
        findings.wrong("bad_iri", "{thing} has characters that no address has.", iri, thing=iri[:200])
    return nodes


def _is_empty_list(documents: Sequence[object]) -> bool:
    """Whether the documents say that there is nothing, in a form that no error message has by accident."""
    return all(
        isinstance(document, Mapping) and document.get("@graph") == [] and document.keys() <= {"@context", "@graph"}
        for document in documents
    )


def _note_foreign(things: Mapping[str, Thing], host: str, findings: DocumentFindings) -> None:
    if not host:
        return
    for iri in things:
        if "://" in iri and urlsplit(iri).netloc.lower() != host.lower():
            findings.wrong("foreign_host", "Only its own host may say what {thing} is.", iri, thing=iri[:200])
