"""Patterns of postcodes: one ("37000"), a prefix ("37*"), or a range of equal length ("37100-37199")."""

from __future__ import annotations

import re

_PATTERN = re.compile(r"[0-9A-Z]{1,10}\*?", re.ASCII)
_RANGE = re.compile(r"(\d{2,10})-(\d{2,10})", re.ASCII)


def normalized(postcode: str) -> str:
    """A postcode for comparison: upper case, without blanks and dashes ("sw1a 1aa", "00-950")."""
    return "".join(postcode.split()).replace("-", "").upper()


def is_pattern(text: str) -> bool:
    """Whether `text` is a valid pattern."""
    ends = _range_ends(text)
    return ends[0] <= ends[1] if ends else bool(_PATTERN.fullmatch(normalized(text)))


def matches(pattern: str, postcode: str) -> bool:
    """Whether the pattern matches a postcode in `normalized` form."""
    ends = _range_ends(pattern)
    if ends:
        return len(postcode) == len(ends[0]) and postcode.isdigit() and ends[0] <= postcode <= ends[1]
    prefix = normalized(pattern)
    return postcode.startswith(prefix[:-1]) if prefix.endswith("*") else postcode == prefix


def _range_ends(pattern: str) -> tuple[str, str] | None:
    """First and last postcode of a range; None for other patterns. In "00-950" the parts differ in length: no range."""
    match = _RANGE.fullmatch("".join(pattern.split()))
    return (match[1], match[2]) if match and len(match[1]) == len(match[2]) else None
