"""Distances: as a plugin has measured them by road, else the great circle times a detour factor.

Driving is 1.3 times the crow's flight on average; the centres of 300 European cities show 1.34. That is good for
sharing costs, since it is the same formula for everybody, and rough for arrival times in mountains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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

    @property
    def key(self) -> str:
        """The point to 0.0001 degrees (about 10 m), by which a measured distance is found again."""
        return f"{self.latitude:.4f} {self.longitude:.4f}"

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


@dataclass(frozen=True)
class Roads:
    """Metres and seconds by road between places, as they were measured; what was not is estimated.

    source:   what measured them; stands in statements
    measured: by the `key` of two places
    """

    source: str = MEASURED
    measured: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    def driven(self, a: Point, b: Point) -> int:
        """Metres from a to b."""
        known = self.measured.get((a.key, b.key)) if self.measured else None
        return driven(a, b) if known is None or a == b else known[0]

    def seconds(self, a: Point, b: Point) -> int:
        """The time to drive from a to b, without stops."""
        known = self.measured.get((a.key, b.key)) if self.measured else None
        return seconds(driven(a, b)) if known is None or a == b else known[1]

    def length(self, points: Sequence[Point]) -> int:
        """Metres along these places."""
        return sum(self.driven(a, b) for a, b in pairwise(points))

    def along(self, other: Roads) -> Roads:
        """With what `other` knows too, unless these are estimated: a trip is counted in one way."""
        return self if self is ESTIMATED else Roads(self.source, {**other.measured, **self.measured})


ESTIMATED = Roads()


def length(points: Sequence[Point]) -> int:
    """Metres by road along these points, estimated."""
    return ESTIMATED.length(points)
