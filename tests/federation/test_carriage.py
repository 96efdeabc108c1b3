"""Transport between instances: a trip that is offered, priced, booked, driven and settled across two of them."""

from __future__ import annotations

import pytest

from commensal_transport.bookings.bookings import correct_count, counted_of
from commensal_transport.bookings.quotes_elsewhere import QuoteElsewhere

from .carrying import Road, open_road
from .conftest import NewRegion
from .trading import clock_of, minutes

BOTH = True


@pytest.fixture
def road(new_region: NewRegion) -> Road:
    return open_road(new_region)


def test_goods_of_one_instance_travel_with_a_van_of_another_and_both_read_one_statement(road: Road) -> None:
    trip = road.offer()
    (copy,) = road.copies()
    assert (copy.starts_at, copy.stops) == (trip.starts_at, ()), "nobody is told where it drives"
    road.ask()
    (answer,) = road.answers()
    assert isinstance(answer, QuoteElsewhere), answer
    assert 0 < answer.price < answer.alone
    ordered = road.book()
    assert ordered.state == "ordered"
    (booking,) = road.bookings(road.farm)
    assert (booking.state, booking.cap) == ("confirmed", answer.price)
    (arriving,) = road.bookings(road.hub)
    assert (arriving.state, arriving.crates) == ("confirmed", booking.crates)
    assert [stop.free.crates for stop in road.trip(trip).stops] == [37, 37 - booking.crates, 40, 40]
    statement = road.drive(trip)
    read = road.statement(road.farm, booking.trip_id)
    assert read is not None
    assert (read.digest, read.content) == (statement.digest, statement.content)
    assert list(read.shares.values()) == [statement.shares[arriving.id]]
    assert road.bookings(road.farm)[0].state == "delivered"
    assert road.news(road.farm) == ["Mill emporte vos marchandises"]
    assert road.news(road.mill) == ["farm voyage avec vous"]


def test_a_count_that_was_corrected_is_read_at_the_other_instance(road: Road) -> None:
    trip = road.offer()
    road.ask()
    road.book()
    guest = road.guest_of(trip)
    road.report(road.mill, guest, "pick_up", crates=3)
    with road.mill.write() as tx:
        correct_count(tx, "mill", guest.id, crates=2, celsius=None)
    road.region.work()
    (here,) = road.bookings(road.farm)
    with road.farm.read() as tx:
        assert counted_of(tx, [here.id])[here.id].crates == 2
    assert here.state == "picked_up"


def test_what_a_van_has_loaded_before_it_hears_of_the_cancellation_travels_with_it(road: Road) -> None:
    trip = road.offer()
    road.ask()
    first = road.book()
    road.region.cut("a", "b")
    road.report(road.farm, first, "cancel")
    road.report(road.mill, road.guest_of(trip), "pick_up")
    second = road.order()
    road.region.mend()
    clock_of(road.region).advance(minutes=11)
    minutes(road.region)
    here = {booking.id: booking.state for booking in road.bookings(road.farm)}
    assert here == {first.id: "picked_up", second.id: "cancelled_free"}
    there = [booking.state for booking in road.aboard(trip) if not booking.is_own]
    assert sorted(there) == ["cancelled_free", "picked_up"]
