"""Distances by road that a plugin has measured (hook `distances`): asked for by a job, and kept.

Pages and bookings read them and never wait for a service. A trip whose own places are all measured when it is offered
is counted by road until its statement; any other by the great circle. So one round is counted in one way, and a map
that changes later changes no statement.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import combinations_with_replacement, islice
from typing import Any

from sqlalchemy import insert, or_, select

from commensal import (
    Hooks,
    Instance,
    Job,
    RoadPoint,
    RoadTable,
    Transaction,
    enterprises_by_id,
    enterprises_using,
    hookimpl,
    http_client,
)
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


# Services that measure distances by road: OSRM and Valhalla, which an operator runs or rents.
#
# OSRM: ``GET /table/v1/driving/{longitude},{latitude};…?annotations=duration,distance``. Valhalla: ``POST
# /sources_to_targets``. Both answer metres (Valhalla kilometres) and seconds with decimals; null where there is no
# way.

_SECONDS, _SIZE = 25.0, 2 * 1024 * 1024  # of a request, and bytes of its answer
_Cells = Sequence[Sequence[float | None]]


@hookimpl
def distances(instance: Instance, points: Sequence[RoadPoint], instance_settings: ServiceSettings) -> RoadTable | None:
    """None where the operator names no service. One that fails, or answers something else, raises."""
    match instance_settings.roads:
        case "osrm":
            return _osrm(instance, instance_settings.roads_url.rstrip("/"), points)
        case "valhalla":
            return _valhalla(instance, instance_settings.roads_url.rstrip("/"), points)
    return None


def _osrm(instance: Instance, base: str, points: Sequence[RoadPoint]) -> RoadTable:
    way = ";".join(f"{point.longitude:.5f},{point.latitude:.5f}" for point in points)
    address = f"{base}/table/v1/driving/{way}?annotations=duration,distance"
    with http_client(instance, seconds=_SECONDS, size=_SIZE) as client:
        answer = client.get(address).raise_for_status().json(parse_float=Decimal)
    if answer.get("code") != "Ok":
        raise ValueError(f"OSRM says {str(answer.get('code'))[:80]!r}")
    return RoadTable(source="osrm", metres=_whole(answer["distances"]), seconds=_whole(answer["durations"]))


def _valhalla(instance: Instance, base: str, points: Sequence[RoadPoint]) -> RoadTable:
    places = [{"lat": float(point.latitude), "lon": float(point.longitude)} for point in points]
    task = {"sources": places, "targets": places, "costing": "auto", "units": "kilometers"}
    with http_client(instance, seconds=_SECONDS, size=_SIZE) as client:
        answer = client.post(f"{base}/sources_to_targets", json=task).raise_for_status().json()
    rows: Sequence[Sequence[Mapping[str, Any]]] = answer["sources_to_targets"]
    metres = [[None if cell["distance"] is None else cell["distance"] * 1000 for cell in row] for row in rows]
    seconds = [[cell["time"] for cell in row] for row in rows]
    return RoadTable(source="valhalla", metres=_whole(metres), seconds=_whole(seconds))


def _whole(rows: _Cells) -> tuple[tuple[int | None, ...], ...]:
    return tuple(tuple(None if cell is None else round(cell) for cell in row) for row in rows)
