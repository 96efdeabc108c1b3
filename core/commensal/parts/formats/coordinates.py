"""A place on the earth as people copy it from a map: ``47.3941, 0.6848``."""

from __future__ import annotations

import re
from decimal import Decimal

from ...base.errors import Problem

_PLACES = 7  # decimals of a degree: about a centimetre
_PAIR = re.compile(r"\s*(-?\d{1,3}(?:\.\d{1,20})?)\s*[,; ]\s*(-?\d{1,3}(?:\.\d{1,20})?)\s*", re.ASCII)


def read_coordinates(text: str, where: str = "/coordinates") -> tuple[Decimal | None, Decimal | None] | Problem:
    """Latitude and longitude in degrees (WGS 84), rounded to 7 decimals; both None for an empty text; or a `Problem`.

    Whether they lie on the earth is checked where they are stored.
    """
    if not text.strip():
        return None, None
    match = _PAIR.fullmatch(text)
    if match is None:
        return Problem("coordinates", "Copy them from a map, like 47.3941, 0.6848.", where)
    return round(Decimal(match[1]), _PLACES), round(Decimal(match[2]), _PLACES)


def coordinates_in_field(latitude: Decimal | None, longitude: Decimal | None) -> str:
    """The reverse of `read_coordinates`."""
    return "" if latitude is None or longitude is None else f"{latitude:f}, {longitude:f}"
