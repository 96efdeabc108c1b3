"""Reads DFC documents of any platform, version and spelling into values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from .contained import note_cycles
from .contexts import Expanded, expand_anything, expand_by_prefixes, plain_context
from .detection import describe_shapes, detect_version, note_contexts, read_events
from .findings import DocumentFinding, DocumentFindings, UnreadableDocument
from .nodes import Nodes, flat_nodes
from .things import ThingReader
from .vocabulary import DfcEvent, DfcOther, Thing

# The limits of a document's size. A larger document is refused before it is processed.

LARGEST = 32_000_000  # bytes
DEEPEST = 40  # levels of nesting; the deepest document seen of any platform has 8


@dataclass(frozen=True, kw_only=True)
class DocumentLimits:
    """The most that a document may hold. `contexts` counts those that need JSON-LD's general algorithm, which takes up
    to a millisecond for each; DFC's contexts, resolved by their prefixes, do not count."""

    objects: int
    values: int
    contexts: int


# Fetched from a platform that the operator linked: some 20,000 products with items, offers, prices and quantities.
CATALOGUE = DocumentLimits(objects=200_000, values=2_000_000, contexts=5_000)
# Sent in by a platform: an order of 500 lines with the details of its products. Reading takes at most 0.3 s.
SENT_IN = DocumentLimits(objects=5_000, values=20_000, contexts=50)

_SCALARS = frozenset((str, int, float, bool, type(None)))  # most values of a document; tested first
_decode = msgspec.json.Decoder(float_hook=str).decode


def parse(content: bytes) -> object:
    """Parses JSON; numbers with a point or an exponent become strings, with all digits. Raises `UnreadableDocument`."""
    if len(content) > LARGEST:
        raise UnreadableDocument("too_large", f"A document has at most {LARGEST // 1_000_000} MB.")
    try:
        return _decode(content.removeprefix(b"\xef\xbb\xbf"))
    except RecursionError:
        raise _too_deep() from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableDocument("no_json", f"This is not JSON: {error}") from None


def refuse_beyond(document: object, limits: DocumentLimits = CATALOGUE) -> None:
    """Raises `UnreadableDocument` for a document beyond the limits; it stops there and looks no further."""
    if not isinstance(document, (Mapping, list)):
        raise UnreadableDocument("no_jsonld", "A document is an object, or a list of objects.")
    objects = values = 0
    stack = [(document, 1)]
    while stack:
        container, depth = stack.pop()
        if depth > DEEPEST:
            raise _too_deep()
        if type(container) is dict or isinstance(container, Mapping):
            objects += 1
            members: Any = container.values()
        else:
            members = container
        values += len(members)
        if objects > limits.objects or values > limits.values:
            raise UnreadableDocument(
                "too_many", f"A document has at most {limits.objects} objects and {limits.values} values."
            )
        stack += [(member, depth + 1) for member in members if type(member) not in _SCALARS and _holds(member)]


def contexts_in(document: Any) -> int:
    """Counts the contexts that the general algorithm processes to expand a document; at least one."""
    count, stack = 1, [document]
    while stack:
        container = stack.pop()
        if isinstance(container, Mapping):
            context = container.get("@context")
            count += len(context) if isinstance(context, list) else "@context" in container
            container = container.values()
        stack += [member for member in container if _holds(member)]
    return count


def _holds(value: object) -> bool:
    return isinstance(value, (dict, list, Mapping))


def _too_deep() -> UnreadableDocument:
    return UnreadableDocument("too_deep", f"A document is nested at most {DEEPEST} levels deep.")


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
