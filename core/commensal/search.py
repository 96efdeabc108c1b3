"""Text as people search for it: without case, accents and ligatures. SQLite's own LIKE knows only ASCII."""

from __future__ import annotations

import unicodedata
from typing import Any

from sqlalchemy import ColumnElement, and_

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "’": "'"})
_LONGEST = 200  # characters of what somebody typed into a search field
_MOST = 8  # words of it


def search_key(text: str) -> str:
    """``Œufs  d’été`` becomes ``oeufs d'ete``: compare and sort by it, never show it."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LIGATURES))
    return " ".join("".join(one for one in plain if not unicodedata.combining(one)).split())


def matches(column: ColumnElement[Any], typed: str) -> ColumnElement[bool]:
    """True where `column`, which holds search keys, contains every word of what was typed."""
    words = search_key(typed[:_LONGEST]).split()[:_MOST]
    return and_(True, *(column.contains(word, autoescape=True) for word in words))
