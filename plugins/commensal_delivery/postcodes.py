"""Patterns of postcodes: one ("37000"), all that begin so ("37*"), or a range of as many digits ("37100-37199")."""

from __future__ import annotations

import re

_PATTERN = re.compile(r"[0-9A-Z]{1,10}\*?", re.ASCII)
_RANGE = re.compile(r"(\d{2,10})-(\d{2,10})", re.ASCII)


def plain(postcode: str) -> str:
    """A postcode as it is compared: blanks, dashes and small letters make no difference ("sw1a 1aa", "00-950")."""
    return "".join(postcode.split()).replace("-", "").upper()


def is_pattern(text: str) -> bool:
    """Whether somebody has written a pattern that means something."""
    ends = _ends(text)
    return ends[0] <= ends[1] if ends else bool(_PATTERN.fullmatch(plain(text)))


def matches(pattern: str, postcode: str) -> bool:
    """Whether the `plain` postcode is meant by the pattern."""
    ends = _ends(pattern)
    if ends:
        return len(postcode) == len(ends[0]) and postcode.isdigit() and ends[0] <= postcode <= ends[1]
    wanted = plain(pattern)
    return postcode.startswith(wanted[:-1]) if wanted.endswith("*") else postcode == wanted


def _ends(pattern: str) -> tuple[str, str] | None:
    """First and last of a range. Postcodes with a dash of their own have parts of different lengths."""
    found = _RANGE.fullmatch("".join(pattern.split()))
    return (found[1], found[2]) if found and len(found[1]) == len(found[2]) else None
