"""Crates that differ at both ends of a way: each side says what is true, and nobody decides for the others."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError
from starlette.testclient import TestClient

from commensal import Conflict, Invalid, NotFound
from commensal.base.clock import ManualClock
from commensal.instance import Instance
from commensal.storage.jobs.tables import job
from commensal_transport.bookings.bookings import Booking
from commensal_transport.bookings.counts import Counts, counts_of, differing_counts, lost_with, say_count
from commensal_transport.bookings.driving import Noted, report_at_stop
from commensal_transport.bookings.statements import finish_trip
from commensal_transport.tables import transport_count
from commensal_transport.trips.trips import Trip

from .test_transport_pages import member
from .valley import Valley, open_valley

PLUGINS = ("shop", "office", "transport")
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def valley(instance: Instance, clock: ManualClock) -> Valley:
    return open_valley(instance, clock)


def carried(valley: Valley, loaded: int, unloaded: int) -> tuple[Trip, Booking]:
    """The baker's goods travel with the gardener, whose driver counts so many crates at both ends."""
    trip = valley.trip()
    booking = valley.book("baker", trip)
    for own in valley.bookings(trip):
        for event, crates in (("pick_up", loaded), ("deliver", unloaded)):
            crates = own.crates if own.is_own else crates
            with valley.store.write() as tx:
                noted = Noted(booking_id=own.id, event=event, crates=crates)  # type: ignore[arg-type]
                report_at_stop(tx, "gardener", trip.id, noted)
    return trip, booking


def says(valley: Valley, who: str, booking: Booking, *counted: int | None, why: str = "") -> Counts:
    with valley.store.write() as tx:
        loaded, unloaded = counted
        return say_count(tx, who, booking.id, loaded=loaded, unloaded=unloaded, reason=why)  # type: ignore[arg-type]


def now(valley: Valley, booking: Booking) -> Counts:
    with valley.store.read() as tx:
        return counts_of(tx, [(valley.booking(booking), "gardener")])[booking.id]


def test_a_crate_that_was_lost_on_the_way_is_owed_to_its_sender_as_an_empty_one(valley: Valley) -> None:
    _, booking = carried(valley, 10, 9)
    for farm in ("gardener", "baker", "shop"):
        with valley.store.read() as tx:
            (counts,) = differing_counts(tx, farm)
        assert (counts.state, counts.waiting) == ("open", ["carrier", "sender", "receiver"])
    says(valley, "baker", booking, 10, None, why="note")
    assert now(valley, booking).state == "open"
    lost = says(valley, "gardener", booking, 10, 9, why="lost")
    assert (lost.state, lost.lost, lost.waiting) == ("lost", 1, []), "what the hub's driver noted stands"
    with valley.store.read() as tx:
        sums = {
            farm: [
                (each.partner_id, each.lost, each.disputed, each.owed_to, each.owed_by) for each in lost_with(tx, farm)
            ]
            for farm in ("gardener", "baker", "shop")
        }
        assert differing_counts(tx, "baker") == []
    assert sums == {
        "gardener": [("baker", 1, 0, 1, 0)],
        "baker": [("gardener", 1, 0, 0, 1)],
        "shop": [("gardener", 1, 0, 0, 0)],
    }


def test_counts_that_stay_apart_are_in_dispute_between_these_two_until_one_gives_way(valley: Valley) -> None:
    _, booking = carried(valley, 10, 9)
    says(valley, "gardener", booking, 10, 10)
    says(valley, "shop", booking, None, 9, why="recounted")
    kept = says(valley, "baker", booking, 10, None, why="note")
    assert (kept.state, kept.disputed, kept.waiting) == ("kept", (0, 1), [])
    with valley.store.read() as tx:
        assert [(each.partner_id, each.disputed, each.owed_to) for each in lost_with(tx, "gardener")] == [
            ("shop", 1, 0)
        ]
        assert [each.state for each in differing_counts(tx, "shop")] == ["kept"], "it stays on the page"
    settled = says(valley, "shop", booking, None, 10)
    assert (settled.state, settled.differ) == ("same", False)
    with valley.store.read() as tx:
        assert lost_with(tx, "gardener") == []
        words = [(row["side"], row["number"], row["unloaded"]) for row in tx.all(select(transport_count))]
    assert sorted(words) == [("carrier", 1, 10), ("receiver", 1, 9), ("receiver", 2, 10), ("sender", 1, None)]
    with pytest.raises(DBAPIError, match="only grows"), valley.store.write() as tx:
        tx.execute(delete(transport_count))


