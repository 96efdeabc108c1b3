"""The stops of a trip: when the van is where, and the cheapest place for one more pick-up and delivery.

The order of the stops that are promised is kept, so a moment that was confirmed moves only within its window.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from .geography import ESTIMATED, Point, Roads
from .loads import Load

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
