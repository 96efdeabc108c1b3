"""Writes values as a document of DFC 2.0: organizations, currencies of ISO 4217, lists as LDP containers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .contexts import CONTEXT_20, links_of
from .graph import Graph
from .names import LDP
from .vocabulary import Thing

# DFC's context does not declare `ldp`. Declared here, the same words are also links for whoever processes JSON-LD.
_LDP = {"ldp": LDP, "ldp:contains": {"@type": "@id"}}


def write(things: Iterable[Thing], containers: Mapping[str, Iterable[str]]) -> dict[str, Any]:
    """A complete document. `containers` are the lists that it gives: their IRIs, with those of what they hold."""
    lists = [
        {"@id": iri, "@type": "ldp:Container", "ldp:contains": list(members)} for iri, members in containers.items()
    ]
    graph = Graph("2.0", links_of("2.0"))
    return {"@context": [CONTEXT_20, _LDP], "@graph": [*lists, *graph.add_all(things)]}
