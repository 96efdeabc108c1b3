"""Transport between three instances: the carrier's, the sender's and the hub's."""

from __future__ import annotations

from commensal_transport.statements import comparisons_of

from .carrying import open_road
from .conftest import NewRegion


def test_carrier_sender_and_hub_live_at_three_instances_and_read_one_statement(new_region: NewRegion) -> None:
    road = open_road(new_region, others=("c",), mill_at="c")
    trip = road.offer()
    booking = road.book()
    assert [booking.state for booking in road.bookings(road.farm)] == ["confirmed"]
    arriving = road.bookings(road.hub)
    assert [booking.state for booking in arriving] == ["confirmed"]
    assert arriving[0].cap == 0, "what the farm pays is between it and the mill"
    statement = road.drive(trip)
    copies = [road.statement(road.farm, booking.trip_id), road.statement(road.hub, arriving[0].trip_id)]
    assert [copy and copy.digest for copy in copies] == [statement.digest] * 2
    with road.mill.read() as tx:
        compared = comparisons_of(tx, trip.id)
    assert [(row.digest, list(row.mistakes)) for row in compared] == [(statement.digest, [])] * 2
    with road.hub.read() as tx:
        assert len(comparisons_of(tx, arriving[0].trip_id)) == 1, "the two readers compare too"
