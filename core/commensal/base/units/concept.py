"""A word of the DFC taxonomies: its term, its labels, and what it is a kind of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Concept:
    """term:    the local name of its IRI, exactly as the taxonomies spell it
    broader: terms of what it is a kind of; empty at the top
    """

    term: str
    en: str
    fr: str
    broader: tuple[str, ...] = ()

    def label(self, language: str) -> str:
        """In French for ``fr``, in English for every other language."""
        return self.fr if language == "fr" else self.en
