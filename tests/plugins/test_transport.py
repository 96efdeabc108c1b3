"""Transport on one instance: needs from closed sales, trips, quotes, bookings and statements, on both databases."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from email import message_from_bytes
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from commensal import Conflict, Forbidden, Invalid, NotFound, Row, metadata
from commensal.base.clock import ManualClock
from commensal.enterprises.tables import enterprise
from commensal.instance import Instance
from commensal.storage.jobs.tables import job
from commensal.testing.instances import RunJobs
from commensal_transport.bookings.balances import Balance, balances_of, minutes_for_others
from commensal_transport.bookings.bookings import correct_count, counted_of, offer_trip
from commensal_transport.bookings.driving import (
    Noted,
    cancel_trip,
    change_vehicle,
    open_conflicts,
    report_at_stop,
    settle_conflict,
    take_note,
)
from commensal_transport.bookings.mails import tell
from commensal_transport.bookings.offers import NeedAnswer, find_quotes
from commensal_transport.bookings.quotes import NoQuote, TripQuote
from commensal_transport.bookings.statements import TripStatement, digest_of, finish_trip, mistakes_of
from commensal_transport.bookings.states import ACTS, NEXT, OWED, STATES
from commensal_transport.places.loads import Load
from commensal_transport.tables import transport_event, transport_stop
from commensal_transport.trips.needs import correct_load
from commensal_transport.trips.trips import Trip, TripTerms

from .at_once import at_once
from .inflating import inflated
from .reporting import table
from .valley import KEY, Valley, open_valley

PLUGINS = ("transport",)


@pytest.fixture
def valley(instance: Instance, clock: ManualClock) -> Valley:
    return open_valley(instance, clock)


def room(trip: Trip) -> list[int]:
    return [stop.free.crates for stop in trip.stops]


def finish(valley: Valley, trip: Trip) -> TripStatement:
    with valley.store.write() as tx:
        return finish_trip(tx, trip.enterprise_id, trip.id)


def deliver_all(valley: Valley, trip: Trip) -> None:
    for booking in valley.bookings(trip):
        if booking.state == "confirmed":
            valley.report(trip.enterprise_id, booking, "pick_up", crates=booking.crates)
            valley.report(trip.enterprise_id, booking, "deliver")


def correct(valley: Valley, farm: str, *, most: int | None) -> None:
    with valley.store.write() as tx:
        correct_load(tx, valley.instance.hooks, farm, KEY, crates=3, kg=22, own_boxes=False, most=most)


def test_a_need_is_made_from_a_closed_sale_and_shows_what_driving_alone_costs(valley: Valley) -> None:
    need = valley.need("gardener")
    assert (need.crates, need.kg, need.keeping) == (3, 22, "ambient"), "20 kg net, a tenth more with packaging"
    assert need.closes - need.opens == timedelta(hours=4)
    assert need.alone is not None
    assert need.alone.metres == pytest.approx(60_800, abs=500)  # 23.4 km as the crow flies, there and back
    assert need.alone.cents == pytest.approx(need.alone.metres * 0.040, abs=1)
    assert valley.need("dairy").keeping == "cold4"


def test_the_sender_corrects_the_crates(valley: Valley) -> None:
    with valley.store.write() as tx:
        correct_load(tx, valley.instance.hooks, "dairy", KEY, crates=5, kg=31, own_boxes=True)
    need = valley.need("dairy")
    assert (need.crates, need.kg, need.load) == (5, 31, Load(8, 31, 0))
    with valley.store.write() as tx, pytest.raises(Invalid):
        correct_load(tx, valley.instance.hooks, "dairy", KEY, crates=0, kg=31, own_boxes=False)


def test_a_guest_gets_a_price_below_driving_alone_books_and_takes_room_on_the_way(valley: Valley) -> None:
    trip = valley.trip()
    offer = valley.quote("baker", trip)
    assert isinstance(offer, TripQuote)
    assert 0 < offer.price < offer.alone
    booking = valley.book("baker", trip, offer.price)
    assert (booking.state, booking.cap) == ("confirmed", offer.price)
    assert room(valley.again(trip)) == [37, 34, 40, 40]
    with pytest.raises(Conflict, match="travel with another trip"):
        valley.book("baker", trip)


def test_to_see_what_a_trip_costs_changes_nothing(valley: Valley) -> None:
    trip = valley.trip()

    def rows() -> dict[str, list[Row]]:
        with valley.store.read() as tx:
            tables = [table for name, table in metadata.tables.items() if name.startswith("transport_")]
            return {table.name: list(tx.all(select(table))) for table in tables}

    before = rows()
    with valley.store.write() as tx:  # one that would keep whatever a quote wrote
        offer = NeedAnswer(valley.need("baker"), "")
        find_quotes(tx, valley.instance.hooks, "baker", [offer], "en")
    assert [quote.trip.id for quote in offer.quotes] == [trip.id]
    assert rows() == before


def test_who_would_not_drive_pays_at_most_what_they_say(valley: Valley) -> None:
    trip = valley.trip()
    usual = valley.quote("baker", trip)
    assert isinstance(usual, TripQuote)
    correct(valley, "baker", most=usual.price - 100)
    offer = valley.quote("baker", trip)
    assert isinstance(offer, TripQuote)
    assert offer.price < offer.alone == usual.price - 100, "so much is saved at most"
    booking = valley.book("baker", trip, offer.price)
    deliver_all(valley, trip)
    statement = finish(valley, trip)
    assert statement.content["participants"][1][1] == booking.alone == booking.most == usual.price - 100
    assert statement.shares[booking.id][1] <= offer.price
    assert mistakes_of(statement.content) == []


def test_a_trip_that_costs_more_than_somebody_would_pay_does_not_carry_them(valley: Valley) -> None:
    trip = valley.trip()
    correct(valley, "baker", most=1)
    refusal = valley.quote("baker", trip)
    assert isinstance(refusal, NoQuote)
    assert refusal.code == "price"
    with pytest.raises(Invalid, match="between 0 and 1,000"):
        correct(valley, "baker", most=0)


def test_kilometres_inflated_by_a_fifth_are_found_though_all_else_adds_up(valley: Valley) -> None:
    trip = valley.trip()
    valley.book("baker", trip)
    deliver_all(valley, trip)
    content = dict(finish(valley, trip).content)
    assert mistakes_of(content) == []
    assert mistakes_of(inflated(content)) == ["km"]


def test_a_price_that_rose_meanwhile_is_not_taken(valley: Valley) -> None:
    trip = valley.trip()
    offer = valley.quote("baker", trip)
    assert isinstance(offer, TripQuote)
    with pytest.raises(Conflict, match="price has changed"):
        valley.book("baker", trip, offer.price - 1)
    assert room(valley.again(trip)) == [37, 40, 40]


def test_later_guests_never_make_it_dearer(valley: Valley) -> None:
    trip = valley.trip(vehicle=valley.vehicle(cold=10, keeping="cold4"))
    first = valley.book("baker", trip)
    second = valley.book("dairy", trip)
    deliver_all(valley, trip)
    statement = finish(valley, trip)
    assert sum(cents for _, cents in statement.shares.values()) == statement.content["total"]
    for booking in (first, second):
        assert booking.cap is not None
        assert statement.shares[booking.id][1] <= booking.cap <= booking.alone
    assert mistakes_of(statement.content) == []
    assert statement.digest == digest_of(statement.content)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"share": "less"}, "shares"),
        ({"share": "above cap"}, "cap"),
        ({"km": "longer"}, "km"),
        ({"payer": "left out"}, "sum"),
    ],
)
def test_a_forged_statement_is_found_by_whoever_reads_it(valley: Valley, change: dict[str, str], code: str) -> None:
    trip = valley.trip()
    valley.book("baker", trip)
    deliver_all(valley, trip)
    content = dict(finish(valley, trip).content)
    rows = [list(row) for row in content["participants"]]
    if change == {"share": "less"}:
        rows[0][4], rows[1][4] = rows[0][4] + 10, rows[1][4] - 10
    elif change == {"share": "above cap"}:
        rows[0][4], rows[1][4] = rows[0][4] - 500, rows[1][4] + 500
    elif change == {"km": "longer"}:
        content["items"] = [["km", content["items"][0][1] + 20_000, *content["items"][0][2:]], content["items"][1]]
    else:
        rows = rows[:1]
    assert code in mistakes_of({**content, "participants": rows})


def test_goods_that_must_be_cold_need_a_cold_place_or_boxes(valley: Valley) -> None:
    trip = valley.trip()
    refusal = valley.quote("dairy", trip)
    assert isinstance(refusal, NoQuote)
    assert refusal.code == "class"
    with valley.store.write() as tx:
        correct_load(tx, valley.instance.hooks, "dairy", KEY, crates=3, kg=22, own_boxes=True)
    assert isinstance(valley.quote("dairy", trip), TripQuote)


@pytest.mark.parametrize(
    ("farm", "declared", "code"), [("baker", {"is_farm": False}, "basis"), ("baker", {"is_farm": True}, None)]
)
def test_the_legal_basis_is_checked(valley: Valley, farm: str, declared: dict[str, Any], code: str | None) -> None:
    trip = valley.trip()
    valley.set(farm, **declared)
    answer = valley.quote(farm, trip)
    assert (answer.code if isinstance(answer, NoQuote) else None) == code


def test_who_is_no_farm_cannot_offer_help_between_farms_nor_a_price_without_a_licence(valley: Valley) -> None:
    vehicle = valley.vehicle()
    valley.set("gardener", is_farm=False)
    with pytest.raises(Invalid, match="legal basis"):
        valley.trip(vehicle=vehicle)
    with pytest.raises(Invalid, match="legal basis"):
        valley.trip(vehicle=vehicle, basis="hire", rule="tariff/1")
    with pytest.raises(Invalid, match="posted price"):
        valley.trip(vehicle=vehicle, rule="tariff/1")


def test_a_van_that_must_come_again_because_it_is_full_saves_nothing(valley: Valley) -> None:
    trip = valley.trip(vehicle=valley.vehicle(crates=5))
    refusal = valley.quote("baker", trip)
    assert isinstance(refusal, NoQuote)
    assert refusal.code == "price", "back from the hub for what did not fit before is as far as driving alone"


def test_the_database_refuses_an_overbooked_leg_whatever_the_code_does(valley: Valley) -> None:
    trip = valley.trip()
    with pytest.raises(IntegrityError, match="not_overbooked"), valley.store.write() as tx:
        tx.execute(update(transport_stop).where(transport_stop.c.trip_id == trip.id).values(free_crates=-1))


def test_two_who_want_the_last_crates_at_once_do_not_both_get_them(instance: Instance, clock: ManualClock) -> None:
    valley = open_valley(instance, clock)
    with valley.store.write() as tx:
        correct_load(tx, instance.hooks, "dairy", KEY, crates=2, kg=22, own_boxes=True)
    trip = valley.trip(vehicle=valley.vehicle(crates=6))
    outcomes = at_once(*[lambda farm=farm: valley.book(farm, trip) for farm in ("baker", "dairy")] * 4)
    assert outcomes["done"] == 1
    assert set(outcomes) <= {"done", "full", "price", "already"}
    assert min(room(valley.again(trip))) == 0


def test_a_cancelled_booking_frees_exactly_its_legs(valley: Valley) -> None:
    trip = valley.trip()
    before = valley.again(trip)
    booking = valley.report("baker", valley.book("baker", trip), "cancel")
    assert booking.state == "cancelled_free"
    assert valley.again(trip).stops == before.stops
    assert valley.book("baker", trip).state == "confirmed", "and the goods may travel again"


def test_who_cancels_late_pays_the_detour_unless_the_van_does_not_go_there(valley: Valley, clock: ManualClock) -> None:
    trip = valley.trip(book_until=clock.now() + timedelta(hours=1))
    booking = valley.book("baker", trip)
    clock.advance(hours=2)
    assert valley.report("baker", booking, "cancel").state == "cancelled_late"
    assert room(valley.again(trip)) == [37, 37, 40, 40], "the van still stops there, with the room free"
    deliver_all(valley, trip)
    content = finish(valley, trip).content
    owed = {row[0]: (row[4], row[2]) for row in content["participants"]}
    assert owed[2][0] == min(owed[2][1], booking.cap or 0)
    assert mistakes_of(content) == []


def test_a_late_cancel_that_the_driver_drops_costs_nothing(valley: Valley, clock: ManualClock) -> None:
    trip = valley.trip(book_until=clock.now() + timedelta(hours=1))
    booking = valley.book("baker", trip)
    clock.advance(hours=2)
    valley.report("baker", booking, "cancel")
    assert valley.report("gardener", booking, "skip").state == "cancelled_free"
    assert room(valley.again(trip)) == [37, 40, 40]


@pytest.mark.parametrize("event", ["no_goods", "brought_by_sender"])
def test_who_is_not_there_pays_the_detour_and_no_share(valley: Valley, event: Any) -> None:
    trip = valley.trip()
    booking = valley.book("baker", trip)
    valley.report("gardener", booking, event)
    deliver_all(valley, trip)
    assert finish(valley, trip).content["participants"][1][6] == 1


def test_goods_that_came_warm_are_refused_by_their_receiver_and_cost_no_share(valley: Valley) -> None:
    trip = valley.trip(vehicle=valley.vehicle(cold=10, keeping="cold4"))
    booking = valley.book("dairy", trip)
    valley.report("gardener", booking, "pick_up", celsius=Decimal("3.4"))
    with pytest.raises(Forbidden):
        valley.report("gardener", booking, "refuse_warm")
    assert valley.report("shop", booking, "refuse_warm", celsius=Decimal("9.5"), note="warm").state == "returned"
    deliver_all(valley, trip)
    statement = finish(valley, trip)
    assert booking.id not in statement.shares


def test_a_trip_called_off_gives_its_goods_back(valley: Valley) -> None:
    trip = valley.trip()
    booking = valley.book("baker", trip)
    with valley.store.write() as tx:
        cancel_trip(tx, "gardener", trip.id)
    assert valley.booking(booking).state == "cancelled_by_carrier"
    refusal = valley.quote("baker", trip)
    assert isinstance(refusal, NoQuote)
    assert refusal.code == "gone"
    assert valley.book("baker", valley.trip("dairy", vehicle=valley.vehicle("dairy", cold=9, keeping="cold4")))


def test_all_who_count_on_a_trip_are_told_that_it_is_called_off(valley: Valley) -> None:
    trip = valley.trip()
    valley.book("baker", trip)
    with valley.store.write() as tx:
        cancel_trip(tx, "gardener", trip.id)
    with valley.store.read() as tx:
        mails = [row["payload"] for row in tx.all(select(job.c.payload).where(job.c.kind == "mail"))]
    news = {mail["to"]: mail["values"]["news"] for mail in mails if mail["kind"] == "transport_news"}
    assert news == {"baker@example.org": "called_off", "shop@example.org": "called_off"}


def count_mails(valley: Valley, address: str) -> int:
    """The e-mails that were sent to this address."""
    files = (valley.instance.folder / "mail").glob("*.eml")
    return sum(address in message_from_bytes(file.read_bytes())["To"] for file in files)


def test_who_books_and_cancels_again_and_again_fills_no_mailbox(
    valley: Valley, run_jobs: RunJobs, clock: ManualClock
) -> None:
    trip = valley.trip()
    booking = valley.booking(valley.book("baker", trip))
    most = valley.instance.settings.limits.mails
    run_jobs()
    before = count_mails(valley, "gardener@example.org")
    for _ in range(most + 3):
        with valley.store.write() as tx:
            tell(tx, "booked", trip, [booking])
    run_jobs()
    assert count_mails(valley, "gardener@example.org") == before + most
    clock.advance(hours=1)
    with valley.store.write() as tx:
        tell(tx, "cancelled", trip, [booking])
    run_jobs()
    assert count_mails(valley, "gardener@example.org") == before + most + 1


def test_a_smaller_van_is_refused_while_bookings_exceed_it(valley: Valley) -> None:
    trip = valley.trip()
    valley.book("baker", trip)
    small, enough = valley.vehicle(crates=5), valley.vehicle(crates=6)
    with valley.store.write() as tx, pytest.raises(Conflict, match="does not fit"):
        change_vehicle(tx, "gardener", trip.id, small.id)
    with valley.store.write() as tx:
        change_vehicle(tx, "gardener", trip.id, enough.id)
    assert room(valley.again(trip)) == [3, 0, 6, 6]


def test_others_neither_see_nor_change_a_booking(valley: Valley) -> None:
    trip = valley.trip()
    booking = valley.book("baker", trip)
    with pytest.raises(NotFound):
        valley.report("dairy", booking, "cancel")
    with valley.store.write() as tx, pytest.raises(NotFound):
        cancel_trip(tx, "baker", trip.id)
    with pytest.raises(NotFound):
        finish(valley, Trip(**{**trip.__dict__, "enterprise_id": "baker"}))


def test_a_statement_waits_until_each_booking_has_its_end(valley: Valley) -> None:
    trip = valley.trip()
    valley.book("baker", trip)
    with pytest.raises(Conflict, match="what became"):
        finish(valley, trip)


def test_goods_that_do_not_fit_into_ones_own_van_are_not_offered(valley: Valley) -> None:
    with pytest.raises(Conflict, match="not enough room"):
        valley.trip(vehicle=valley.vehicle(crates=2))
    with valley.store.write() as tx:
        tx.execute(update(enterprise).where(enterprise.c.id == "gardener").values(latitude=None, longitude=None))
    with pytest.raises(Invalid, match="coordinates"):
        valley.trip()


def test_each_need_travels_once_though_its_sender_offers_two_trips(valley: Valley) -> None:
    valley.trip()
    with pytest.raises(Conflict, match="travel with another trip"):
        valley.trip()


def test_every_state_has_its_end(valley: Valley) -> None:
    assert set(OWED) == set(STATES)
    for state, events in NEXT.items():
        assert state in STATES
        assert set(events) <= set(ACTS)
        assert set(events.values()) <= set(STATES)
    answers = {"ordered", "refused"}  # of a carrier at another instance; the first while there is none
    reached, waiting = {"confirmed", *answers}, ["confirmed"]
    while waiting:
        for state in NEXT.get(waiting.pop(), {}).values():  # type: ignore[call-overload]
            if state not in reached:
                reached.add(state)
                waiting.append(state)
    assert reached == set(STATES)


def test_turns_and_cents_of_partners_are_summed_up_by_their_statements(valley: Valley) -> None:
    trip = valley.trip()
    booking = valley.book("baker", trip)
    deliver_all(valley, trip)
    statement = finish(valley, trip)
    cents = statement.shares[booking.id][1]
    with valley.store.read() as tx:
        (of_driver,), (of_guest,) = balances_of(tx, "gardener"), balances_of(tx, "baker")
        minutes = minutes_for_others(tx, "gardener")
        assert (balances_of(tx, "dairy"), minutes_for_others(tx, "baker")) == ([], 0)
    assert of_driver == Balance(partner_id="baker", turns_for=1, owed_by=cents)
    assert of_guest == Balance(partner_id="gardener", turns_by=1, owed_to=cents)
    assert 8 <= minutes == statement.content["minutesForOthers"]


def test_what_partners_pay_each_other_is_exported_for_the_accounts(valley: Valley) -> None:
    trip = valley.trip(vehicle=valley.vehicle(cold=10, keeping="cold4"))
    bookings = [valley.book(farm, trip) for farm in ("baker", "dairy")]
    called_off = valley.report("baker", bookings[0], "cancel")
    assert called_off.state == "cancelled_free"
    deliver_all(valley, trip)
    statement = finish(valley, trip)
    cents = statement.shares[bookings[1].id][1]
    days = {"since": "2026-06-01", "until": "2026-06-30"}
    money = f"{cents // 100}.{cents % 100:02}"
    line = {
        "Date": "2026-06-06",
        "Number of the statement": statement.digest[8:24],
        "Partner": "Dairy",
        "Driven by": "Gardener",
        "Kilometres of the round": str(round(statement.content["items"][0][1] / 1000)),
    }
    assert table(valley.instance, "gardener", "transport:rounds", **days, flat=True) == [
        {**line, "they pay (EUR)": money, "you pay (EUR)": ""}
    ]
    assert table(valley.instance, "dairy", "transport:rounds", **days, flat=True) == [
        {**line, "Partner": "Gardener", "they pay (EUR)": "", "you pay (EUR)": money}
    ]
    assert table(valley.instance, "baker", "transport:rounds", **days, flat=True) == []
    july = {"since": "2026-07-01", "until": "2026-07-31"}
    assert table(valley.instance, "dairy", "transport:rounds", **july, flat=True) == []


def test_turns_are_counted_without_money(valley: Valley) -> None:
    trip = valley.trip(rule="turns/1")
    booking = valley.book("baker", trip)
    assert booking.cap == 0
    deliver_all(valley, trip)
    assert finish(valley, trip).shares[booking.id] == (2, 0)
    with valley.store.read() as tx:
        assert balances_of(tx, "baker") == [Balance(partner_id="gardener", turns_by=1)]


def test_carriage_for_hire_has_a_posted_price(valley: Valley) -> None:
    vehicle = valley.vehicle()
    valley.set("gardener", is_farm=True, licence="2026/75/0000123")
    trip = valley.trip(vehicle=vehicle, basis="hire", rule="tariff/1", stop_price=300, crate_price=50)
    booking = valley.book("baker", trip)
    assert booking.cap == 300 + 3 * 50
    deliver_all(valley, trip)
    assert finish(valley, trip).shares[booking.id][1] == 450


def test_an_offer_without_goods_of_ones_own_is_none(valley: Valley) -> None:
    need = valley.need("gardener")
    terms = TripTerms(vehicle_id=valley.vehicle().id, starts_at=need.opens, ends_at=need.closes)
    with valley.store.write() as tx, pytest.raises(Invalid, match="what you bring yourself"):
        offer_trip(tx, valley.instance.hooks, "gardener", terms, [])


def test_what_a_driver_reports_too_late_is_kept_for_people_and_changes_nothing(valley: Valley) -> None:
    trip = valley.trip()
    booking = valley.book("baker", trip)
    valley.report("baker", booking, "cancel")
    with valley.store.write() as tx:
        late = Noted(booking_id=booking.id, event="pick_up", crates=3, celsius=Decimal("3.5"), at=tx.now)
        error = take_note(tx, "gardener", trip.id, late, by="noe")
        assert error is not None
        assert error.code == "state"
    assert valley.booking(booking).state == "cancelled_free"
    with valley.store.write() as tx:
        (conflict,) = open_conflicts(tx, trip.id)
        assert (conflict.crates, conflict.celsius, conflict.person_id) == (3, Decimal("3.5"), "noe")
        with pytest.raises(NotFound):
            settle_conflict(tx, "another trip", conflict.id, by="noe")
        settle_conflict(tx, trip.id, conflict.id, by="noe")
        assert open_conflicts(tx, trip.id) == []


def test_nothing_is_loaded_two_days_before_the_trip(valley: Valley, clock: ManualClock) -> None:
    trip = valley.trip()
    booking = valley.book("baker", trip)
    clock.set(trip.starts_at - timedelta(days=2))
    early = Noted(booking_id=booking.id, event="pick_up", crates=3)
    with pytest.raises(Conflict, match="The trip begins in 48 hours"), valley.store.write() as tx:
        report_at_stop(tx, "gardener", trip.id, early)
    with valley.store.write() as tx:
        assert take_note(tx, "gardener", trip.id, early, by="noe") is not None
        assert [conflict.crates for conflict in open_conflicts(tx, trip.id)] == [3], "a person looks at it"
    clock.set(trip.starts_at - timedelta(hours=10))
    with valley.store.write() as tx:
        assert report_at_stop(tx, "gardener", trip.id, early).state == "picked_up", "a van is loaded on the eve"


def test_a_correction_leaves_the_first_count_and_everybody_reads_the_newest(valley: Valley) -> None:
    trip = valley.trip()
    booking = valley.book("baker", trip)
    with pytest.raises(Conflict, match="cannot happen"), valley.store.write() as tx:
        correct_count(tx, "gardener", booking.id, crates=2, celsius=None)
    valley.report("gardener", booking, "pick_up", crates=3, celsius=Decimal("3.5"))
    with valley.store.write() as tx:
        correct_count(tx, "gardener", booking.id, crates=2, celsius=None, note="one was the dairy's")
    with pytest.raises(NotFound), valley.store.write() as tx:
        correct_count(tx, "baker", booking.id, crates=1, celsius=None)
    with pytest.raises(Invalid), valley.store.write() as tx:
        correct_count(tx, "gardener", booking.id, crates=None, celsius=None)
    with valley.store.read() as tx:
        rows = tx.all(select(transport_event).where(transport_event.c.booking_id == booking.id))
        newest = counted_of(tx, [booking.id])[booking.id]
    assert [row["crates"] for row in sorted(rows, key=lambda row: (row["at"], row["id"]))] == [3, 2]
    assert (newest.crates, newest.celsius) == (2, Decimal("3.5")), "what is not said stays as it was"
    assert valley.booking(booking).state == "picked_up"
