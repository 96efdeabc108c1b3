"""Distances without a map: the great circle times a detour factor, and the time that a van needs for it.

Driving is 1.3 times the crow's flight on average; the centres of 300 European cities show 1.34. That is good for
sharing costs, since it is the same formula for everybody, and rough for arrival times in mountains.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt

EARTH = 6_371_000  # metres, mean radius
DETOUR = 1.3
SPEED = 45  # km/h, with villages and traffic lights
MEASURED = "great-circle-1.3"  # stands in each statement: how its metres were measured
GRID = Decimal("0.01")  # degrees to which places are rounded for others


@dataclass(frozen=True)
class Point:
    """A place on earth, in degrees (WGS 84)."""

    latitude: Decimal
    longitude: Decimal

    def rounded(self) -> Point:
        """The point on a grid of 0.01 degrees (about a kilometre): what others see before they have booked."""
        return Point(self.latitude.quantize(GRID), self.longitude.quantize(GRID))


def crow_flight(a: Point, b: Point) -> int:
    """Metres along the great circle (haversine)."""
    phi, psi = radians(a.latitude), radians(b.latitude)
    half = sin((psi - phi) / 2) ** 2
    half += cos(phi) * cos(psi) * sin(radians(b.longitude - a.longitude) / 2) ** 2
    return round(2 * EARTH * asin(min(1.0, sqrt(half))))


@lru_cache(maxsize=20_000)
def driven(a: Point, b: Point) -> int:
    """Metres by road, estimated."""
    return round(crow_flight(a, b) * DETOUR)


def seconds(metres: int) -> int:
    """The time to drive so far, without stops."""
    return round(metres * 3.6 / SPEED)


def length(points: list[Point]) -> int:
    """Metres by road along these points."""
    return sum(driven(a, b) for a, b in pairwise(points))
