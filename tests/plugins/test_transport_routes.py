"""Trips as routes of DFC, as platforms and people read them over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.instance import Instance, InstanceSettings
from commensal_federation.dfc.check import gaps_of
from commensal_federation.dfc.read import DfcDocument, read
from commensal_federation.dfc.vocabulary import (
    DfcAddress,
    DfcDeliveryStep,
    DfcLoad,
    DfcOther,
    DfcPhone,
    DfcPickUpStep,
    DfcPlace,
    DfcQuantity,
    DfcRoute,
    DfcShipment,
    DfcStep,
    DfcVehicle,
)
from commensal_federation.platforms.scopes import grant_scopes
from commensal_federation.runtime import federation_of
from commensal_transport.bookings.driving import cancel_trip

from ..federation.dfc.oidc import Oidc
from ..federation.dfc.platforms import settings_with
from .test_transport_pages import member
from .valley import Valley, open_valley

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
V2 = 'application/ld+json; profile="dfc-v2"'


@pytest.fixture
def oidc(clock: ManualClock) -> Iterator[Oidc]:
    with Oidc(clock, "http://testserver") as running:
        yield running


@pytest.fixture
def settings(oidc: Oidc) -> InstanceSettings:
    plain = settings_with(oidc.issuer)
    return replace(plain, plugins={**plain.plugins, "enabled": ["shop", "office", "transport", "federation"]})


@pytest.fixture
def valley(instance: Instance, clock: ManualClock) -> Valley:
    return open_valley(instance, clock)


def routes_of(client: TestClient, path: str, token: str = "", status: int = 200) -> DfcDocument:
    """The document at a path, as the platform with this token reads it, or whoever is logged in."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = client.get(path, headers={"Accept": "application/ld+json", **headers})
    assert answer.status_code == status, answer.text
    if status != 200:
        return DfcDocument(version="", shapes=(), things={})
    assert answer.headers["content-type"] == V2, "1.16 has no class for routes"
    for word in ("Gate code", "06 39 98 00 01", "Noé", "example.org", "Goods of"):
        assert word not in answer.text
    return read(answer.content)


def grant(valley: Valley, enterprise: str, *scopes: str) -> None:
    with valley.store.write() as tx:
        grant_scopes(federation_of(valley.instance), tx, enterprise, "ofn", scopes)


def load_of(crates: int, kg: int) -> tuple[DfcQuantity, DfcQuantity]:
    return (DfcQuantity(value=Decimal(crates), unit="Crate"), DfcQuantity(value=Decimal(kg), unit="Kilogram"))


def test_a_platform_reads_the_route_of_a_carrier_that_lets_it(valley: Valley, client: TestClient, oidc: Oidc) -> None:
    valley.set("baker", is_farm=True, phone="06 39 98 00 01", access="Gate code 4711")
    trip = valley.trip()
    booking = valley.book("baker", trip)
    token, path = oidc.token("ofn-client"), "/api/dfc/enterprises/gardener/routes"
    routes_of(client, path, token, status=404)
    grant(valley, "gardener", "ReadProducts")
    routes_of(client, path, token, status=403)
    grant(valley, "gardener", "ReadOrders")
    document = routes_of(client, path, token)
    assert (document.findings, list(gaps_of(document)), document.all(DfcOther), document.all(DfcPhone)) == (
        (),
        [],
        (),
        (),
    )
    route, vehicle = document.one(DfcRoute), document.one(DfcVehicle)
    assert document.containers == {f"http://testserver{path}": (route.iri,)}
    assert (route.vehicle, route.iri) == (vehicle.iri, f"http://testserver/api/dfc/routes/{trip.id}")
    assert vehicle.room == (
        DfcQuantity(value=Decimal(40), unit="Crate"),
        DfcQuantity(value=Decimal(600), unit="Kilogram"),
    )

    trip = valley.again(trip)
    steps = sorted(document.all(DfcStep), key=lambda step: step.position or 0)
    assert [type(step) for step in steps] == [DfcPickUpStep, DfcPickUpStep, DfcDeliveryStep, DfcStep]
    assert [step.arrives_at for step in steps] == trip.moments()
    places = [document.get(DfcPlace, step.place) for step in steps]
    assert [place.name for place in places if place] == ["Gardener", "Baker", "Halle", "Gardener"]
    loaded = document.get(DfcShipment, steps[1].pick_ups[0])
    assert loaded is not None
    assert (loaded.origin, loaded.destination) == (steps[1].place, steps[2].place)
    assert (loaded.leaves_at, loaded.vehicle) == (booking.pickup_at, vehicle.iri)
    assert set(steps[2].deliveries) == {shipment.iri for shipment in document.all(DfcShipment)}
    (load,) = (document.get(DfcLoad, iri) for iri in loaded.loads)
    assert load is not None
    assert load.quantities == load_of(booking.crates, booking.kg)
    assert {address.street for address in document.all(DfcAddress)} == {""}
    assert routes_of(client, f"/api/dfc/routes/{trip.id}", token).things == document.things
    assert routes_of(client, f"/api/dfc/vehicles/{trip.vehicle_id}", token).one(DfcVehicle).room == vehicle.room


def test_whoever_rides_along_does_not_read_the_carriers_route(valley: Valley, client: TestClient, oidc: Oidc) -> None:
    trip = valley.trip()
    valley.book("baker", trip)
    paths = (
        f"/api/dfc/routes/{trip.id}",
        f"/api/dfc/vehicles/{trip.vehicle_id}",
        "/api/dfc/enterprises/gardener/routes",
    )
    grant(valley, "baker", "ReadOrders")
    baker, gardener = member(valley, client, "baker").client, member(valley, client, "gardener").client
    for path in paths:
        routes_of(client, path, oidc.token("ofn-client"), status=404)
        routes_of(baker, path, status=404)
        routes_of(client, path, status=401)
        routes_of(gardener, path)
    routes_of(member(valley, client, "gardener", "packer").client, paths[0], status=403)


def test_a_trip_that_was_called_off_is_no_route(valley: Valley, client: TestClient) -> None:
    trip = valley.trip()
    with valley.store.write() as tx:
        cancel_trip(tx, "gardener", trip.id)
    gardener = member(valley, client, "gardener").client
    assert routes_of(gardener, "/api/dfc/organizations/gardener/routes").things == {}
    routes_of(gardener, f"/api/dfc/routes/{trip.id}", status=404)