def test_a_receiver_counts_otherwise_although_the_driver_noted_the_same_twice(valley: Valley) -> None:
    _, booking = carried(valley, 10, 10)
    assert now(valley, booking).state == "same"
    with pytest.raises(Invalid, match="choose why"):
        says(valley, "shop", booking, None, 8)
    counts = says(valley, "shop", booking, None, 8, why="photo")
    assert (counts.state, counts.waiting) == ("open", ["carrier", "sender"])
    with pytest.raises(Invalid, match="choose why"):
        says(valley, "gardener", booking, 10, 10)
    assert says(valley, "gardener", booking, 8, 8).waiting == ["sender"]
    assert says(valley, "baker", booking, 8, None).state == "same", "the baker gives way as well"


def test_who_says_what_is_checked(valley: Valley, clock: ManualClock) -> None:
    _, booking = carried(valley, 10, 9)
    with pytest.raises(NotFound):
        says(valley, "dairy", booking, 10, 10)
    for who, counted in (("baker", (None, 9)), ("shop", (9, None)), ("gardener", (9, None)), ("baker", (-1, None))):
        with pytest.raises(Invalid, match=r"10,000"):
            says(valley, who, booking, *counted, why="other")
    for _ in range(5):
        says(valley, "baker", booking, 10, None, why="other")
    with pytest.raises(Conflict, match="several times"):
        says(valley, "baker", booking, 9, None)
    clock.advance(days=25)
    with pytest.raises(Conflict, match="three weeks"):
        says(valley, "shop", booking, None, 10)
    (own,) = [each for each in valley.bookings(valley.trip_by_id(booking.trip_id)) if each.is_own]
    assert now(valley, own).sides["sender"] == "gardener"


def test_each_side_has_a_card_with_what_it_may_say_and_the_statement_names_what_is_missing(
    valley: Valley, client: TestClient
) -> None:
    trip, booking = carried(valley, 10, 9)
    with valley.store.read() as tx:
        mails = [row["payload"] for row in tx.all(select(job.c.payload).where(job.c.kind == "mail"))]
    told = sorted(
        mail["to"] for mail in mails if mail["kind"] == "transport_news" and mail["values"]["news"] == "counts"
    )
    assert told == ["baker@example.org", "gardener@example.org", "shop@example.org"]
    pages = {farm: f"/office/{farm}/transport" for farm in ("gardener", "baker", "shop")}
    gardener, baker = member(valley, client, "gardener"), member(valley, client, "baker")
    hub = member(valley, client, "shop")
    offered = {
        "gardener": "It was 10 at both endsIt was 9 at both ends",
        "baker": "It was 9 crates",
        "shop": "It was 10 crates",
    }
    for browser, farm in ((gardener, "gardener"), (baker, "baker"), (hub, "shop")):
        page = browser.go(pages[farm])
        assert "What is true?" in page.text
        assert offered[farm] in page.text, page.text
    baker.post(f"{pages['baker']}?then=count", booking=booking.id, loaded="10", reason="note")
    assert "Noted. The others read what you say" in baker.page.text, baker.page.text
    assert "Still to say what is true: Gardener, Halle." in baker.page.text
    hub.post(f"{pages['shop']}?then=count", booking=booking.id, unloaded="9")
    assert "choose why" in hub.page.text
    gardener.post(f"{pages['gardener']}?then=count", booking=booking.id, loaded="10", unloaded="9", reason="lost")
    assert "Settled: what is missing was lost on the way" in gardener.page.text
    assert "Crates that differ" not in gardener.page.text
    lost = "1 crate was lost on the way; its carrier says so. Delivery note"
    assert lost in baker.go(pages["baker"]).text, "its sender reads it where it sends"
    with valley.store.write() as tx:
        finish_trip(tx, "gardener", trip.id)
    for browser, farm in ((baker, "baker"), (gardener, "gardener")):
        statement = browser.go(f"{pages[farm]}/statements/{trip.id}").text
        assert "10 crates loaded (the delivery note or the code shows it)" in statement, statement
        assert "1 crate was lost on the way; its carrier says so." in statement
        balance = browser.go(f"{pages[farm]}/balance").text
        owing = {"baker": "they owe 1 empty crate", "gardener": "You owe 1 empty crate"}
        assert f"1 lost on the way {owing[farm]}" in balance, balance
    note = hub.go(f"{pages['shop']}/loads/{booking.id}").text
    assert "10 crates loaded, 9 crates unloaded (lost or broken on the way)" in note, note


def test_a_receiver_says_on_its_delivery_note_that_it_counted_otherwise(valley: Valley, client: TestClient) -> None:
    _, booking = carried(valley, 10, 10)
    hub = member(valley, client, "shop")
    hub.go(f"/office/shop/transport/loads/{booking.id}")
    assert "I counted otherwise" in hub.page.text
    hub.send("?then=count", unloaded="8", reason="recounted")
    assert "Noted. The others read what you say" in hub.page.text, hub.page.text
    with valley.store.read() as tx:
        assert [each.receiver for each in differing_counts(tx, "baker")] == [8]
