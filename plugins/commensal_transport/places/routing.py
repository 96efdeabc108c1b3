"""The stops of a trip: when the van is where, and the cheapest place for one more pick-up and delivery.

The order of the stops that are promised is kept, so a moment that was confirmed moves only within its window.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt
from typing import Literal

from .loads import Load

# Distances: as a plugin has measured them by road, else the great circle times a detour factor.
#
# Driving is 1.3 times the crow's flight on average; the centres of 300 European cities show 1.34. That is good for
# sharing costs, since it is the same formula for everybody, and rough for arrival times in mountains.

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


SERVICE = timedelta(minutes=8)  # to load or unload at a stop


@dataclass(frozen=True, kw_only=True)
class Stop:
    """A place where the van stops between `opens` and `closes` (UTC). `free` is the room left behind it.

    The first stop of a trip is where it starts, and the last where it ends.
    """

    id: str
    enterprise_id: str
    place: Point
    opens: datetime
    closes: datetime
    free: Load


@dataclass(frozen=True)
class Insertion:
    """A trip with a pick-up and a delivery more; `pickup` and `delivery` are their places in `stops`."""

    stops: tuple[Stop, ...]
    pickup: int
    delivery: int


def metres(stops: Sequence[Stop], roads: Roads = ESTIMATED) -> int:
    return roads.length([stop.place for stop in stops])


def schedule(stops: Sequence[Stop], roads: Roads = ESTIMATED) -> list[datetime] | None:
    """When the van is at each stop at the earliest; None if it is late at one."""
    moments: list[datetime] = []
    for number, stop in enumerate(stops):
        at = stop.opens
        if moments:
            before = stops[number - 1]
            pause = SERVICE if number > 1 and before.place != stop.place else timedelta()
            at = max(at, moments[-1] + pause + timedelta(seconds=roads.seconds(before.place, stop.place)))
        if at > stop.closes:
            return None
        moments.append(at)
    return moments


def cheapest(
    stops: Sequence[Stop], pickup: Stop, delivery: Stop, load: Load, roads: Roads = ESTIMATED
) -> Insertion | Literal["full", "time"]:
    """The insertion with the fewest metres; what is in the way if there is none.

    Where the van stops at the same place already, nothing is inserted. `load` is taken from the room on the way.
    """
    in_time = [
        insertion
        for insertion in _insertions(tuple(stops), pickup, delivery)
        if schedule(insertion.stops, roads) is not None
    ]
    with_room = [insertion for insertion in in_time if _has_room(insertion, load)]
    if not with_room:
        return "full" if in_time else "time"
    return take(min(with_room, key=lambda insertion: (metres(insertion.stops, roads), len(insertion.stops))), load)


def take(insertion: Insertion, load: Load) -> Insertion:
    """The insertion with the load taken from the room between its pick-up and its delivery."""
    legs = range(insertion.pickup, insertion.delivery)
    stops = tuple(
        replace(stop, free=stop.free - load) if number in legs else stop for number, stop in enumerate(insertion.stops)
    )
    return replace(insertion, stops=stops)


def _has_room(insertion: Insertion, load: Load) -> bool:
    return all(load.fits(stop.free) for stop in insertion.stops[insertion.pickup : insertion.delivery])


def _insertions(stops: tuple[Stop, ...], pickup: Stop, delivery: Stop) -> Iterator[Insertion]:
    for first, with_pickup in _placed(stops, pickup, 0):
        for second, with_both in _placed(with_pickup, delivery, first):
            if second > first:
                yield Insertion(with_both, first, second)


def _placed(stops: tuple[Stop, ...], stop: Stop, behind: int) -> Iterator[tuple[int, tuple[Stop, ...]]]:
    """Every way to have the stop at or after the place `behind`, with its number."""
    for number in range(behind, len(stops)):
        here = stops[number]
        if here.place == stop.place:
            narrowed = replace(here, opens=max(here.opens, stop.opens), closes=min(here.closes, stop.closes))
            yield number, (*stops[:number], narrowed, *stops[number + 1 :])
        if number < len(stops) - 1:
            inserted = replace(stop, free=here.free)
            yield number + 1, (*stops[: number + 1], inserted, *stops[number + 1 :])


def minutes(stops: Sequence[Stop], roads: Roads = ESTIMATED) -> int:
    """From the start to the end; 0 for a trip that cannot be driven in time."""
    moments = schedule(stops, roads)
    return round((moments[-1] - moments[0]).total_seconds() / 60) if moments else 0
