"""Writes values as documents of DFC 1.16 and 2.0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .contexts import CONTEXT_20, CONTEXT_116, links_of
from .graph import Graph
from .names import LDP
from .vocabulary import Thing

# DFC's context does not declare `ldp`. Declared here, the same words are also links for JSON-LD processors.
_LDP = {"ldp": LDP, "ldp:contains": {"@type": "@id"}}


def write_116(things: Iterable[Thing], *, named_values: bool = False) -> dict[str, Any]:
    """Writes a document of DFC 1.16, as the official connectors and Open Food Network read it.

    It has a flat ``@graph``, links in both directions, and numbers as strings. Terms that DFC lacks are whole IRIs of a
    vocabulary of our own, which others ignore. Values are blank nodes; with `named_values` those of a shared
    vocabulary have IRIs.
    """
    graph = Graph("1.16", links_of("1.16"), named_values)
    return {"@context": CONTEXT_116, "@graph": graph.add_all(things)}


def write_20(things: Iterable[Thing], containers: Mapping[str, Iterable[str]]) -> dict[str, object]:
    """Writes a document of DFC 2.0: organizations, currencies of ISO 4217, lists as LDP containers.

    `containers` are the lists to write: the IRIs of their members, by the IRI of the list.
    """
    lists = [
        {"@id": iri, "@type": "ldp:Container", "ldp:contains": list(members)} for iri, members in containers.items()
    ]
    graph = Graph("2.0", links_of("2.0"))
    return {"@context": [CONTEXT_20, _LDP], "@graph": [*lists, *graph.add_all(things)]}
