"""Detects a document's version of DFC, describes in words how it is written, and reads notices in plain JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .contexts import CONTEXTS, DFC_20, context_at
from .findings import DocumentFindings
from .nodes import Nodes
from .vocabulary import DfcEvent

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
