"""Suggestions for an unknown word: the most similar known labels."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import lru_cache

from ...base.search import search_key
from ...base.units.concept import Concept

_WORD = re.compile(r"[^\W_]+")
_SHOWN = 3
_LOOKED_AT = 30  # labels that are compared exactly, after a quick comparison of all
_LONGEST = 60  # characters that are compared


def nearest(typed: str, concepts: Iterable[Concept], language: str) -> str:
    """Up to three labels in French or English, those of `language` first, that share a word or look alike."""
    other = "en" if language == "fr" else "fr"
    known = list(concepts)
    labels = dict.fromkeys([concept.label(language) for concept in known] + [concept.label(other) for concept in known])
    return ", ".join(_nearest(search_key(typed[:_LONGEST]), tuple(labels)))


@lru_cache(maxsize=1024)
def _nearest(key: str, labels: tuple[str, ...]) -> list[str]:
    words = _words(key)
    sharing = [label for label in labels if words & _words(_key(label))]
    matcher = SequenceMatcher(b=key)

    def similarity(label: str, quick: bool = False) -> float:
        matcher.set_seq1(_key(label))
        return matcher.quick_ratio() if quick else matcher.ratio()

    similar = sharing or sorted(labels, key=lambda label: similarity(label, quick=True), reverse=True)[:_LOOKED_AT]
    return sorted(similar, key=similarity, reverse=True)[:_SHOWN]


@lru_cache(maxsize=4096)
def _key(label: str) -> str:
    return search_key(label)


@lru_cache(maxsize=4096)
def _words(key: str) -> frozenset[str]:
    """Words of three letters and more (AB too), without a plural's ending."""
    return frozenset(word.rstrip("sx") for word in _WORD.findall(key) if len(word) > 2 or word == "ab")
