"""Transport over the JSON API, as the telephone of a driver and other programs use it."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.instance import Instance
from commensal_transport.bookings.driving import open_conflicts

from .test_transport_pages import member
from .valley import Valley, open_valley

PLUGINS = ("shop", "office", "transport")
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
API = "/api/-/transport/enterprises"


@pytest.fixture
def valley(instance: Instance, clock: ManualClock) -> Valley:
    return open_valley(instance, clock)


def sends(client: TestClient, path: str, body: dict[str, Any], key: str = "", status: int = 200) -> Any:
    answer = client.post(f"{API}/{path}", json=body, headers={"Idempotency-Key": key} if key else {})
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def test_what_a_telephone_sends_twice_is_recorded_once(valley: Valley, client: TestClient) -> None:
    trip = valley.trip()
    booking = valley.book("baker", trip)
    driver = member(valley, client, "gardener", "packer").client
    event = {"booking_id": booking.id, "event": "pick_up", "crates": 3, "at": "2026-06-06T09:52:10Z"}
    for _ in range(2):
        assert sends(driver, f"gardener/trips/{trip.id}/events", event, "one")["outcome"] == "done"
    assert valley.booking(booking).state == "picked_up"
    again = sends(driver, f"gardener/trips/{trip.id}/events", event, "another")
    assert again["outcome"] == "conflict"
    assert "cannot happen" in again["text"]
    with valley.store.read() as tx:
        (conflict,) = open_conflicts(tx, trip.id)
    assert (conflict.booking_id, conflict.event, conflict.crates) == (booking.id, "pick_up", 3)


def test_a_telephone_reports_for_trips_of_its_own_enterprise(valley: Valley, client: TestClient) -> None:
    trip = valley.trip()
    booking = valley.book("baker", trip)
    baker, driver = member(valley, client, "baker").client, member(valley, client, "gardener").client
    event = {"booking_id": booking.id, "event": "pick_up", "at": "2026-06-06T09:52:10Z"}
    sends(baker, f"gardener/trips/{trip.id}/events", event, "one", status=404)
    sends(baker, f"baker/trips/{trip.id}/events", event, "two", status=404)
    sends(driver, f"gardener/trips/{trip.id}/events", {**event, "celsius": "99"}, "three", status=422)
    sends(driver, f"gardener/trips/{trip.id}/events", event, status=422)
    assert valley.booking(booking).state == "confirmed"


def reads(client: TestClient, path: str, status: int = 200) -> Any:
    answer = client.get(f"{API}/{path}")
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_round_goes_from_the_need_to_the_statement(valley: Valley, client: TestClient) -> None:
    gardener, baker = member(valley, client, "gardener").client, member(valley, client, "baker").client
    van = sends(gardener, "gardener/vehicles", {"name": "Kangoo", "crates": 40, "kg": 600}, status=201)
    assert reads(gardener, "gardener/vehicles") == [van]
    (need,) = reads(gardener, "gardener/needs")
    assert (need["crates"], need["kg"], need["booking_id"], need["alone"]["metres"] > 50_000) == (3, 22, None, True)
    hours = {"starts_at": "2026-06-06T08:00:00Z", "ends_at": "2026-06-06T14:00:00Z"}
    offer = {"vehicle_id": van["id"], **hours, "needs": [need["need"]]}
    trip = sends(gardener, "gardener/trips", offer, status=201)
    assert [stop["enterprise_id"] for stop in trip["stops"]] == ["gardener", "shop", "gardener"]

    packed = {"need": need["need"], "crates": 5, "kg": 30}
    answer = baker.put(f"{API}/baker/needs", json=packed)
    assert (answer.status_code, answer.json()["crates"], answer.json()["is_edited"]) == (200, 5, True)
    (quote,) = reads(baker, f"baker/quotes?need={need['need']}")["quotes"]
    assert (quote["carrier_id"], quote["price"] < quote["alone"]) == ("gardener", True)
    wish = {"need": need["need"], "trip_id": trip["id"], "price": quote["price"]}
    booking = sends(baker, "baker/bookings", wish, status=201)
    assert (booking["state"], booking["crates"], booking["cap"]) == ("confirmed", 5, quote["price"])
    assert reads(baker, "baker/bookings") == [booking]

    shown = reads(gardener, f"gardener/trips/{trip['id']}")
    assert [trip["id"] for trip in reads(gardener, "gardener/trips")] == [trip["id"]]
    sends(gardener, f"gardener/trips/{trip['id']}/finish", {}, status=409)
    for event in ("pick_up", "deliver"):
        for each in shown["bookings"]:
            report = {"booking_id": each["id"], "event": event, "at": "2026-06-06T09:52:10Z"}
            sends(gardener, f"gardener/trips/{trip['id']}/events", report, f"{event} {each['id']}")
    statement = sends(gardener, f"gardener/trips/{trip['id']}/finish", {})
    (mine,) = reads(baker, "baker/statements")
    assert (mine["digest"], mine["mistakes"], statement["owes"]) == (
        statement["digest"],
        [],
        mine["content"]["participants"][0][4],
    )
    assert 0 < mine["owes"] <= quote["price"]
    assert reads(baker, f"baker/trips/{trip['id']}/statement") == mine
    hub = member(valley, client, "shop").client
    counted = {"booking_id": booking["id"], "unloaded": 4, "reason": "recounted"}
    said = sends(hub, "shop/counts", counted)
    assert (said["state"], said["waiting"], said["by_receiver"]) == ("open", ["carrier", "sender"], 4)
    assert reads(baker, "baker/counts") == [said]


def test_who_rides_along_and_by_which_way_is_the_carriers_to_read(valley: Valley, client: TestClient) -> None:
    trip = valley.trip()
    booking = valley.book("baker", trip)
    dairy, packer = member(valley, client, "dairy").client, member(valley, client, "gardener", "packer").client
    for path in (f"trips/{trip.id}", f"trips/{trip.id}/statement"):
        reads(dairy, f"dairy/{path}", status=404)
    reads(dairy, "baker/bookings", status=404)
    sends(dairy, "dairy/bookings/cancel", {"booking_id": booking.id}, status=404)
    sends(dairy, f"dairy/trips/{trip.id}/cancel", {}, status=404)
    assert len(reads(packer, f"gardener/trips/{trip.id}")["bookings"]) == 2
    sends(packer, f"gardener/trips/{trip.id}/cancel", {}, status=403)
    assert valley.booking(booking).state == "confirmed"


def test_what_is_cancelled_or_refused_has_an_end(valley: Valley, client: TestClient) -> None:
    trip = valley.trip()
    baker, hub = member(valley, client, "baker").client, member(valley, client, "shop").client
    booking = valley.book("baker", trip)
    gone = sends(baker, "baker/bookings/cancel", {"booking_id": booking.id})
    assert gone["state"] == "cancelled_free"
    again = valley.book("baker", trip)
    valley.report("gardener", again, "pick_up")
    warm = sends(hub, "shop/bookings/refuse", {"booking_id": again.id, "note": "9 °C"})
    assert warm["state"] == "returned"
    gardener = member(valley, client, "gardener").client
    other = sends(gardener, f"gardener/trips/{trip.id}/cancel", {}, status=200)
    assert other["state"] == "cancelled"


def test_who_packs_sees_how_goods_travel_and_no_amount(valley: Valley, client: TestClient) -> None:
    valley.book("baker", valley.trip())
    packer = member(valley, client, "baker", "packer")
    (need,), (booking,) = (reads(packer.client, f"baker/{path}") for path in ("needs", "bookings"))
    assert (need["alone"]["metres"] > 0, need["alone"]["cents"], booking["state"], booking["cap"]) == (
        True,
        None,
        "confirmed",
        None,
    )
    text = packer.go("/office/baker/transport").text
    assert "or up to half an hour later" in text
    assert "€" not in text
