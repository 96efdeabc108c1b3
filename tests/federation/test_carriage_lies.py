"""What a peer says about transport that is not its to say, or too late, is refused by name and changes nothing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from commensal import Conflict, Row, enterprise_by_id
from commensal.enterprises import change_enterprise
from commensal_federation.delivery.outbox.dead_letters import newest
from commensal_transport.bookings.quotes import refusal_of
from commensal_transport.bookings.quotes_elsewhere import QuoteElsewhere, Waiting
from commensal_transport.bookings.statements import comparisons_of, digest_of, settled, statement_of
from commensal_transport.elsewhere import carrier
from commensal_transport.elsewhere.bodies import (
    BookingOrder,
    BookingState,
    QuoteAnswer,
    QuoteRequest,
    ReceiverReport,
    StatementAnswer,
    StatementCopy,
    TripOffer,
)
from commensal_transport.elsewhere.carriages import asked_carriage
from commensal_transport.elsewhere.sending import offered_trip
from commensal_transport.forgetting import forget_old
from commensal_transport.news import tell_others
from commensal_transport.service_settings import ServiceSettings
from commensal_transport.tables import (
    transport_asked,
    transport_booking,
    transport_event,
    transport_quote,
    transport_sent,
    transport_stop,
    transport_trip,
    transport_vehicle,
)
from commensal_transport.trips.trips import trip_by_id

from ..plugins.inflating import inflated
from .carrying import Road, open_road, say
from .conftest import NewRegion
from .trading import Place, clock_of

A, B = "https://a.example", "https://b.example"


@pytest.fixture
def road(new_region: NewRegion) -> Road:
    road = open_road(new_region)
    road.offer()
    road.ask()
    return road


def the_order(road: Road, **changes: Any) -> BookingOrder:
    """An order of the farm as its home would post it, under a name that is new."""
    need, (copy,) = road.need(road.farm), road.copies()
    with road.farm.read() as tx:
        carriage = asked_carriage(road.farm.federation, tx, need, road.hub.iri)
    assert copy.iri is not None
    order = BookingOrder(
        number=1,
        booking=f"{A}/-/transport/bookings/forged",
        state="ordered",
        trip=copy.iri,
        price=10**6,
        carriage=replace(carriage, **changes.pop("carriage", {})),
    )
    return replace(order, **changes)


def the_state(road: Road, **changes: Any) -> BookingState:
    """What the mill's home would say about the only booking."""
    trip_id = road.trip_id()
    with road.mill.read() as tx:
        offered = offered_trip(road.mill.federation, tx, trip_by_id(tx, trip_id))
    (booking,) = road.bookings(road.farm)
    state = BookingState(
        number=99,
        answers=booking.number,
        booking=f"{A}/-/transport/bookings/{booking.id}",
        state="confirmed",
        offered=offered,
        sender=road.farm.iri,
        sender_name="farm",
        receiver=road.hub.iri,
        crates=2,
        kg=17,
        keeping="ambient",
        own_boxes=False,
        pickup_at=booking.pickup_at,
        delivery_at=booking.delivery_at,
        alone=booking.alone,
        cap=booking.cap,
    )
    return replace(state, **changes)


