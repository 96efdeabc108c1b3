"""Help between farms is for shared costs: what others pay in a year stays below what the kilometres cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, select
from starlette.testclient import TestClient

from commensal import Conflict, Invalid, metadata
from commensal.base.clock import ManualClock
from commensal.instance import Instance
from commensal_transport.bookings import quotes
from commensal_transport.bookings.bookings import bookings_of_trip, carried_on
from commensal_transport.bookings.quotes import NoQuote, TripQuote, quote
from commensal_transport.costs.sharing import Participant
from commensal_transport.service_settings import ServiceSettings
from commensal_transport.tables import transport_statement, transport_trip
from commensal_transport.trips.help_years import HelpYear, help_years
from commensal_transport.trips.trips import Trip, trip_by_id

from .test_transport import deliver_all, finish
from .test_transport_pages import member
from .valley import Valley, open_valley

PLUGINS = ("shop", "office", "transport")
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def valley(instance: Instance, clock: ManualClock) -> Valley:
    return open_valley(instance, clock)


def year_of(valley: Valley, farm: str = "gardener") -> HelpYear:
    with valley.store.read() as tx:
        return help_years(tx, valley.instance.hooks, [farm])[farm]


def limit(valley: Valley, monkeypatch: pytest.MonkeyPatch, cents_per_km: int) -> None:
    """The operator sets what a kilometre counts at most."""
    settings = vars(valley.instance.hooks)["_instance_settings"]
    monkeypatch.setitem(settings, "transport", ServiceSettings(cents_per_km=cents_per_km))


def test_a_year_counts_what_others_paid_against_what_its_kilometres_cost(valley: Valley, clock: ManualClock) -> None:
    assert year_of(valley) == HelpYear()
    trip = valley.trip(toll=300)
    booking = valley.book("baker", trip)
    deliver_all(valley, trip)
    statement = finish(valley, trip)
    year = year_of(valley)
    assert (year.rounds, year.metres) == (1, statement.content["items"][0][1])
    assert (year.costs, year.received) == (statement.content["total"], statement.shares[booking.id][1])
    assert not year.is_beyond_costs
    clock.advance(days=366)
    assert year_of(valley) == HelpYear()


def test_a_kilometre_that_costs_more_than_the_operator_allows_is_no_help_between_farms(
    valley: Valley, monkeypatch: pytest.MonkeyPatch
) -> None:
    dear = valley.vehicle("gardener", cents_per_km=101)
    with pytest.raises(Invalid, match="Some of what was sent") as refused:
        valley.trip(vehicle=dear)
    assert [(problem.code, problem.where) for problem in refused.value.problems] == [("beyond_costs", "/vehicle_id")]
    valley.set("gardener", is_farm=True, licence="2026/11/0001")
    hired = valley.trip(vehicle=dear, basis="hire", rule="tariff/1", stop_price=100)
    assert hired.cents_per_km == 101
    limit(valley, monkeypatch, 101)
    assert valley.trip("baker", vehicle=valley.vehicle("baker", cents_per_km=101)).basis == "farm_help"


def all_to_the_driver(total: int, participants: Sequence[Participant]) -> dict[str, int]:
    """A rule by which guests pay all that driving alone would cost, and the driver keeps what is left."""
    owed = {member.name: 0 if member.is_driver else member.alone - 1 for member in participants}
    driver = next(member.name for member in participants if member.is_driver)
    return owed | {driver: total - sum(owed.values())}


def greedy(valley: Valley, trip: Trip, year: HelpYear) -> TripQuote | NoQuote:
    with valley.store.read() as tx:
        trip = replace(trip_by_id(tx, trip.id), rule="greedy:all/1")
        carried = carried_on(trip, bookings_of_trip(tx, trip.id))
        rules = {trip.rule: all_to_the_driver}
        return quote(tx, trip, carried, valley.need("baker"), valley.settings("baker").party, rules, year)


def test_a_driver_who_would_get_more_than_a_years_kilometres_cost_takes_no_guest(
    valley: Valley, monkeypatch: pytest.MonkeyPatch
) -> None:
    trip = valley.trip()
    first = greedy(valley, trip, HelpYear())
    assert isinstance(first, TripQuote), "less than the whole round costs"
    paid_before = HelpYear(rounds=9, metres=1_000, costs=40, received=2_000)
    refusal = greedy(valley, trip, paid_before)
    assert isinstance(refusal, NoQuote)
    assert (refusal.code, "not help between farms" in str(refusal.error)) == ("beyond_costs", True)
    monkeypatch.setattr(quotes, "SHARES_COSTS", ())  # the canary: then help is a business
    assert isinstance(greedy(valley, trip, paid_before), TripQuote)


def test_a_year_beyond_costs_is_shown_to_driver_and_guest_and_no_guest_is_booked(
    valley: Valley, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    trip = valley.trip(vehicle=valley.vehicle(cents_per_km=45))
    valley.book("baker", trip)
    deliver_all(valley, trip)
    finish(valley, trip)
    gardener, baker = member(valley, client, "gardener"), member(valley, client, "baker")
    text = "Help between farms in the last twelve months"
    assert text in gardener.go("/office/gardener/transport/balance").text
    assert "more than the kilometres cost" not in gardener.page.text
    limit(valley, monkeypatch, 5)
    assert year_of(valley).is_beyond_costs, "as if the operator had found that so much was pay"
    for browser, path in (
        (gardener, "gardener/transport/balance"),
        (gardener, "gardener/transport/drive"),
        (gardener, f"gardener/transport/statements/{trip.id}"),
        (baker, f"baker/transport/statements/{trip.id}"),
    ):
        page = browser.go(f"/office/{path}").text
        assert text in page, path
        assert "That is more than the kilometres cost, so it is not help between farms any more" in page


def test_who_got_more_than_costs_is_booked_by_nobody_until_a_year_has_passed(
    valley: Valley, client: TestClient, clock: ManualClock
) -> None:
    trip = valley.trip()
    with valley.store.write() as tx:  # a round of last year, by which others paid 500 euros for 20 kilometres
        row = tx.one(select(transport_trip).where(transport_trip.c.id == trip.id))
        tx.execute(insert(transport_trip).values({**row, "id": "before", "state": "driven"}))
        statement = {"content": {}, "shares": {}, "digest": "", "metres": 20_000, "received": 50_000}
        written = tx.now - timedelta(days=364, hours=22)
        tx.execute(insert(transport_statement).values(trip_id="before", written_at=written, **statement))
    baker = member(valley, client, "baker")
    assert "That is not help between farms any more" in baker.go("/office/baker/transport").text
    with pytest.raises(Conflict, match="more than a year's kilometres cost"):
        valley.book("baker", trip)
    clock.advance(hours=3)
    assert valley.book("baker", trip).state == "confirmed"


def test_the_tables_of_transport_are_what_its_migrations_make(valley: Valley) -> None:
    def is_own_table(name: str | None, kind: str, _: object) -> bool:
        return kind != "table" or (str(name).startswith("transport_") and name != "transport_revision")

    with valley.store.read() as tx:
        context = MigrationContext.configure(tx.connection, opts={"include_name": is_own_table, "compare_type": True})
        differences = [each for each in compare_metadata(context, metadata) if "transport" in repr(each)]
    assert differences == []
