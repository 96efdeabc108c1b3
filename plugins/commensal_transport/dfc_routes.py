"""Trips as documents of DFC 2.0, for platforms that plan or show routes: ``/api/dfc/…/routes`` and ``…/vehicles``.

A route is the carrier's: who rides along reads nothing here. It has places, hours, crates and kilograms; no person, no
telephone, no product and no price. 1.16 has no class for routes, so they are written in 2.0 whatever is asked for, and
in documents of their own, since Open Food Network fails on classes that it does not know.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from starlette.responses import Response
from starlette.routing import BaseRoute

from commensal import Enterprise, NotFound, Transaction, enterprises_by_id, plugin_settings
from commensal.pages import Visit
from commensal_federation.documents import (
    DfcAddress,
    DfcDeliveryStep,
    DfcLoad,
    DfcPickUpStep,
    DfcPlace,
    DfcQuantity,
    DfcRoute,
    DfcShipment,
    DfcStep,
    DfcVehicle,
    Thing,
    base_of,
    demand_scope,
    dfc_page,
    dfc_response_20,
    enterprise_iri,
    refuse_anonymous,
    requested_enterprise,
)

from .bookings.bookings import Booking, bookings_of_trips
from .bookings.states import ON_THE_WAY
from .places.routing import SERVICE, Point, Stop
from .settings import Settings
from .trips.needs import ID, point_of
from .trips.trips import Trip, trip_by_id, trips_of
from .trips.vehicles import Vehicle, any_vehicle, vehicles_by_id


def dfc_routes() -> Sequence[BaseRoute]:
    return [
        dfc_page("/api/dfc/enterprises/{enterprise}/routes", routes),
        dfc_page("/api/dfc/organizations/{enterprise}/routes", routes),
        dfc_page("/api/dfc/routes/{route}", route),
        dfc_page("/api/dfc/vehicles/{vehicle}", single_vehicle),
    ]


def routes(visit: Visit) -> Response:
    """The trips of an enterprise that are not over, the next one first; at most 50."""
    with visit.read() as tx:
        carrier = _carrier(visit, tx, requested_enterprise(visit, tx).id)
        trips = [trip for trip in trips_of(tx, carrier.id, since=tx.now) if trip.state != "cancelled"]
        things = _things_of(visit, tx, carrier, trips)
    return dfc_response_20(visit, things, [_route_iri(base_of(visit), trip) for trip in trips])


def route(visit: Visit) -> Response:
    """A trip with its steps, shipments, places and vehicle."""
    with visit.read() as tx:
        refuse_anonymous(visit)
        trip = trip_by_id(tx, visit.path["route"])
        carrier = _carrier(visit, tx, trip.enterprise_id)
        if trip.peer_id is not None or trip.state == "cancelled":
            raise NotFound
        things = _things_of(visit, tx, carrier, [trip])
    return dfc_response_20(visit, things)


def single_vehicle(visit: Visit) -> Response:
    """A vehicle: how much it carries, and where it is based."""
    with visit.read() as tx:
        refuse_anonymous(visit)
        vehicle = any_vehicle(tx, visit.path["vehicle"])
        carrier = _carrier(visit, tx, vehicle.enterprise_id)
    iri = _vehicle_iri(base_of(visit), vehicle)
    home = point_of(carrier)
    base = list(_place_things(iri, carrier, home)) if home else []
    return dfc_response_20(visit, [_vehicle_thing(iri, vehicle, base[0].iri if base else None), *base])


def _carrier(visit: Visit, tx: Transaction, enterprise_id: str) -> Enterprise:
    """The enterprise, if it uses transport and the caller may read its orders: a route tells with whom it trades.

    Raises as `demand_scope` does.
    """
    carrier = demand_scope(visit, tx, enterprise_id, "ReadOrders")
    plugin_settings(tx, visit.instance.hooks, carrier.id, ID, Settings)
    return carrier


# ------------------------------------------------------------------------------------------------ things


def _things_of(visit: Visit, tx: Transaction, carrier: Enterprise, trips: Sequence[Trip]) -> list[Thing]:
    base = base_of(visit)
    bookings = bookings_of_trips(tx, [trip.id for trip in trips])
    vehicles = vehicles_by_id(tx, carrier.id, {trip.vehicle_id for trip in trips})
    enterprises = enterprises_by_id(tx, {stop.enterprise_id for trip in trips for stop in trip.stops})
    things = {
        thing.iri: thing
        for trip in trips
        for thing in _route_things(base, carrier, trip, bookings[trip.id], vehicles[trip.vehicle_id], enterprises)
    }
    return list(things.values())


def _route_things(
    base: str,
    carrier: Enterprise,
    trip: Trip,
    bookings: Sequence[Booking],
    vehicle: Vehicle,
    enterprises: dict[str, Enterprise],
) -> Iterator[Thing]:
    iri, vehicle_iri = _route_iri(base, trip), _vehicle_iri(base, vehicle)
    yield DfcRoute(iri=iri, vehicle=vehicle_iri, carrier=enterprise_iri(base, carrier.id))
    places = {stop.id: list(_place_things(iri, enterprises[stop.enterprise_id], stop.place)) for stop in trip.stops}
    at = {stop_id: things[0].iri for stop_id, things in places.items()}
    yield _vehicle_thing(vehicle_iri, vehicle, at[trip.start.id])
    for things in places.values():
        yield from things
    carried = [each for each in bookings if each.state in ON_THE_WAY and each.pickup_id and each.delivery_id]
    for booking in carried:
        yield from _shipment_things(iri, booking, vehicle_iri, at)
    yield from _step_things(iri, trip, carried, at)


def _shipment_things(route: str, booking: Booking, vehicle: str, at: dict[str, str]) -> Iterator[Thing]:
    assert booking.pickup_id is not None
    assert booking.delivery_id is not None
    load = f"{route}#load-{booking.id}"
    yield DfcShipment(
        iri=_shipment_iri(route, booking),
        origin=at[booking.pickup_id],
        destination=at[booking.delivery_id],
        leaves_at=booking.pickup_at,
        arrives_at=booking.delivery_at,
        loads=(load,),
        vehicle=vehicle,
    )
    yield DfcLoad(iri=load, quantities=_quantities(booking.crates, booking.kg))


def _step_things(route: str, trip: Trip, carried: Collection[Booking], at: dict[str, str]) -> Iterator[Thing]:
    position = 0
    for stop, moment in zip(trip.stops, trip.moments(), strict=True):
        for step in _steps_at(route, stop, carried):
            position += 1
            yield replace(
                step,
                iri=f"{route}#step-{position}",
                route=route,
                position=Decimal(position),
                place=at[stop.id],
                arrives_at=moment,
            )


def _steps_at(route: str, stop: Stop, carried: Collection[Booking]) -> Iterator[DfcStep]:
    """One step for what is unloaded at a stop, and one for what is loaded; start and end may have neither."""
    unloaded = tuple(_shipment_iri(route, booking) for booking in carried if booking.delivery_id == stop.id)
    loaded = tuple(_shipment_iri(route, booking) for booking in carried if booking.pickup_id == stop.id)
    if unloaded:
        yield DfcDeliveryStep(iri=route, deliveries=unloaded, duration=SERVICE)
    if loaded:
        yield DfcPickUpStep(iri=route, pick_ups=loaded, duration=SERVICE)
    if not unloaded and not loaded:
        yield DfcStep(iri=route)


def _place_things(document: str, enterprise: Enterprise, point: Point) -> Iterator[Thing]:
    """The place first. Its address has coordinates alone: a van needs no more, and a farm's is a person's home."""
    address = f"{document}#address-{enterprise.id}"
    yield DfcPlace(iri=f"{document}#place-{enterprise.id}", name=enterprise.name, addresses=(address,))
    yield DfcAddress(iri=address, latitude=point.latitude, longitude=point.longitude)


def _vehicle_thing(iri: str, vehicle: Vehicle, based_at: str | None) -> DfcVehicle:
    return DfcVehicle(
        iri=iri,
        room=_quantities(vehicle.crates, vehicle.kg),
        based_at=based_at,
        refrigerated=vehicle.keeping not in ("ambient", "frozen"),
        frozen=vehicle.keeping == "frozen",
    )


def _quantities(crates: int, kg: int) -> tuple[DfcQuantity, ...]:
    return (DfcQuantity(value=Decimal(crates), unit="Crate"), DfcQuantity(value=Decimal(kg), unit="Kilogram"))


def _route_iri(base: str, trip: Trip) -> str:
    return f"{base}/api/dfc/routes/{trip.id}"


def _vehicle_iri(base: str, vehicle: Vehicle) -> str:
    return f"{base}/api/dfc/vehicles/{vehicle.id}"


def _shipment_iri(route: str, booking: Booking) -> str:
    return f"{route}#shipment-{booking.id}"
