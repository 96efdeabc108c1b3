"""Crates that differ between instances: each home says what its own side counted, and all read the same outcome."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from commensal_transport.bookings.bookings import Booking, booking_by_id
from commensal_transport.bookings.counts import Counts, counts_of, differing_counts, say_count
from commensal_transport.bookings.driving import Noted, report_at_stop
from commensal_transport.elsewhere import work
from commensal_transport.elsewhere.bodies import CountReport
from commensal_transport.tables import transport_count
from commensal_transport.trips.trips import trip_by_id

from .carrying import Road, open_road, say
from .conftest import NewRegion
from .trading import Place, clock_of, minutes


def counted(road: Road, place: Place, booking: Booking) -> Counts:
    """What an instance reads of the counts of its copy of a booking."""
    with place.read() as tx:
        booking = booking_by_id(tx, booking.id)
        return counts_of(tx, [(booking, trip_by_id(tx, booking.trip_id).enterprise_id)])[booking.id]


def driven(road: Road, loaded: int, unloaded: int) -> Booking:
    """The farm's goods are carried; returns the booking as the mill's instance knows it."""
    trip = road.offer()
    road.ask()
    road.book()
    guest = road.guest_of(trip)
    for event, crates in (("pick_up", loaded), ("deliver", unloaded)):
        with road.mill.write() as tx:
            noted = Noted(booking_id=guest.id, event=event, crates=crates)  # type: ignore[arg-type]
            report_at_stop(tx, "mill", trip.id, noted)
        road.region.work()
    return guest


def says(road: Road, place: Place, booking: Booking, *counted: int | None, why: Any = "") -> None:
    with place.write() as tx:
        say_count(tx, place.id, booking.id, loaded=counted[0], unloaded=counted[1], reason=why)


def outcome(counts: Counts) -> tuple[Any, ...]:
    return counts.state, counts.sender, counts.loaded, counts.unloaded, counts.receiver, counts.lost, counts.disputed


def words(road: Road) -> int:
    """How many words about counts the mill's instance keeps."""
    with road.mill.read() as tx:
        return int(tx.value(select(func.count()).select_from(transport_count)))


@pytest.mark.long  # schedules have two homes speak under cuts in every run
def test_three_homes_read_the_same_outcome_although_links_are_cut_while_they_speak(new_region: NewRegion) -> None:
    road = open_road(new_region, others=("c",), mill_at="c")
    guest = driven(road, 3, 2)
    copies = {place.id: (place, road.bookings(place)[0]) for place in (road.farm, road.hub)} | {
        "mill": (road.mill, guest)
    }
    for place, _ in copies.values():
        with place.read() as tx:
            assert [each.waiting for each in differing_counts(tx, place.id)] == [["carrier", "sender", "receiver"]]
        assert "Cagettes de" in str(road.news(place)), road.news(place)
    road.region.cut("a", "b")
    says(road, road.farm, copies["farm"][1], 3, None, why="note")
    says(road, road.hub, copies["near"][1], None, 2, why="recounted")
    road.region.work()
    assert [counted(road, *copies[id]).waiting for id in ("farm", "near", "mill")] == [
        ["carrier", "receiver"],
        ["carrier", "sender"],
        ["carrier"],
    ]
    road.region.mend()
    clock_of(road.region).advance(minutes=11)
    minutes(road.region)
    says(road, road.mill, guest, 3, 3)
    road.region.work()
    assert {outcome(counted(road, *each)) for each in copies.values()} == {("kept", 3, 3, 3, 2, 0, (0, 1))}
    says(road, road.mill, guest, 3, 2, why="lost")
    road.region.work()
    assert {outcome(counted(road, *each)) for each in copies.values()} == {("lost", 3, 3, 2, 2, 1, (0, 0))}
    sent = [request.body for _, request, _ in road.region.wires.passed if b"CountReport" in request.body]
    assert sent, "they went as messages"


def test_nobody_speaks_for_another_side_and_an_older_word_has_no_effect(
    new_region: NewRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    road = open_road(new_region)
    guest = driven(road, 3, 2)
    (here,) = road.bookings(road.farm)
    name = f"https://a.example/-/transport/bookings/{here.id}"
    word = CountReport(number=5, booking=name, side="receiver", unloaded=3)
    unknown = CountReport(number=1, booking="https://b.example/-/transport/bookings/none", side="sender", loaded=3)
    assert say(road, "a", "CountReport", word) == "authority", "the farm's home, for the hub"
    assert say(road, "a", "CountReport", unknown) == "booking"
    assert counted(road, road.mill, guest).words == {}
    sender = CountReport(number=5, booking=name, side="sender", loaded=2)
    assert say(road, "a", "CountReport", sender) == "delivered"
    for late in (sender, CountReport(number=4, booking=name, side="sender", loaded=9)):
        assert say(road, "a", "CountReport", late) == "delivered"
    assert (counted(road, road.mill, guest).sender, words(road)) == (2, 1)
    for number in range(6, 6 + work.MOST_KEPT):
        last = say(road, "a", "CountReport", CountReport(number=number, booking=name, side="sender", loaded=number))
    assert last == "too_many"
    assert words(road) == work.MOST_KEPT
    with monkeypatch.context() as without_the_check:  # the canary: then a sender settles what its receiver counted
        homes = {road.region.peer("b", "a").id}
        without_the_check.setattr(work, "speaks_for", lambda federation, tx, enterprise_id, peer: homes)
        assert say(road, "a", "CountReport", word) == "delivered"
    assert counted(road, road.mill, guest).receiver == 3
