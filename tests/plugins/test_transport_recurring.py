"""Trips that come back: each day a trip of its own, offered by itself when the sales that it serves have closed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import insert, update

from commensal import Conflict, Invalid, NotFound
from commensal.base.clock import ManualClock
from commensal.enterprises.tables import enterprise_grant
from commensal.instance import Instance, InstanceSettings
from commensal.orders.place import place_order
from commensal.orders.values import Wish
from commensal.sale_sessions.tables import coordination_supplier, sale_session
from commensal.testing.placed import a_lot, a_shop, an_item
from commensal_transport.bookings.bookings import bookings_of_trip
from commensal_transport.bookings.recurring import MOST, RecurringTrip, end_series, offer_due, series_of, start_series
from commensal_transport.trips.trips import Trip, TripTerms, trips_of
from commensal_transport.trips.vehicles import Vehicle, archive_vehicle

from .valley import Valley, open_valley

WEEK = timedelta(days=7)


@pytest.fixture
def settings(settings: InstanceSettings) -> InstanceSettings:
    return InstanceSettings(name="Les Paniers", base_url=settings.base_url, plugins={"enabled": ["transport"]})


@pytest.fixture
def valley(instance: Instance, clock: ManualClock) -> Valley:
    return open_valley(instance, clock)


@pytest.fixture
def vehicle(valley: Valley) -> Vehicle:
    return valley.vehicle()


def start(valley: Valley, vehicle: Vehicle, rhythm: str = "FREQ=WEEKLY", *, weeks_ago: int = 1) -> RecurringTrip:
    """The gardener drove some weeks ago, at the hour of the present sale, and drives again by this rhythm."""
    begins = valley.need("gardener").closes - weeks_ago * WEEK
    terms = TripTerms(
        vehicle_id=vehicle.id, starts_at=begins - timedelta(hours=4), ends_at=begins + timedelta(hours=2), toll=350
    )
    with valley.store.write() as tx:
        return start_series(tx, "gardener", terms, rhythm)


def trips(valley: Valley) -> list[Trip]:
    with valley.store.read() as tx:
        return trips_of(tx, "gardener", since=tx.now)


def series(valley: Valley) -> list[RecurringTrip]:
    with valley.store.read() as tx:
        return series_of(tx, "gardener")


def test_each_week_has_a_trip_of_its_own_on_the_same_terms(valley: Valley, vehicle: Vehicle) -> None:
    before = start(valley, vehicle)
    for _ in range(2):
        offer_due(valley.instance)
    (trip,) = trips(valley)
    times = (before.starts_at, before.ends_at, before.book_until)
    assert (trip.starts_at, trip.ends_at, trip.book_until, trip.toll) == (*times, 350)
    with valley.store.read() as tx:
        assert [booking.sender_id for booking in bookings_of_trip(tx, trip.id)] == ["gardener"]
    (after,) = series(valley)
    assert (after.starts_at, after.ends_at, after.book_until) == tuple(moment + WEEK for moment in times)


def test_whoever_takes_turns_drives_every_second_week(valley: Valley, vehicle: Vehicle) -> None:
    other_week = start(valley, vehicle, "FREQ=WEEKLY;INTERVAL=2")
    offer_due(valley.instance)
    assert trips(valley) == []
    mine = start(valley, vehicle, "FREQ=WEEKLY;INTERVAL=2", weeks_ago=2)
    assert other_week.starts_at - mine.starts_at == WEEK
    offer_due(valley.instance)
    assert [trip.starts_at for trip in trips(valley)] == [mine.starts_at]


def test_a_trip_waits_for_the_sales_that_it_serves(valley: Valley, vehicle: Vehicle, clock: ManualClock) -> None:
    start(valley, vehicle)
    open_other(valley)
    offer_due(valley.instance)
    assert trips(valley) == [], "one of the two sales is still open"
    clock.advance(hours=1)
    offer_due(valley.instance)
    with valley.store.read() as tx:
        bookings = bookings_of_trip(tx, trips(valley)[0].id)
    assert sorted(booking.receiver_id for booking in bookings) == ["other", "shop"]


def open_other(valley: Valley) -> None:
    """A second hub, where goods of the gardener were ordered for the same day, and whose sale closes in an hour."""
    begins = valley.need("gardener").closes
    with valley.store.write() as tx:
        a_shop(tx, "other", latitude=Decimal("47.41"), longitude=Decimal("0.69"))
        times = {"closes_at": tx.now + timedelta(hours=1), "begins_at": begins, "ends_at": begins + timedelta(hours=2)}
        tx.execute(update(sale_session).where(sale_session.c.id == "other-session").values(times))
        lot = a_lot(tx, "gardener", name="More", unit="Kilogram", on_hand="1000")
        item = an_item(
            tx, lot, "other", name="More", enterprise_id="gardener", grains=5000, quantity=Decimal(5), unit="Kilogram"
        )
        tx.execute(insert(coordination_supplier).values(coordination_id="other-sale", enterprise_id="gardener"))
        seen = {"grantor_id": "other", "grantee_id": "gardener", "scope": "ReadOrders", "granted_at": tx.now}
        tx.execute(insert(enterprise_grant).values(seen))
        wish = Wish(items={item: 4}, name="Ada", email="ada@example.org", language="en")
        place_order(tx, valley.instance.hooks, "other-session", wish)


def test_what_could_not_be_offered_is_named_and_the_week_after_is_tried(valley: Valley, vehicle: Vehicle) -> None:
    before = start(valley, vehicle)
    with valley.store.write() as tx:
        archive_vehicle(tx, "gardener", vehicle.id, vehicle.version)
    offer_due(valley.instance)
    (after,) = series(valley)
    assert trips(valley) == []
    assert (after.missed_at, after.reason) == (before.starts_at, "vehicle")
    assert after.starts_at == before.starts_at + WEEK


def test_a_series_ends_and_its_carrier_alone_ends_it(valley: Valley, vehicle: Vehicle) -> None:
    before = start(valley, vehicle)
    with valley.store.write() as tx:
        with pytest.raises(NotFound):
            end_series(tx, "dairy", before.id)
        end_series(tx, "gardener", before.id)
        with pytest.raises(NotFound):
            end_series(tx, "gardener", before.id)
    offer_due(valley.instance)
    assert (trips(valley), series(valley)) == ([], [])


def test_a_rhythm_is_one_of_two_and_series_are_bounded(valley: Valley, vehicle: Vehicle) -> None:
    with pytest.raises(Invalid):
        start(valley, vehicle, "FREQ=SECONDLY")
    for _ in range(MOST):
        start(valley, vehicle)
    with pytest.raises(Conflict, match="come back by themselves"):
        start(valley, vehicle)
