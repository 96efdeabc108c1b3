"""The story of the demo: a farm books the van of another instance, the round is driven, and both read one statement.

Each act is a command at one instance; all that the other one learns of it comes as a message over HTTP.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from commensal import DemoRun, Instance, Transaction, open_instance, spoken

from ..bookings.bookings import Booking, book, bookings_of_enterprise, bookings_of_trip, report
from ..bookings.quotes_elsewhere import QuoteElsewhere, answers_for
from ..bookings.statements import TripStatement, comparisons_of, finish_trip, statement_of
from ..bookings.states import ACTIVE, Event, State
from ..costs.alone import drive_alone
from ..places.routing import Point, metres
from ..trips.needs import Need, needs_of
from ..trips.trips import bookable_trips, trip_by_id

PATIENCE = 120.0  # seconds to wait for messages between instances
T = TypeVar("T")


@dataclass(frozen=True)
class Farm:
    """An enterprise, and the folder of its instance."""

    folder: Path
    id: str


@dataclass(frozen=True, kw_only=True)
class SharedRound:
    """A trip of `driver` with the goods of `helper`, of the same instance, and soon those of `guest`, of another."""

    trip_id: str
    driver: Farm
    helper: Farm
    guest: Farm


def run_story(run: DemoRun, shared: SharedRound) -> list[str]:
    """Acts the story out, and returns what went wrong."""
    if not _poll(lambda: _book_for_guest(shared)):
        return [spoken("a farm was offered no place in a van of another instance")]
    if not _poll(lambda: _has_state(shared.guest, "confirmed")):
        return [spoken("the instance of the van did not confirm a booking")]
    run.say(_tell_distances(shared))
    statement = _drive(shared)
    run.say(spoken("[bold]The round[/bold] is driven, and its statement written: {euros} €", euros=_euros(statement)))
    read = _poll(lambda: _statement_at_guest(shared))
    if read is None or (read.digest, read.content) != (statement.digest, statement.content):
        return [spoken("the two instances read different statements")]
    if not _poll(lambda: _is_agreed(shared, statement)):
        return [spoken("the instance of the guest did not agree with the statement")]
    text = "[green]All is well[/green]: both instances read the same statement, {digest}"
    run.say(spoken(text, digest=f"{statement.digest[:20]}…"))
    return []


def _book_for_guest(shared: SharedRound) -> bool:
    """The guest orders the carriage at the price that it reads, unless somebody has done so. False without a price."""
    with _at(shared.guest) as (instance, tx):
        if _bookings(tx, shared.guest):
            return True
        (need,) = needs_of(tx, instance.hooks, shared.guest.id)
        trips = bookable_trips(tx, but_of=shared.guest.id, elsewhere=True)
        for answer in answers_for(tx, need, trips):
            if isinstance(answer, QuoteElsewhere):
                book(tx, instance.hooks, shared.guest.id, need.key, answer.trip.id, price=answer.price)
                return True
    return False


def _has_state(farm: Farm, state: State) -> bool:
    with _at(farm) as (_, tx):
        return [booking.state for booking in _bookings(tx, farm)] == [state]


def _tell_distances(shared: SharedRound) -> str:
    alone = sum(_alone(farm) for farm in (shared.driver, shared.helper, shared.guest))
    with _at(shared.driver) as (_, tx):
        together = metres(trip_by_id(tx, shared.trip_id).stops)
    text = (
        "[bold]Three farms[/bold] of two instances bring goods to two hubs: three vans would drive {alone} km, one "
        "van drives {together} km"
    )
    return spoken(text, alone=round(alone / 1000), together=round(together / 1000))


def _alone(farm: Farm) -> int:
    """Metres that the farm would drive for the goods that travel with the round."""
    with _at(farm) as (instance, tx):
        keys = {booking.key for booking in bookings_of_enterprise(tx, farm.id) if booking.state in ACTIVE}
        needs = [need for need in needs_of(tx, instance.hooks, farm.id) if need.key in keys]
    home, places = _places(needs)
    return drive_alone(home, places).metres


def _places(needs: list[Need]) -> tuple[Point, list[Point]]:
    (home,) = {need.home for need in needs if need.home}
    return home, [need.destination for need in needs if need.destination]


def _drive(shared: SharedRound) -> TripStatement:
    """All is loaded and unloaded, and the driver has the statement written."""
    steps: dict[State, Event] = {"confirmed": "pick_up", "picked_up": "deliver"}
    with _at(shared.driver) as (_, tx):
        for state, event in steps.items():
            for booking in bookings_of_trip(tx, shared.trip_id):
                if booking.state == state:
                    report(tx, shared.driver.id, booking.id, event, crates=booking.crates)
        return finish_trip(tx, shared.driver.id, shared.trip_id)


def _statement_at_guest(shared: SharedRound) -> TripStatement | None:
    with _at(shared.guest) as (_, tx):
        (booking,) = _bookings(tx, shared.guest)
        return statement_of(tx, booking.trip_id)


def _is_agreed(shared: SharedRound, statement: TripStatement) -> bool:
    """Whether the guest's instance has answered that it reads this statement, and finds nothing wrong in it."""
    with _at(shared.driver) as (_, tx):
        comparisons = comparisons_of(tx, shared.trip_id)
    return [(row.digest, list(row.mistakes)) for row in comparisons] == [(statement.digest, [])]


def _bookings(tx: Transaction, farm: Farm) -> list[Booking]:
    return [booking for booking in bookings_of_enterprise(tx, farm.id) if booking.state != "refused"]


def _euros(statement: TripStatement) -> str:
    return f"{statement.content['total'] / 100:.2f}"


@contextmanager
def _at(farm: Farm) -> Iterator[tuple[Instance, Transaction]]:
    """The farm's instance, beside the process that serves it."""
    with open_instance(farm.folder) as instance, instance.store.write() as tx:
        yield instance, tx


def _poll(read: Callable[[], T]) -> T:
    """Reads a value until it is true or `PATIENCE` seconds are over; returns the last value."""
    deadline = time.monotonic() + PATIENCE
    while not (value := read()) and time.monotonic() < deadline:
        time.sleep(0.5)
    return value