def test_a_guest_speaks_for_its_own_goods_and_for_trips_that_are_offered_to_it(road: Road) -> None:
    somebody, nowhere = f"{B}/api/dfc/enterprises/mill", f"{B}/-/transport/trips/none"
    (copy,) = road.copies()
    cases: list[tuple[str, str, object]] = [
        ("goods of another instance", "authority", the_order(road, carriage={"sender": somebody})),
        ("a name of somebody else", "authority", the_order(road, booking=f"{B}/-/transport/bookings/x")),
        ("a trip that there is not", "trip", the_order(road, trip=nowhere)),
        ("an unknown receiver", "place", the_order(road, carriage={"receiver": f"{A}/api/dfc/enterprises/x"})),
        ("a producer as receiver", "place", the_order(road, carriage={"receiver": road.mill.iri})),
        (
            "goods that it does not receive",
            "authority",
            ReceiverReport(
                number=1, booking=f"{B}/-/transport/bookings/{road.aboard(road.trip_now())[0].id}", event="refuse_warm"
            ),
        ),
        ("a statement of others", "authority", StatementAnswer(number=1, trip=str(copy.iri), digest="x")),
    ]
    names = {BookingOrder: "BookingOrder", ReceiverReport: "ReceiverReport", StatementAnswer: "StatementAnswer"}
    for lie, code, body in cases:
        assert say(road, "a", names[type(body)], body) == code, lie
    quote = QuoteRequest(
        number=1,
        quote=f"{A}/-/transport/quotes/x",
        trip=str(copy.iri),
        carriage=the_order(road, carriage={"sender": somebody}).carriage,  # type: ignore[arg-type]
    )
    assert say(road, "a", "QuoteRequest", quote) == "authority"
    for audience in ("own_partners", "nobody"):  # the mill has no trade with enterprises of the guest's instance
        road.settings(road.mill, is_farm=True, offered_to=audience)
        assert say(road, "a", "BookingOrder", the_order(road)) == "trip", audience
    assert [booking.is_own for booking in road.aboard(road.trip_now())] == [True]


def test_an_order_counts_once_and_an_older_one_nothing(road: Road) -> None:
    assert say(road, "a", "BookingOrder", the_order(road)) == "delivered"
    order = the_order(road)
    cancelled = replace(order, number=3, state="cancelled", carriage=None)
    assert say(road, "a", "BookingOrder", cancelled) == "delivered"
    for late in (replace(order, number=3), replace(order, number=2), order):
        assert say(road, "a", "BookingOrder", late) == "delivered"
    states = [(booking.state, booking.number) for booking in road.aboard(road.trip_now()) if not booking.is_own]
    assert states == [("cancelled_free", 3)]


def test_a_rival_fills_no_van_with_loads_that_do_not_exist(road: Road) -> None:
    for number in range(carrier.MOST_ON_TRIP + 1):
        order = the_order(road, booking=f"{A}/-/transport/bookings/{number}", carriage={"crates": 1, "kg": 1})
        assert say(road, "a", "BookingOrder", order) == "delivered"
    states = [booking.reason or booking.state for booking in road.aboard(road.trip_now()) if not booking.is_own]
    assert states == ["confirmed"] * carrier.MOST_ON_TRIP + ["too_many"]


def asks(road: Road, *places: str) -> list[str]:
    """The farm's home asks what it costs from each of these latitudes; returns how each question ended."""
    (copy,) = road.copies()
    carriage = the_order(road).carriage
    assert carriage is not None
    return [
        say(
            road,
            "a",
            "QuoteRequest",
            QuoteRequest(
                number=1,
                quote=f"{A}/-/transport/quotes/{place}",
                trip=str(copy.iri),
                carriage=replace(carriage, latitude=Decimal(place)),
            ),
        )
        for place in places
    ]


def test_whoever_asks_for_too_many_prices_gets_no_answer(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrier, "MOST_IN_A_MINUTE", 2)
    assert asks(road, "47.60", "47.61", "47.62")[-1] == "too_often"


