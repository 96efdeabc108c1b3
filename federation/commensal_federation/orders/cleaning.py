"""A person's name as it may come from anywhere: one short line, without anything that a screen or printer obeys."""

from __future__ import annotations

import unicodedata

LONGEST = 80  # characters


def person_name(text: str) -> str:
    """Without control, format and private characters (Unicode category C, so nothing turns the writing around), blanks
    of all kinds made one, at most `LONGEST` characters; empty where nothing is left."""
    line = " ".join(text[: LONGEST * 10].split())
    return "".join(one for one in line if not unicodedata.category(one).startswith("C"))[:LONGEST].strip()
