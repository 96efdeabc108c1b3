"""Services that measure distances by road: OSRM and Valhalla, which an operator runs or rents.

OSRM: ``GET /table/v1/driving/{longitude},{latitude};…?annotations=duration,distance``. Valhalla: ``POST
/sources_to_targets``. Both answer metres (Valhalla kilometres) and seconds with decimals; null where there is no way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from commensal import Instance, RoadPoint, RoadTable, hookimpl, http_client

from ..service_settings import ServiceSettings

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