def test_a_peer_does_not_learn_where_a_van_drives_by_asking_for_a_map_of_prices(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = vars(road.mill.instance.hooks)["_instance_settings"]
    monkeypatch.setitem(limits, "transport", ServiceSettings(prices_a_day=4))
    map_of_places = [f"47.{number}" for number in range(50, 56)]
    assert set(asks(road, *map_of_places)[-3:]) == {"too_many_today"}
    with road.mill.read() as tx:
        assert tx.one(select(transport_asked))["number"] == 4
    with road.farm.write() as tx:
        assert "at most 4 prices in a day; the next one begins at 00:00 UTC" in newest(tx, "out")[0].error
        tx.execute(delete(transport_quote))
    road.ask()
    (answer,) = road.answers()
    assert isinstance(answer, Waiting)
    assert "as many prices as it answers in a day" in str(refusal_of(answer.code)), "people read why there is no price"
    with road.mill.write() as tx:
        tx.execute(update(transport_asked).values(day="2026-06-04"))
    assert set(asks(road, "47.70", "47.71")) == {"delivered"}, "each day begins anew"
    monkeypatch.setattr(carrier, "most_in_a_day", lambda federation: 10**6)  # the canary
    assert set(asks(road, *map_of_places)) == {"delivered"}, "without the check the whole map is answered"


def test_a_carrier_speaks_for_its_own_trips_and_raises_no_price(road: Road) -> None:
    road.book()
    (before,) = road.bookings(road.farm)
    assert before.cap is not None
    state = the_state(road)
    offer = TripOffer(number=99, state="open", offered=state.offered)
    own = f"{A}/-/transport/trips/x"
    cases: list[tuple[str, str, object]] = [
        ("more than was agreed", "price", replace(state, cap=before.cap + 1)),
        ("goods of the carrier", "price", replace(state, cap=None)),
        ("ordered", "state", replace(state, state="ordered")),
        ("a booking that there is not", "booking", replace(state, booking=f"{A}/-/transport/bookings/x")),
        ("a trip of ours", "authority", replace(offer, offered=replace(offer.offered, trip=own))),
        ("another carrier", "authority", replace(offer, offered=replace(offer.offered, carrier=road.farm.iri))),
        (
            "a receiver elsewhere",
            "receiver",
            replace(state, booking=f"{B}/-/transport/bookings/x", sender=road.mill.iri, receiver=road.hub.iri),
        ),
    ]
    names = {BookingState: "BookingState", TripOffer: "TripOffer"}
    for lie, code, body in cases:
        assert say(road, "b", names[type(body)], body) == code, lie
    assert say(road, "b", "BookingState", replace(state, number=1, state="delivered")) == "delivered"
    assert say(road, "b", "BookingState", replace(state, number=98, answers=0, state="delivered")) == "delivered"
    assert [booking.state for booking in road.bookings(road.farm)] == ["confirmed"], (
        "an older word, and an older answer"
    )


def test_a_carrier_who_claims_goods_that_travel_with_another_booking_is_not_argued_with_for_ever(road: Road) -> None:
    first = road.book()
    lie = replace(the_state(road), state="picked_up", answers=99)
    road.report(road.farm, first, "cancel")
    road.ask()
    second = road.book()
    (aboard,) = [booking for booking in road.aboard(road.trip_now()) if booking.state == "confirmed" and booking.iri]
    road.report(road.mill, aboard, "pick_up")
    for number in (100, 101):
        assert say(road, "b", "BookingState", replace(lie, number=number)) == "delivered"
    here = {booking.id: (booking.state, booking.number) for booking in road.bookings(road.farm)}
    assert here == {first.id: ("cancelled_free", 2), second.id: ("picked_up", 1)}


def test_an_answer_to_a_question_that_was_not_asked_changes_no_price(road: Road) -> None:
    with road.farm.read() as tx:
        row = tx.one(select(transport_quote))
    answer = QuoteAnswer(
        number=row["number"] - 1 or 7,
        quote=f"{A}/-/transport/quotes/{row['id']}",
        price=1,
        alone=9999,
        pickup_at=row["pickup_at"],
        delivery_at=row["delivery_at"],
    )
    assert say(road, "b", "QuoteAnswer", replace(answer, quote=f"{A}/-/transport/quotes/x")) == "quote"
    assert say(road, "b", "QuoteAnswer", answer) == "delivered"
    with road.farm.read() as tx:
        assert tx.one(select(transport_quote))["price"] == row["price"]


def test_a_carrier_makes_no_saving_out_of_what_it_says_that_driving_alone_costs(road: Road) -> None:
    """The farm reads its own cost on its page; a price above it saves nothing, whatever the carrier says."""
    own = road.need(road.farm).alone
    assert own is not None
    with road.farm.read() as tx:
        row = tx.one(select(transport_quote))

    def answered(price: int) -> QuoteElsewhere | Waiting:
        times = {"pickup_at": row["pickup_at"], "delivery_at": row["delivery_at"]}
        iri = f"{A}/-/transport/quotes/{row['id']}"
        answer = QuoteAnswer(number=row["number"], quote=iri, price=price, alone=own.cents * 2, **times)
        assert say(road, "b", "QuoteAnswer", answer) == "delivered"
        (shown,) = road.answers()
        return shown

    dear, fair = answered(own.cents + 100), answered(own.cents * 3 // 4)
    assert isinstance(dear, Waiting)
    assert dear.code == "price"
    assert isinstance(fair, QuoteElsewhere)
    assert (fair.alone, fair.saving) == (own.cents, 25)


def driven(road: Road) -> tuple[str, dict[str, Any], dict[str, tuple[int, int]]]:
    """A booked trip is driven, and not finished. Returns its id, and the content and shares of its true statement."""
    road.book()
    trip_id = road.trip_id()
    for event in ("pick_up", "deliver"):
        for booking in road.aboard(road.trip_now()):
            road.report(road.mill, booking, event)
    with road.mill.read() as tx:
        return trip_id, *settled(trip_by_id(tx, trip_id), road.aboard(road.trip_now()))


def test_a_statement_that_differs_or_does_not_add_up_is_told_to_people_on_both_sides(road: Road) -> None:
    trip_id, content, shares = driven(road)
    (guest,) = [booking for booking in road.aboard(road.trip_now()) if not booking.is_own]
    (here,) = road.bookings(road.farm)
    number, cents = shares[guest.id]
    forged = {**content, "participants": [list(row) for row in content["participants"]]}
    forged["participants"][0][4] -= 5000
    forged["participants"][1][4] += 5000
    trip_iri = f"{B}/-/transport/trips/{trip_id}"
    copy = StatementCopy(
        number=1,
        trip=trip_iri,
        content=forged,
        digest=digest_of(forged),
        shares={f"{A}/-/transport/bookings/{here.id}": (number, cents + 5000)},
    )
    assert say(road, "b", "Statement", replace(copy, digest=digest_of(content))) == "digest"
    assert say(road, "b", "Statement", replace(copy, trip=f"{B}/-/transport/trips/other")) == "trip"
    assert say(road, "b", "Statement", copy) == "delivered"
    assert "Un décompte de Mill diffère" in road.news(road.farm)
    with road.mill.read() as tx:
        (comparison,) = comparisons_of(tx, trip_id)
    assert set(comparison.mistakes) >= {"agreed", "cap", "shares"}

    honest = replace(copy, number=2, content=content, digest=digest_of(content), shares={})
    assert say(road, "b", "Statement", honest) == "delivered"
    with road.farm.read() as tx:
        statement = statement_of(tx, here.trip_id)
    assert statement is not None
    assert statement.digest == digest_of(forged), "the first statement stays"
    with road.mill.read() as tx:
        (comparison,) = comparisons_of(tx, trip_id)
    assert "second" in comparison.mistakes


def test_kilometres_inflated_by_a_fifth_are_disputed_by_the_guests_home(road: Road) -> None:
    trip_id, content, _ = driven(road)
    (here,) = road.bookings(road.farm)
    forged = inflated(content)
    owed = forged["participants"][1][4]
    copy = StatementCopy(
        number=1,
        trip=f"{B}/-/transport/trips/{trip_id}",
        content=forged,
        digest=digest_of(forged),
        shares={f"{A}/-/transport/bookings/{here.id}": (2, owed)},
    )
    assert say(road, "b", "Statement", copy) == "delivered"
    with road.mill.read() as tx:
        (comparison,) = comparisons_of(tx, trip_id)
    assert list(comparison.mistakes) == ["km"]
    assert "Un décompte de Mill diffère" in road.news(road.farm)

    elsewhere = {**content, "stops": [["47.56", "0.71"], ["47.00", "0.10"], ["47.56", "0.71"]]}
    other = replace(copy, number=2, content=elsewhere, digest=digest_of(elsewhere), shares=copy.shares)
    assert say(road, "b", "Statement", other) == "delivered"
    with road.mill.read() as tx:
        (comparison,) = comparisons_of(tx, trip_id)
    assert "place" in comparison.mistakes, "a round that does not pass here carried nothing from here"


def test_a_trip_whose_rule_is_not_known_here_is_not_booked(road: Road) -> None:
    with road.mill.read() as tx:
        offered = offered_trip(road.mill.federation, tx, road.trip_now())
    unknown = TripOffer(number=99, state="open", offered=replace(offered, rule="heads:by_heads/1"))
    assert say(road, "b", "TripOffer", unknown) == "rule"
    with road.farm.write() as tx:  # as a copy could be that was made before a plugin was taken away
        tx.execute(update(transport_trip).values(rule="heads:by_heads/1"))
    with pytest.raises(Conflict, match="not known here"):
        road.order()


def test_a_price_that_is_asked_changes_nothing_at_the_carriers_home(road: Road) -> None:
    def rows() -> dict[str, list[Row]]:
        with road.mill.read() as tx:
            tables = (transport_trip, transport_stop, transport_booking, transport_event)
            return {table.name: list(tx.all(select(table))) for table in tables}

    (copy,), before = road.copies(), rows()
    carriage = the_order(road).carriage
    assert carriage is not None
    request = QuoteRequest(number=1, quote=f"{A}/-/transport/quotes/1", trip=str(copy.iri), carriage=carriage)
    assert say(road, "a", "QuoteRequest", request) == "delivered"
    assert rows() == before


def test_without_their_checks_a_guessed_trip_is_booked_and_a_van_filled(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrier, "is_seen_by", lambda *_: True)
    monkeypatch.setattr(carrier, "MOST_ON_TRIP", 1_000)
    road.settings(road.mill, is_farm=True, offered_to="nobody")
    for number in range(13):
        order = the_order(road, booking=f"{A}/-/transport/bookings/{number}", carriage={"crates": 3, "kg": 9})
        assert say(road, "a", "BookingOrder", order) == "delivered"
    states = [booking.reason or booking.state for booking in road.aboard(road.trip_now()) if not booking.is_own]
    assert states == ["confirmed"] * 12 + ["price"], "a van that comes a second time saves nothing"


def test_a_carrier_is_called_as_it_calls_itself(road: Road) -> None:
    for name in ("Moulin de la Vallée", "Moulin"):
        with road.mill.write() as tx:
            mill = enterprise_by_id(tx, "mill")
            change_enterprise(tx, "mill", mill.version, name=name)
        with road.mill.write() as tx:
            tell_others(tx, trip=road.trip_id())
        road.region.work()
        with road.farm.read() as tx:
            assert enterprise_by_id(tx, road.copies()[0].enterprise_id).name == name


def test_a_copy_of_a_trip_with_which_nobody_rode_is_forgotten_after_a_month(road: Road) -> None:
    def rows(place: Place) -> list[int]:
        tables = (transport_trip, transport_quote, transport_vehicle, transport_sent)
        with place.write() as tx:
            forget_old(tx)
            return [tx.value(select(func.count()).select_from(table)) for table in tables]

    assert rows(road.farm)[:3] == [1, 1, 1]
    clock_of(road.region).advance(days=32)
    assert rows(road.farm)[:3] == [0, 0, 0]
    assert rows(road.mill)[0] == 1, "the carrier keeps its own"
    with road.mill.write() as tx:
        tell_others(tx, trip=road.trip_id())
    road.region.work()
    with road.farm.read() as tx:
        trips = tx.value(select(func.count()).select_from(transport_trip))
    assert trips == 0, "what is over is not offered again"
