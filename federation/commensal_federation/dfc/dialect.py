"""How a document is written, in words; which version it is of; and notices that are no JSON-LD."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .contexts import CONTEXTS, DFC_20
from .nodes import Nodes
from .vocabulary import DfcEvent

_CONTAINERS = {"ldp:Container", "ldp:BasicContainer"}
_SHOWN = 5  # contexts
_MOST_NAMED = 1_000  # things, in one notice


def said_version(nodes: Nodes, documents: Iterable[Any]) -> str:
    """ "2.0" where its context, its organizations or its containers say so, else "1.16"."""
    if any(CONTEXTS.get(url) is DFC_20 for url in _contexts(documents)):
        return "2.0"
    types = {name for node in nodes.by_iri.values() for name in node.types}
    return "2.0" if types & {"dfc-b:Organization", *_CONTAINERS} else "1.16"


def shapes_of(documents: list[Any], nodes: Nodes) -> tuple[str, ...]:
    """What distinguishes this document from others of the same version."""
    shapes = [f"context {one}" for one in dict.fromkeys(_contexts(documents))][:_SHOWN]
    if len(documents) > 1:
        shapes.append(f"{len(documents)} documents in a list")
    if not shapes:
        shapes.append("no context, read as 1.16")
    if any(isinstance(one, Mapping) and "@graph" in one for one in documents):
        shapes.append("@graph")
    if nodes.nested:
        shapes.append("nested nodes")
    types = {name for node in nodes.by_iri.values() for name in node.types}
    if types & _CONTAINERS:
        shapes.append("LDP containers")
    properties = {name for node in nodes.by_iri.values() for name in node.said}
    if properties & {"dfc-b:hasStreet", "dfc-b:hasDescription", "dfc-b:offeredItem", "dfc-b:beginDate", "dfc-b:image"}:
        shapes.append("spelling of the connectors")
    vendors = {name.partition(":")[0] for name in types | properties if ":" in name}
    shapes += [f"terms of {one}" for one in sorted(vendors - {"dfc-b", "dfc-t", "ldp", "http", "https"})]
    return tuple(shapes)


def events_of(documents: list[Any]) -> tuple[DfcEvent, ...]:
    """Notices in plain JSON: ``{"eventType": "refresh", "enterpriseUrlid": …, "scope": …}``."""
    return tuple(_event(one) for one in documents if isinstance(one, Mapping) and "eventType" in one)


def _event(said: Mapping[str, Any]) -> DfcEvent:
    objects = said.get("objects", ())
    listed = [*(objects if isinstance(objects, list) else ()), said.get("object"), said]
    named = [str(one["@id"])[:1_000] for one in listed[:_MOST_NAMED] if isinstance(one, Mapping) and "@id" in one]
    return DfcEvent(
        kind=str(said.get("eventType"))[:100],
        enterprise=str(said.get("enterpriseUrlid", ""))[:1_000],
        scope=str(said.get("scope", ""))[:200],
        objects=tuple(named),
    )


def _contexts(documents: Iterable[Any]) -> Iterable[str]:
    for one in documents:
        context = one.get("@context") if isinstance(one, Mapping) else None
        for each in context if isinstance(context, list) else [context]:
            if isinstance(each, str):
                yield each
            elif isinstance(each, Mapping):
                yield "inline"
