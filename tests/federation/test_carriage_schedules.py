"""Whatever is cut, lost, repeated, rolled back, restored or lied about, both homes end with the same bookings, no room
is given twice, and no statement differs without an alert.

Each seed draws a schedule of what people and networks do. ``COMMENSAL_TEST_CARRIAGES=50 pytest`` runs fifty regions,
each with three schedules one after the other; ``make carriages`` runs 10,000 schedules on all processors.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from commensal import Conflict, NotFound
from commensal_federation.messaging import post
from commensal_transport.bookings.bookings import Booking, book, report
from commensal_transport.bookings.counts import counts_of, say_count
from commensal_transport.bookings.driving import cancel_trip
from commensal_transport.bookings.quotes_elsewhere import QuoteElsewhere
from commensal_transport.bookings.statements import comparisons_of, digest_of, finish_trip, settled
from commensal_transport.bookings.states import HOLDS_ROOM, Event
from commensal_transport.elsewhere.bodies import StatementCopy
from commensal_transport.trips.trips import Trip, trip_by_id

from .carrying import Road, open_road, say
from .conftest import NewRegion
from .restoring import Backup
from .test_carriage_lies import the_order, the_state
from .trading import Place, clock_of, minutes

REGIONS = int(os.environ.get("COMMENSAL_TEST_CARRIAGES", "1"))
SCHEDULES = 3  # in a region, within the half day in which trips take bookings
MORE = 3  # if nobody has booked anything in those
STEPS = 20


def _false_statement(road: Road, trip: Trip) -> StatementCopy | None:
    """One by which the farm pays 50 euros more, and the mill less; None if nothing of the farm is aboard."""
    trip, aboard = road.trip(trip), road.aboard(trip)
    here = {f"https://a.example/-/transport/bookings/{booking.id}" for booking in road.bookings(road.farm)}
    with road.mill.read():
        content, shares = settled(trip, aboard)
    guests = [booking for booking in aboard if booking.iri in here and booking.id in shares]
    if not guests or len(content["participants"]) < 2:
        return None
    forged = {**content, "participants": [list(row) for row in content["participants"]]}
    forged["participants"][0][4] -= 5000
    forged["participants"][1][4] += 5000
    number, cents = shares[guests[0].id]
    return StatementCopy(
        number=1,
        trip=f"https://b.example/-/transport/trips/{trip.id}",
        content=forged,
        digest=digest_of(forged),
        shares={str(guests[0].iri): (number, cents + 5000)},
    )


def post_statement(road: Road, lie: StatementCopy) -> None:
    federation = road.region["b"]
    with federation.instance.store.write() as tx:
        post(federation, tx, road.region.peer("b", "a").id, "transport.Statement", lie)


class Crashed(Exception):
    """The process has ended before its transaction was committed."""


@dataclass
class Schedule:
    """One drawn schedule. What cannot be done at the moment is refused, as on pages."""

    road: Road
    draw: random.Random
    trip: Trip
    folder: Path
    backup: Backup | None = None
    lies: set[str] = field(default_factory=set)  # names of bookings that no guest has made

    def step(self) -> None:
        region = self.road.region
        cancel = partial(self._guest, "cancel")
        steps: list[Callable[[], object]] = [
            self._ask,
            self._book,
            self._book,
            self._book,
            cancel,
            cancel,
            cancel,
            partial(self._carrier, "pick_up"),
            partial(self._carrier, "deliver"),
            partial(self._carrier, "fail"),
            partial(self._carrier, "no_goods"),
            partial(region.cut, "a", "b"),
            partial(region.cut, "a", "b", one_way=True),
            partial(region.cut, "b", "a", one_way=True),
            region.mend,
            region.mend,
            partial(region.work, "a"),
            partial(region.work, "b"),
            region.work,
            region.work,
            region.work,
            partial(minutes, region),
            self._back_up,
            self._restore,
            self._lie_as_guest,
            self._lie_as_carrier,
        ]
        with suppress(Conflict, NotFound, Crashed):
            self.draw.choice(steps)()

    def settle(self) -> None:
        """The network works again, and all that waits is delivered."""
        self.road.region.mend()
        for _ in range(3):
            clock_of(self.road.region).advance(minutes=11)
            minutes(self.road.region)

    def _ask(self) -> None:
        self.road.ask()

    def _book(self) -> None:
        for answer in self.road.answers():
            if isinstance(answer, QuoteElsewhere):
                key = self.road.need(self.road.farm).key
                with self.road.farm.write() as tx:
                    book(tx, self.road.farm.instance.hooks, "farm", key, answer.trip.id, price=answer.price)
                    self.crash_perhaps()

    def _guest(self, event: Event) -> None:
        for booking in self.road.bookings(self.road.farm):
            self._report(self.road.farm, booking.id, event)

    def _carrier(self, event: Event) -> None:
        for booking in self.road.aboard(self.trip):
            if not booking.is_own:
                self._report(self.road.mill, booking.id, event)

    def _back_up(self) -> None:
        if self.backup is None:
            self.backup = Backup(self.draw.choice([self.road.farm, self.road.mill]), self.folder)

    def _restore(self) -> None:
        """Once in a schedule: what an instance has done since its backup is gone there."""
        if self.backup is not None and not self.backup.is_used:
            self.backup.restore()
            minutes(self.road.region, 2)

    def _lie_as_guest(self) -> None:
        """Orders room for goods that do not exist, or for those of somebody else."""
        if not self.road.copies():
            return
        name = f"https://a.example/-/transport/bookings/lie-{self.draw.randrange(10**9)}"
        somebody: dict[str, Any] = self.draw.choice([{}, {"sender": self.road.mill.iri}, {"crates": 39}])
        say(self.road, "a", "BookingOrder", the_order(self.road, booking=name, carriage=somebody))
        self.lies.add(name)

    def _lie_as_carrier(self) -> None:
        """Says that more was agreed, or that somebody else drives."""
        bookings = [booking for booking in self.road.bookings(self.road.farm) if booking.state == "confirmed"]
        if len(self.road.bookings(self.road.farm)) != 1 or not bookings:
            return
        lie: dict[str, Any] = self.draw.choice(
            [{"cap": (bookings[0].cap or 0) + 1}, {"cap": None}, {"state": "ordered"}]
        )
        say(self.road, "b", "BookingState", the_state(self.road, number=self.draw.randrange(1, 10**6), **lie))

    def _report(self, place: Place, booking_id: str, event: Event) -> None:
        with suppress(Conflict), place.write() as tx:
            report(tx, place.id, booking_id, event)
            self.crash_perhaps()

    def crash_perhaps(self) -> None:
        if self.draw.random() < 0.15:
            raise Crashed


@pytest.mark.parametrize("number", range(REGIONS))
def test_both_homes_end_alike_and_no_room_is_given_twice(new_region: NewRegion, number: int, tmp_path: Path) -> None:
    road, confirmed = open_road(new_region), 0
    last = (number + 1) * SCHEDULES - 1
    for seed in range(number * SCHEDULES, last + 1 + MORE):
        schedule = Schedule(road, random.Random(seed), road.offer(), tmp_path)
        road.ask()
        for _ in range(STEPS):
            schedule.step()
        schedule.settle()
        confirmed += _assert_alike(schedule, seed)
        carried = any(booking.state == "delivered" for booking in road.aboard(schedule.trip))
        if (confirmed and seed >= last) or carried:
            break  # what was delivered cannot be carried again
        _clear(road, schedule)
    assert confirmed, "no schedule had a booking"
    _drive_under_cuts(schedule, lies=number % 2 == 0)


def _assert_alike(schedule: Schedule, seed: int) -> int:
    """Each booking has the same state at both homes, and what is free on each leg is what no booking takes."""
    road, trip = schedule.road, schedule.road.trip(schedule.trip)
    aboard = road.aboard(trip)
    there = {booking.iri: booking.state for booking in aboard if booking.iri}
    here = {f"https://a.example/-/transport/bookings/{booking.id}": booking for booking in road.bookings(road.farm)}
    for iri, state in there.items():
        if iri in schedule.lies:  # its sender's home knows of none
            assert iri not in here, f"seed {seed}"
            continue
        if iri not in here and schedule.backup and schedule.backup.is_used:  # its sender's home has forgotten it
            assert state not in ("ordered", "confirmed"), f"seed {seed}: a van comes for nothing"
            continue
        assert here[str(iri)].state == state, f"seed {seed}"
    for iri, booking in here.items():
        if iri not in there and booking.state in HOLDS_ROOM:
            raise AssertionError(f"seed {seed}: {booking.state} here, unknown there")
        assert booking.state != "ordered", f"seed {seed}: it waits for ever"
    for number, stop in enumerate(trip.stops):
        stops = [other.id for other in trip.stops]
        taken = sum(
            booking.room_crates
            for booking in aboard
            if booking.state in HOLDS_ROOM and booking.pickup_id and booking.delivery_id
            if stops.index(booking.pickup_id) <= number < stops.index(booking.delivery_id)
        )
        assert stop.free.crates >= 0
        if not any(booking.state == "delivered" for booking in aboard):
            assert stop.free.crates == trip.crates - taken, f"seed {seed}"
    return len(there)


def _clear(road: Road, schedule: Schedule) -> None:
    """The trip ends, so that the next schedule begins with goods that nobody carries."""
    for booking in road.aboard(schedule.trip):
        if booking.state == "picked_up" and not booking.is_own:
            road.report(road.hub, booking, "refuse_warm")
    with suppress(Conflict), road.mill.write() as tx:
        cancel_trip(tx, "mill", schedule.trip.id)
    schedule.settle()


def _drive_under_cuts(schedule: Schedule, *, lies: bool) -> None:
    """The last trip is driven while the link is cut. The statement is the same at both homes afterwards, or people are
    told that it is not: a carrier that `lies` tells the guest another one first."""
    road = schedule.road
    if not any(booking.state == "confirmed" for booking in road.bookings(road.farm)):
        road.ask()
        with suppress(Conflict, ValueError, AssertionError):  # there is not always a price left
            road.book()
    road.region.cut("a", "b")
    for event in ("pick_up", "deliver"):
        for booking in road.aboard(schedule.trip):
            with suppress(Conflict):
                road.report(road.mill, booking, event, crates=schedule.draw.choice([1, 2, 2]))
    lie = _false_statement(road, schedule.trip) if lies else None
    if lie is not None:
        post_statement(road, lie)
    with road.mill.write() as tx:
        statement = finish_trip(tx, "mill", schedule.trip.id)
    participants = statement.content["participants"]
    assert sum(row[4] for row in participants) == statement.content["total"], "no cent is lost"
    road.region.work()
    schedule.settle()
    _say_counts_under_cuts(schedule)
    for booking in road.bookings(road.farm):
        if any(other.iri and other.iri.endswith(booking.id) for other in road.aboard(schedule.trip)):
            copy = road.statement(road.farm, booking.trip_id)
            assert copy is not None
            with road.mill.read() as tx:
                told = [each.mistakes for each in comparisons_of(tx, schedule.trip.id) if each.mistakes]
            assert copy.digest == statement.digest or (told and road.news(road.farm)), "it differs without an alert"


def _say_counts_under_cuts(schedule: Schedule) -> None:
    """All sides say what they counted while links are cut and processes end; then all homes read the same."""
    road, draw, region = schedule.road, schedule.draw, schedule.road.region
    sides = (road.farm, road.mill, road.hub)
    for _ in range(8):
        links: list[Callable[[], object]] = [region.mend, partial(region.cut, "a", "b"), partial(minutes, region)]
        draw.choice(links)()
        place = draw.choice(sides)
        for booking in road.aboard(schedule.trip) if place.at == "b" else road.bookings(place):
            with suppress(Conflict, Crashed, NotFound), place.write() as tx:
                loaded, unloaded = draw.choice([(1, 1), (2, 2), (2, 1)])
                say_count(tx, place.id, booking.id, loaded=loaded, unloaded=unloaded, reason="other")
                schedule.crash_perhaps()
    schedule.settle()
    here = {f"https://a.example/-/transport/bookings/{booking.id}": booking for booking in road.bookings(road.farm)}
    for booking in road.aboard(schedule.trip):
        if booking.iri in here and booking.state == "delivered":
            assert _counted(road.mill, booking) == _counted(road.farm, here[booking.iri]), "counts that differ"


def _counted(place: Place, booking: Booking) -> tuple[object, ...]:
    with place.read() as tx:
        carrier_id = trip_by_id(tx, booking.trip_id).enterprise_id
        counts = counts_of(tx, [(booking, carrier_id)])[booking.id]
    return counts.state, counts.sender, counts.loaded, counts.unloaded, counts.receiver, counts.lost, counts.disputed


def test_a_cancellation_gives_the_room_back_unless_the_goods_are_on_the_road_already(
    new_region: NewRegion, tmp_path: Path
) -> None:
    road = open_road(new_region)
    trip = road.offer()
    road.book()
    assert len(road.trip(trip).stops) == 4
    road.report(road.farm, road.bookings(road.farm)[-1], "cancel")
    assert road.guest_of(trip).state == "cancelled_free"
    assert [stop.free.crates for stop in road.trip(trip).stops] == [37, 40, 40]

    road.ask()
    road.book()
    road.region.cut("a", "b")
    loaded = road.aboard(trip)[-1]
    road.report(road.mill, loaded, "pick_up")
    road.report(road.farm, road.bookings(road.farm)[-1], "cancel")
    Schedule(road, random.Random(0), trip, tmp_path).settle()
    assert [place[-1].state for place in (road.aboard(trip), road.bookings(road.farm))] == ["picked_up"] * 2
