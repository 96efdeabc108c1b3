"""Writes values as a document of DFC 1.16, as the official connectors and Open Food Network read it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .contexts import CONTEXT_116, links_of
from .graph import Graph
from .vocabulary import Thing


def write(things: Iterable[Thing]) -> dict[str, Any]:
    """A complete document: a flat ``@graph``, links in both directions, numbers as strings.

    What DFC has no word for is said by whole IRIs of a vocabulary of our own, which others pass over.
    """
    graph = Graph("1.16", links_of("1.16"))
    return {"@context": CONTEXT_116, "@graph": graph.add_all(things)}
