"""Distances by road: measured by a service that answers as OSRM or Valhalla do, and the same until a statement."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select

from commensal.base.clock import ManualClock
from commensal.base.errors import Unfit
from commensal.instance import Instance, InstanceSettings
from commensal.instance.settings import OutboundSettings
from commensal.testing.instances import RunJobs
from commensal_transport.bookings.quotes import TripQuote
from commensal_transport.bookings.statements import finish_trip, mistakes_of
from commensal_transport.planning.planning import draft_for
from commensal_transport.service_settings import ServiceSettings
from commensal_transport.tables import transport_road

from .valley import Valley, open_valley


@dataclass
class Map:
    """A service whose roads are twice as long as the crow flies, and driven at 36 km/h. `broken`: what it answers."""

    asked: list[str] = field(default_factory=list)
    broken: bytes = b""
    wall: bool = False  # there is no road at all

    def metres(self, a: tuple[float, float], b: tuple[float, float]) -> float | None:
        north, east = (a[0] - b[0]) * 111.2, (a[1] - b[1]) * 75
        return None if self.wall else round((north**2 + east**2) ** 0.5 * 2000, 1)

    def osrm(self, path: str) -> dict[str, Any]:
        assert urlsplit(path).query == "annotations=duration,distance"
        places = [
            tuple(map(float, place.split(",")))[::-1] for place in urlsplit(path).path.rpartition("/")[2].split(";")
        ]
        table = [[self.metres(a, b) for b in places] for a in places]  # type: ignore[arg-type]
        times = [[None if cell is None else cell / 10 for cell in row] for row in table]
        return {"code": "Ok", "distances": table, "durations": times, "sources": [], "destinations": []}

    def valhalla(self, body: dict[str, Any]) -> dict[str, Any]:
        places = [(place["lat"], place["lon"]) for place in body["sources"]]
        assert (body["costing"], len(body["targets"])) == ("auto", len(places))

        def cell(i: int, j: int) -> dict[str, Any]:
            far = self.metres(places[i], places[j])
            found = (
                {"distance": None, "time": None} if far is None else {"distance": far / 1000, "time": round(far / 10)}
            )
            return {"from_index": i, "to_index": j, **found}

        rows = [[cell(i, j) for j in range(len(places))] for i in range(len(places))]
        return {"algorithm": "timedistancematrix", "units": "kilometers", "sources_to_targets": rows}


@contextmanager
def serving(roads: Map) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path.startswith("/table/v1/driving/")
            self._answer(roads.osrm(self.path))

        def do_POST(self) -> None:
            assert self.path == "/sources_to_targets"
            self._answer(roads.valhalla(json.loads(self.rfile.read(int(self.headers["Content-Length"])))))

        def _answer(self, document: dict[str, Any]) -> None:
            roads.asked.append(self.path)
            text = roads.broken or json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def roads() -> Map:
    return Map()


@pytest.fixture(params=["osrm", "valhalla"])
def settings(request: pytest.FixtureRequest, settings: InstanceSettings, roads: Map) -> Iterator[InstanceSettings]:
    with serving(roads) as address:
        yield InstanceSettings(
            name="Les Paniers",
            base_url=settings.base_url,
            outbound=OutboundSettings(allow=(urlsplit(address).netloc,)),
            plugins={"enabled": ["transport"], "transport": {"roads": request.param, "roads_url": address}},
        )


@pytest.fixture
def valley(instance: Instance, clock: ManualClock) -> Valley:
    return open_valley(instance, clock)


def measure(valley: Valley, clock: ManualClock) -> None:
    run = RunJobs(valley.instance, clock)
    clock.advance(minutes=10)
    run()


def rows(valley: Valley) -> int:
    with valley.store.read() as tx:
        return int(tx.value(select(func.count()).select_from(transport_road)))


def test_a_round_is_counted_by_the_roads_that_a_service_has_measured(
    valley: Valley, roads: Map, clock: ManualClock, settings: InstanceSettings
) -> None:
    as_the_crow_flies = valley.need("gardener").alone
    measure(valley, clock)
    assert (rows(valley), len(roads.asked)) == (4 * 3, 1)
    by_road = valley.need("gardener").alone
    assert as_the_crow_flies is not None
    assert by_road is not None
    assert by_road.metres == pytest.approx(as_the_crow_flies.metres * 2 / 1.3, rel=0.02)
    assert by_road.minutes == pytest.approx(by_road.metres / 600 + 8, abs=2), "at 36 km/h, and a stop"

    with valley.store.read() as tx:
        draft = draft_for(tx, valley.instance.hooks, "shop")
        task = draft.task(tx.now)
    need = valley.need("gardener")
    assert need.home is not None
    assert need.destination is not None
    home, hub = draft.places.index(need.home), draft.places.index(need.destination)
    assert task.metres[home][hub] + task.metres[hub][home] == by_road.metres, "a plan is put together by road too"
    assert task.seconds[home][hub] == pytest.approx(task.metres[home][hub] / 10, abs=1)

    trip = valley.trip()
    offer = valley.quote("baker", trip)
    assert isinstance(offer, TripQuote)
    booking = valley.book("baker", trip, offer.price)
    for carried in valley.bookings(trip):
        valley.report("gardener", carried, "pick_up")
        valley.report("gardener", carried, "deliver")
    roads.wall = True  # whatever the map says later
    measure(valley, clock)
    with valley.store.write() as tx:
        statement = finish_trip(tx, "gardener", trip.id)
    assert statement.content["measured"] == settings.plugins["transport"]["roads"]
    assert statement.content["items"][0][1] == pytest.approx(by_road.metres, rel=0.03)
    assert mistakes_of(statement.content) == []
    assert statement.shares[booking.id][1] <= offer.price
    assert len(roads.asked) == 1, "what is measured is not asked for again"


def test_a_trip_that_was_offered_before_is_counted_as_it_was_until_its_end(valley: Valley, clock: ManualClock) -> None:
    trip = valley.trip()
    before = valley.quote("baker", trip)
    measure(valley, clock)
    after = valley.quote("baker", trip)
    assert isinstance(before, TripQuote)
    assert isinstance(after, TripQuote)
    assert (after.price, after.alone) == (before.price, before.alone)


@pytest.mark.parametrize("broken", [b"not JSON", b"{}", b'{"code": "NoTable"}', b" " * (3 * 1024 * 1024)])
def test_a_service_that_fails_or_answers_too_much_is_noted_and_distances_are_estimated(
    valley: Valley, roads: Map, clock: ManualClock, broken: bytes
) -> None:
    roads.broken = broken
    measure(valley, clock)
    assert (rows(valley), len(roads.asked)) == (0, 1)
    assert [(failure.plugin, failure.hook) for failure in valley.instance.hooks.failures] == [
        ("transport", "distances")
    ]
    assert valley.again(valley.trip()).measured == "great-circle-1.3"


def test_where_there_is_no_road_it_is_estimated_and_not_asked_again(
    valley: Valley, roads: Map, clock: ManualClock
) -> None:
    roads.wall = True
    measure(valley, clock)
    measure(valley, clock)
    assert (rows(valley), len(roads.asked)) == (12, 1)
    assert valley.again(valley.trip()).measured == "great-circle-1.3"


@pytest.mark.parametrize(
    "wrong",
    [
        {"roads": "osrm"},
        {"roads_url": "https://a.example"},
        {"roads": "osrm", "roads_url": "a"},
        {"geocoder": "addok"},
        {"geocoder": "addok", "geocoder_url": "a"},
    ],
)
def test_settings_of_a_service_have_both_its_kind_and_its_address(wrong: Any) -> None:
    with pytest.raises(Unfit):
        ServiceSettings(**wrong)
