"""Transport over the JSON API, as the telephone of a driver and other programs use it."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.instance import Instance, InstanceSettings
from commensal_transport.driving import open_conflicts

from .test_transport_pages import member
from .valley import Valley, open_valley

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
API = "/api/-/transport/enterprises"


@pytest.fixture
def settings(settings: InstanceSettings) -> InstanceSettings:
    return InstanceSettings(
        name="Les Paniers", base_url=settings.base_url, language="en", limits=settings.limits,
        plugins={"enabled": ["shop", "office", "transport"]},
    )  # fmt: skip


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
