"""An enterprise with trips or bookings under way stays where it is until they have ended."""

from __future__ import annotations

import pytest

from commensal import Conflict
from commensal_transport.bookings.driving import cancel_trip

from .carrying import Road, open_road
from .conftest import NewRegion
from .moves import accept, give_to_ann, offer, states


@pytest.fixture
def road(new_region: NewRegion) -> Road:
    road = open_road(new_region, others=("c",))
    give_to_ann(road.farm)
    return road


def test_a_sender_moves_when_its_goods_have_arrived(road: Road) -> None:
    trip = road.offer()
    road.book()
    with pytest.raises(Conflict, match="trips or bookings that are under way"):
        offer(road.farm)
    road.drive(trip)
    offer(road.farm)
    accept(road.region)
    road.region.work()
    assert states(road.region)["c"] == ["coming done"]


def test_what_is_booked_after_the_offer_of_a_move_ends_it_at_both_homes(road: Road) -> None:
    road.offer()
    offer(road.farm)
    road.book()
    accept(road.region)
    road.region.work()
    assert states(road.region) == {"a": ["leaving cancelled"], "b": [], "c": ["coming cancelled"]}
    assert [booking.state for booking in road.bookings(road.farm)] == ["confirmed"]


def test_a_carrier_stays_until_its_trip_is_driven_or_called_off(road: Road) -> None:
    trip = road.offer()
    with pytest.raises(Conflict, match="trips or bookings that are under way"):
        offer(road.mill)
    with road.mill.write() as tx:
        cancel_trip(tx, "mill", trip.id)
    offer(road.mill)
    assert states(road.region)["b"] == ["leaving offered"]
