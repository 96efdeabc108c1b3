"""Detects a document's version of DFC, describes in words how it is written, and reads notices in plain JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from commensal import Dialect, Instance, dialects_of, hookimpl

from .contexts import CONTEXTS, DFC_20, context_at
from .findings import DocumentFindings
from .graph import write_20, write_116
from .nodes import Nodes
from .vocabulary import DfcEvent, Thing

_CONTAINERS = {"ldp:Container", "ldp:BasicContainer"}
_SHOWN = 5  # contexts
_MOST_NAMED = 1_000  # things, in one notice


def detect_version(nodes: Nodes, documents: Iterable[object]) -> str:
    """ "2.0" if the context, an organization or a container shows it, else "1.16"."""
    if any(context_at(url) is DFC_20 for url in _contexts(documents)):
        return "2.0"
    types = {name for node in nodes.by_iri.values() for name in node.types}
    return "2.0" if types & {"dfc-b:Organization", *_CONTAINERS} else "1.16"


def note_contexts(documents: Iterable[object], findings: DocumentFindings) -> None:
    """Notes contexts of a version that is not known here, and documents that name none."""
    for document in documents:
        if isinstance(document, Mapping) and "@context" not in document and "eventType" not in document:
            findings.note("no_context", "The document names no context; it is read as DFC 1.16, as the connectors do.")
        for url in _contexts([document]):
            if url not in CONTEXTS and context_at(url) is not None:
                text = "The context {url} is of a version that is not known here; it is read as {version}."
                version = "2.0" if context_at(url) is DFC_20 else "1.16"
                findings.note("other_version", text, url=url[:200], version=version)


def describe_shapes(documents: list[object], nodes: Nodes) -> tuple[str, ...]:
    """Describes, in English, what distinguishes this document from others of the same version."""
    shapes = [f"context {url}" for url in dict.fromkeys(_contexts(documents))][:_SHOWN]
    if len(documents) > 1:
        shapes.append(f"{len(documents)} documents in a list")
    if not shapes:
        shapes.append("no context, read as 1.16")
    if any(isinstance(document, Mapping) and "@graph" in document for document in documents):
        shapes.append("@graph")
    if nodes.nested:
        shapes.append("nested nodes")
    types = {name for node in nodes.by_iri.values() for name in node.types}
    if types & _CONTAINERS:
        shapes.append("LDP containers")
    properties = {name for node in nodes.by_iri.values() for name in node.properties}
    if properties & {"dfc-b:hasStreet", "dfc-b:hasDescription", "dfc-b:offeredItem", "dfc-b:beginDate", "dfc-b:image"}:
        shapes.append("spelling of the connectors")
    vendors = {name.partition(":")[0] for name in types | properties if ":" in name}
    shapes += [f"terms of {vendor}" for vendor in sorted(vendors - {"dfc-b", "dfc-t", "ldp", "http", "https"})]
    return tuple(shapes)


def read_events(documents: list[object]) -> tuple[DfcEvent, ...]:
    """Reads notices in plain JSON: ``{"eventType": "refresh", "enterpriseUrlid": …, "scope": …}``."""
    return tuple(
        _event(document) for document in documents if isinstance(document, Mapping) and "eventType" in document
    )


def _event(notice: Mapping[str, object]) -> DfcEvent:
    objects = notice.get("objects", ())
    candidates = [*(objects if isinstance(objects, list) else ()), notice.get("object"), notice]
    iris = [
        str(candidate["@id"])[:1_000]
        for candidate in candidates[:_MOST_NAMED]
        if isinstance(candidate, Mapping) and "@id" in candidate
    ]
    return DfcEvent(
        kind=str(notice.get("eventType"))[:100],
        enterprise=str(notice.get("enterpriseUrlid", ""))[:1_000],
        scope=str(notice.get("scope", ""))[:200],
        objects=tuple(iris),
    )


def _contexts(documents: Iterable[object]) -> Iterable[str]:
    for document in documents:
        context = document.get("@context") if isinstance(document, Mapping) else None
        for entry in context if isinstance(context, list) else [context]:
            if isinstance(entry, str):
                yield entry
            elif isinstance(entry, Mapping):
                yield "inline"


# The dialects of DFC that this instance writes: 1.16, 2.0, and those that plugins add by the hook `dialects`.

V1 = "application/ld+json"
V2 = 'application/ld+json; profile="dfc-v2"'  # as Open Food Network sends it


@hookimpl
def dialects() -> Sequence[Dialect]:
    return [
        Dialect(id="1.16", media_type=V1, asks=f"{V1}, application/json;q=0.9", write=_as_116),
        Dialect(id="2.0", media_type=V2, write=_as_20),
    ]


def all_dialects(instance: Instance) -> Sequence[Dialect]:
    """All dialects, in the operator's order of plugins."""
    return instance.state.of(dialects_of)


def negotiate(instance: Instance, accept: str) -> Dialect:
    """The dialect that an `Accept` header names, preferably one with a profile; without a match, 1.16."""
    accepted = _normalised(accept)
    matches = [dialect for dialect in all_dialects(instance) if _marker(dialect.media_type) in accepted]
    return max(matches, key=lambda dialect: "profile=" in dialect.media_type, default=dialect_by_id(instance, "1.16"))


def dialect_by_id(instance: Instance, id: str) -> Dialect:
    return next(dialect for dialect in all_dialects(instance) if dialect.id == id)


def accept_header(instance: Instance, id: str) -> str:
    """The `Accept` header that requests a dialect, and with lower preference those that plugins can read."""
    preferred = dialect_by_id(instance, id)
    others = [f"{dialect.media_type};q=0.5" for dialect in all_dialects(instance) if dialect.read is not None]
    return ", ".join((preferred.asks or preferred.media_type, *others))


def dialect_of_answer(instance: Instance, content_type: str) -> Dialect | None:
    """The dialect of a plugin that reads this content type; None for JSON-LD."""
    media_type = content_type.partition(";")[0].strip().lower()
    for dialect in all_dialects(instance):
        if dialect.read is not None and dialect.media_type.partition(";")[0] == media_type:
            return dialect
    return None


def _marker(media_type: str) -> str:
    """The part of a media type that distinguishes it: its profile, if it has one."""
    return _normalised(media_type.rpartition("profile=")[2])


def _normalised(text: str) -> str:
    return text.replace('"', "").replace(" ", "").lower()


def _as_116(things: Sequence[Thing], lists: Mapping[str, Sequence[str]]) -> bytes:
    return msgspec.json.encode(write_116(things))


def _as_20(things: Sequence[Thing], lists: Mapping[str, Sequence[str]]) -> bytes:
    return msgspec.json.encode(write_20(things, lists))
