"""Distances by road that a plugin has measured (hook `distances`): asked for by a job, and kept.

Pages and bookings read them and never wait for a service. A trip whose own places are all measured when it is offered
is counted by road until its statement; any other by the great circle. So one round is counted in one way, and a map
that changes later changes no statement.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations_with_replacement, islice

from sqlalchemy import insert, or_, select

from commensal import Hooks, Instance, Job, RoadPoint, RoadTable, Transaction, enterprises_by_id, enterprises_using
from commensal.parts.supply import ask_distances

from ..service_settings import ServiceSettings
from ..tables import transport_place, transport_road
from .routing import ESTIMATED, Point, Roads, crow_flight

ID = "transport"
NEAR = 150_000  # metres of the great circle: nobody drives farther with crates
MOST_PLACES = 500
HALF = 25  # places of a block; two blocks are asked for at once
MOST_ASKED = 40  # times in one run of the job
_road = transport_road.c


def measures(hooks: Hooks) -> bool:
    """Whether distances are measured here: by a service that the operator names, or by another plugin."""
    settings = hooks.instance_settings(ID)
    if isinstance(settings, ServiceSettings) and settings.roads:
        return True
    return any("distances" in hooks.implemented_by(plugin) for plugin in hooks.plugins() if plugin != ID)


def roads_around(tx: Transaction, hooks: Hooks, places: Collection[Point]) -> Roads:
    """What is measured from these places and to them."""
    if not places or not measures(hooks):
        return ESTIMATED
    return Roads("", measured_around(tx, places))


def roads_between(tx: Transaction, hooks: Hooks, places: Collection[Point]) -> Roads:
    """By road, if every way between these places is measured, else estimated."""
    if not measures(hooks):
        return ESTIMATED
    keys = sorted({place.key for place in places})
    both = (_road.origin.in_(keys), _road.destination.in_(keys), _road.metres.is_not(None))
    rows = tx.all(select(transport_road).where(*both))
    if len(rows) < len(keys) * (len(keys) - 1) or not rows:
        return ESTIMATED
    return Roads(min(row["source"] for row in rows), measured_around(tx, places))


def measured_around(tx: Transaction, places: Collection[Point]) -> Mapping[tuple[str, str], tuple[int, int]]:
    """Metres and seconds of all measured ways from these places and to them."""
    keys = {place.key for place in places}
    near = or_(_road.origin.in_(keys), _road.destination.in_(keys))
    rows = tx.all(select(transport_road).where(near, _road.metres.is_not(None), _road.seconds.is_not(None)))
    return {(row["origin"], row["destination"]): (row["metres"], row["seconds"]) for row in rows}


# ------------------------------------------------------------------------------------------------ measuring


def measure(instance: Instance, job: Job) -> None:
    """Has the ways measured that are missing between places of those who use the plugin and of hubs elsewhere."""
    if not measures(instance.hooks):
        return
    with instance.store.read() as tx:
        places = _places(tx)
        rows = tx.all(select(_road.origin, _road.destination))
        known = {(row["origin"], row["destination"]) for row in rows}
    for block in islice(_missing(places, known), MOST_ASKED):
        table = ask_distances(instance, [RoadPoint(place.latitude, place.longitude) for place in block])
        if table is None:
            return
        with instance.store.write() as tx:
            _keep(tx, block, table)


def _places(tx: Transaction) -> list[Point]:
    hubs = [row["enterprise_id"] for row in tx.all(select(transport_place.c.enterprise_id))]
    enterprises = enterprises_by_id(tx, {*enterprises_using(tx, ID), *hubs}).values()
    points = {
        point.key: point
        for each in enterprises
        if each.latitude is not None and each.longitude is not None
        for point in [Point(each.latitude, each.longitude)]
    }
    return [points[key] for key in sorted(points)][:MOST_PLACES]


def _missing(places: Sequence[Point], known: Collection[tuple[str, str]]) -> Iterator[list[Point]]:
    """Blocks of places between which a way is missing."""
    halves = [places[first : first + HALF] for first in range(0, len(places), HALF)]
    for half, other in combinations_with_replacement(halves, 2):
        if any(
            a != b and (a.key, b.key) not in known and crow_flight(a, b) <= NEAR
            for first, second in ((half, other), (other, half))
            for a in first
            for b in second
        ):
            yield list(dict.fromkeys([*half, *other]))


def _keep(tx: Transaction, places: Sequence[Point], table: RoadTable) -> None:
    rows = [
        {
            "origin": a.key,
            "destination": b.key,
            "metres": metres,
            "seconds": seconds if metres is not None else None,
            "source": table.source,
            "measured_at": tx.now,
        }
        for a, row, times in zip(places, table.metres, table.seconds, strict=True)
        for b, metres, seconds in zip(places, row, times, strict=True)
        if a != b
    ]
    keys = {place.key for place in places}
    both = (_road.origin.in_(keys), _road.destination.in_(keys))
    known = {
        (row["origin"], row["destination"]) for row in tx.all(select(_road.origin, _road.destination).where(*both))
    }
    new = [row for row in rows if (row["origin"], row["destination"]) not in known]
    if new:
        tx.execute(insert(transport_road), new)
