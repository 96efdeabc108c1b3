"""A concept of the DFC taxonomies: its term, its labels, and its broader concepts."""

from __future__ import annotations

from dataclasses import dataclass


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
