"""A concept of the DFC taxonomies: its term, its labels, and its broader concepts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..search import search_key


@dataclass(frozen=True, kw_only=True)
class Concept:
    """term:    the local name of its IRI, exactly as in the taxonomies
    broader: terms of its broader concepts; empty at the top
    """

    term: str
    en: str
    fr: str
    broader: tuple[str, ...] = ()

    def label(self, language: str) -> str:
        """The French label for ``fr``, the English one for every other language."""
        return self.fr if language == "fr" else self.en


def concepts_by_name(concepts: Iterable[Concept]) -> dict[str, Concept]:
    """The concepts by the `search_key` of their term and of their French and English labels."""
    return {search_key(name): concept for concept in concepts for name in (concept.en, concept.fr, concept.term)}
