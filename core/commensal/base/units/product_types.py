"""The DFC product types: a tree of 253 kinds of product, with French and English labels.

In DFC, herbs are below a term `aromatic` that it does not define; here they are below its `herb`.
"""

from __future__ import annotations

from pathlib import Path

from ..search import search_key
from .concept import Concept

_FILE = Path(__file__).with_name("product_types.tsv")  # term, broader terms, English, French


def _read() -> dict[str, Concept]:
    rows = (line.split("\t") for line in _FILE.read_text(encoding="utf-8").splitlines())
    return {term: Concept(term=term, broader=tuple(broader.split()), en=en, fr=fr) for term, broader, en, fr in rows}


PRODUCT_TYPES: dict[str, Concept] = _read()


def find_product_type(typed: str, language: str = "fr") -> Concept | None:
    """The product type with this label or term, ignoring case, accents and plural endings; None if there is none.

    Labels of `language` win: *prune* is a plum in French.
    """
    first, second = (_FRENCH, _ENGLISH) if language == "fr" else (_ENGLISH, _FRENCH)
    key = search_key(typed)
    for candidate in (key, _singular(key)):
        for labels in (first, second, _TERMS):
            if candidate in labels:
                return labels[candidate]
    return None


def lineage(term: str) -> tuple[Concept, ...]:
    """The product type with its ancestors, from the top of the tree: fruit, berry, raspberry."""
    concept = PRODUCT_TYPES[term]
    return (*lineage(concept.broader[0]), concept) if concept.broader else (concept,)


def _singular(key: str) -> str:
    return " ".join(word[:-1] if len(word) > 3 and word[-1] in "sx" else word for word in key.split())


def _by_label(language: str) -> dict[str, Concept]:
    exact = {search_key(concept.label(language)): concept for concept in PRODUCT_TYPES.values()}
    return {_singular(key): concept for key, concept in exact.items()} | exact


_TERMS = {search_key(term): concept for term, concept in PRODUCT_TYPES.items()}
_FRENCH, _ENGLISH = _by_label("fr"), _by_label("en")
