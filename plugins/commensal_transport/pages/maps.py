"""A map of places and of the ways between them, drawn without tiles of anybody: nobody else learns who looks where.

Places are numbered; the list of their names below the drawing says the same in words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, radians

from ..places.routing import Point

WIDTH, TALLEST, EDGE = 360, 300, 24  # units of the drawing
_KM_PER_DEGREE = 111.2
_SCALES = (200, 100, 50, 20, 10, 5, 2, 1)  # km of the bar


@dataclass(frozen=True)
class MapPlace:
    """A numbered place at `x`, `y` of the drawing."""

    number: int
    name: str
    x: float
    y: float


@dataclass(frozen=True)
class MapDrawing:
    """`ways` are lists of corners as SVG has them; a bar of `bar` units is `bar_km` kilometres of the great circle."""

    height: int
    places: Sequence[MapPlace]
    ways: Sequence[str]
    bar: float
    bar_km: int
    width: int = WIDTH


def draw_map(names: Mapping[Point, str], ways: Sequence[Sequence[Point]]) -> MapDrawing | None:
    """Draws the places by their names, in this order, and ways along them; None where there are not two places."""
    if len(names) < 2:
        return None
    north = max(point.latitude for point in names)
    middle = cos(radians(sum(point.latitude for point in names) / len(names)))
    km = {
        point: (float(point.longitude) * middle * _KM_PER_DEGREE, float(north - point.latitude) * _KM_PER_DEGREE)
        for point in names
    }
    west = min(x for x, _ in km.values())
    wide, tall = max(x for x, _ in km.values()) - west, max(y for _, y in km.values())
    scale = min((WIDTH - 2 * EDGE) / max(wide, 0.1), (TALLEST - 2 * EDGE) / max(tall, 0.1))
    left = (WIDTH - wide * scale) / 2
    at = {point: (round(left + (x - west) * scale, 1), round(EDGE + y * scale, 1)) for point, (x, y) in km.items()}
    bar_km = next((km for km in _SCALES if km * scale <= WIDTH / 3), 1)
    return MapDrawing(
        height=round(tall * scale) + 2 * EDGE + 16,
        places=[MapPlace(number, name, *at[point]) for number, (point, name) in enumerate(names.items(), 1)],
        ways=[" ".join(f"{x},{y}" for x, y in map(at.__getitem__, way)) for way in ways],
        bar=round(bar_km * scale, 1),
        bar_km=bar_km,
    )
