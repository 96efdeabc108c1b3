"""Opening hours and closures: slots lie within opening hours, and are copied with a sale."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, insert, select, update
from starlette.testclient import TestClient

import commensal_pickup as pickup
from commensal import Conflict, Invalid, NotFound, Problem, Transaction
from commensal.base.clock import ManualClock
from commensal.base.ids import SeededIds
from commensal.base.languages.catalogs import spaced
from commensal.enterprises.tables import enterprise_member, enterprise_plugin
from commensal.instance import Instance
from commensal.parts.sale_calendar.clone import clone_coordination
from commensal.people.people import add_person, new_person
from commensal.people.sessions import begin_session
from commensal.sale_sessions.questions import sessions_of
from commensal.sale_sessions.sessions import change_session
from commensal.sale_sessions.tables import coordination, sale_session
from commensal.storage.database import Store
from commensal.testing.drafts import a_draft
from commensal.testing.placed import a_shop
from commensal_pickup.closing import add_closure, remove_closure
from commensal_pickup.hours import Hours, Weekday, lies_within, openings, read_hours
from commensal_pickup.places import Place, add_place, archive_place, change_place
from commensal_pickup.slots import Slot, add_slot, change_slot, closures_of, generate_slots, slot_by_id, slots_of
from commensal_pickup.tables import pickup_slot

PLUGINS = ("pickup",)
SESSION = "shop-session"
PARIS = "Europe/Paris"
FRIDAY = date(2026, 6, 5)
EVENING = Hours(weekday="FR", begins="17:00", ends="19:00")
ORDER = a_draft(session_id=SESSION, enterprise_id="shop")


def paris(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(PARIS)).astimezone(UTC)


def open_shop_with_place(store: Store, *hours: Hours) -> Place:
    """Opens a shop that distributes on Friday from 17 to 21 h, and adds a place with these hours."""
    with store.write() as tx:
        a_shop(tx)
        tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin="pickup", settings={}, version=1))
        times = {"begins_at": paris(FRIDAY, 17), "ends_at": paris(FRIDAY, 21)}
        tx.execute(update(sale_session).where(sale_session.c.id == SESSION).values(times))
        return add_place(tx, "shop", name="Salle des fêtes", hours=hours)


@pytest.fixture
def place(store: Store) -> Place:
    return open_shop_with_place(store, EVENING)


def add_hour(tx: Transaction, place: Place, begins: datetime, hours: float = 1, **kwargs: Any) -> Slot:
    ends_at = begins + timedelta(hours=hours)
    return add_slot(tx, "shop", SESSION, place_id=place.id, begins_at=begins, ends_at=ends_at, **kwargs)


def hand_out_until(tx: Transaction, ends_at: datetime) -> None:
    tx.execute(update(sale_session).where(sale_session.c.id == SESSION).values(ends_at=ends_at))


# ------------------------------------------------------------------------------------------------ hours


def test_a_place_is_open_week_after_week_on_its_own_clock() -> None:
    last_of_summer, first_of_winter = date(2026, 10, 23), date(2026, 10, 30)
    spans = openings([EVENING], PARIS, paris(last_of_summer, 0), paris(first_of_winter, 23))
    assert spans == [(paris(day, 17), paris(day, 19)) for day in (last_of_summer, first_of_winter)]
    assert spans[1][0] - spans[0][0] == timedelta(days=7, hours=1), "the clocks have changed between"


def test_hours_that_touch_are_one_also_over_midnight() -> None:
    night = [
        Hours(weekday="FR", begins="20:00", ends="24:00"),
        Hours(weekday="SA", begins="00:00", ends="02:00"),
        Hours(weekday="FR", begins="18:00", ends="20:00"),
    ]
    assert openings(night, PARIS, paris(FRIDAY, 0), paris(FRIDAY + timedelta(days=2), 0)) == [
        (paris(FRIDAY, 18), paris(FRIDAY + timedelta(days=1), 2))
    ]
    assert lies_within(night, PARIS, paris(FRIDAY, 19), paris(FRIDAY + timedelta(days=1), 1))
    assert not lies_within(night, PARIS, paris(FRIDAY, 17), paris(FRIDAY, 19))


def test_hours_that_cannot_be_are_named_by_their_place_in_the_list() -> None:
    problems: list[Problem] = []
    bad_hours = [
        Hours(weekday="FR", begins="19:00", ends="17:00"),
        Hours(weekday="XX", begins="17:00", ends="19:00"),  # type: ignore[arg-type]
        Hours(weekday="FR", begins="24:30", ends="25:00"),
        EVENING,
    ]
    read_hours(bad_hours, problems)
    assert [problem.where for problem in problems] == ["/hours/0", "/hours/1", "/hours/2"]


def test_hours_are_kept_in_the_order_of_the_week(store: Store, place: Place) -> None:
    backwards = tuple(Hours(weekday=day, begins="08:00", ends="12:00") for day in reversed(get_args(Weekday)))
    with store.write() as tx:
        changed_place = change_place(tx, "shop", place.id, 1, hours=backwards)
    assert [hour.weekday for hour in changed_place.hours] == list(get_args(Weekday))


# ------------------------------------------------------------------------------------------------ slots by hand


def test_a_slot_outside_the_hours_is_refused_unless_it_is_exceptional(store: Store, place: Place) -> None:
    with store.write() as tx:
        assert add_hour(tx, place, paris(FRIDAY, 17), 2)
        with pytest.raises(Invalid, match="not open all that time"):
            add_hour(tx, place, paris(FRIDAY, 18), 2)
        late_slot = add_hour(tx, place, paris(FRIDAY, 18), 2, exceptional=True)
        with pytest.raises(Invalid, match="not open all that time"):
            change_slot(tx, "shop", late_slot.id, 1, ends_at=paris(FRIDAY, 21))
        assert change_slot(tx, "shop", late_slot.id, 1, capacity=4).capacity == 4, "its times are settled"


def test_a_place_without_hours_is_open_whenever_it_has_a_slot(store: Store) -> None:
    place = open_shop_with_place(store)
    with store.write() as tx:
        assert add_hour(tx, place, paris(FRIDAY, 3))


def test_a_slot_in_a_closure_is_refused_with_its_reason_exceptional_or_not(store: Store, place: Place) -> None:
    with store.write() as tx:
        add_closure(tx, "shop", place.id, first_day=FRIDAY, reason="Pont de l’Ascension")
        with pytest.raises(Invalid, match="Salle des fêtes is closed then: Pont de l’Ascension"):
            add_hour(tx, place, paris(FRIDAY, 17), exceptional=True)
        assert add_hour(tx, place, paris(FRIDAY + timedelta(days=7), 17))


# ------------------------------------------------------------------------------------------------ slots from hours


def test_slots_are_cut_from_the_hours_within_the_distribution(store: Store) -> None:
    place = open_shop_with_place(store, EVENING, Hours(weekday="FR", begins="19:30", ends="23:00"))
    with store.write() as tx:
        slots = generate_slots(tx, "shop", SESSION, place_id=place.id, minutes=45, capacity=8)
        begin = [slot.begins_at.astimezone(ZoneInfo(PARIS)).strftime("%H:%M") for slot in slots]
        assert begin == ["17:00", "17:45", "18:30", "19:30", "20:15"], "the last half hour is open, too"
        assert [slot.ends_at - slot.begins_at for slot in slots if slot.ends_at.minute == 0 and slot.capacity == 8] == [
            timedelta(minutes=30),
            timedelta(minutes=45),
        ]
        assert slots_of(tx, "shop", SESSION) == slots


def test_slots_that_are_there_stay_and_none_is_made_twice(store: Store, place: Place) -> None:
    with store.write() as tx:
        own_slot = add_hour(tx, place, paris(FRIDAY, 17, 15), 0.25)
        (slot,) = generate_slots(tx, "shop", SESSION, place_id=place.id, minutes=60)
        assert slot.begins_at == paris(FRIDAY, 18)
        assert generate_slots(tx, "shop", SESSION, place_id=place.id, minutes=60) == []
        assert slots_of(tx, "shop", SESSION) == [own_slot, slot]


def test_no_slot_is_cut_from_a_closed_day_nor_without_hours(store: Store, place: Place) -> None:
    with store.write() as tx:
        add_closure(tx, "shop", place.id, first_day=FRIDAY, reason="Inventaire")
        assert generate_slots(tx, "shop", SESSION, place_id=place.id, minutes=60) == []
        place_without_hours = add_place(tx, "shop", name="Gare")
        for place_id, pointer in ((place_without_hours.id, "/place_id"), ("nowhere", "/place_id")):
            with pytest.raises(Invalid) as refused:
                generate_slots(tx, "shop", SESSION, place_id=place_id, minutes=60)
            assert [problem.where for problem in refused.value.problems] == [pointer]
        with pytest.raises(Invalid, match="between 5 and 1440 minutes"):
            generate_slots(tx, "shop", SESSION, place_id=place.id, minutes=4)
        with pytest.raises(NotFound):
            generate_slots(tx, "shop", "other-session", place_id=place.id, minutes=60)


# ------------------------------------------------------------------------------------------------ closures


def test_a_closure_shows_which_slots_it_hits_and_lets_nobody_else_choose_them(store: Store, place: Place) -> None:
    with store.write() as tx:
        chosen_slot, free_slot = (
            add_hour(tx, place, paris(FRIDAY, 17), capacity=5),
            add_hour(tx, place, paris(FRIDAY, 18)),
        )
        hand_out_until(tx, paris(FRIDAY + timedelta(days=7), 21))
        later_slot = add_hour(tx, place, paris(FRIDAY + timedelta(days=7), 17))
        pickup.book_shipping(tx, ORDER, chosen_slot.id, "en")
        closing = add_closure(tx, "shop", place.id, first_day=FRIDAY, reason="Inventaire")
        assert [(slot.id, slot.taken) for slot in closing.slots] == [(chosen_slot.id, 1)]
        for slot in (chosen_slot, free_slot):
            with pytest.raises(Conflict, match=r"is closed \(Inventaire\); please choose another") as refused:
                pickup.book_shipping(tx, ORDER, slot.id, "en")
            assert refused.value.code == "slot_closed"
        pickup.book_shipping(tx, ORDER, later_slot.id, "en")
        options = {
            shipping_option.id: shipping_option
            for shipping_option in pickup.shipping_options(tx, "shop", SESSION, "fr")
        }
        assert options[chosen_slot.id].label.endswith(spaced("fr", " (fermé : Inventaire)"))
        assert (options[chosen_slot.id].left, options[later_slot.id].left) == (0, None)
        assert pickup.release_shipping(tx, chosen_slot.id) is True, "whoever has chosen it can leave"


def test_a_closure_that_is_removed_opens_the_slots_that_no_other_closure_holds(store: Store, place: Place) -> None:
    week = timedelta(days=7)
    with store.write() as tx:
        slots = [add_hour(tx, place, paris(FRIDAY + week * number, 17)) for number in range(3)]
        long_closure = add_closure(
            tx, "shop", place.id, first_day=FRIDAY, last_day=FRIDAY + week, reason="Congés"
        ).closure
        short_closure = add_closure(tx, "shop", place.id, first_day=FRIDAY + week, reason="Travaux").closure
        assert closures_of(tx, "shop", place.id) == [long_closure, short_closure]
        remove_closure(tx, "shop", place.id, long_closure.id)
        closure_ids = [slot_by_id(tx, "shop", slot.id).closure_id for slot in slots]
        assert closure_ids == [None, short_closure.id, None]
        with pytest.raises(NotFound):
            remove_closure(tx, "shop", place.id, long_closure.id)


def test_a_slot_that_is_moved_out_of_a_closure_takes_orders_again(store: Store, place: Place) -> None:
    with store.write() as tx:
        slot = add_hour(tx, place, paris(FRIDAY, 17))
        add_closure(tx, "shop", place.id, first_day=FRIDAY, reason="Inventaire")
        next_week = paris(FRIDAY + timedelta(days=7), 17)
        moved_slot = change_slot(tx, "shop", slot.id, 1, begins_at=next_week, ends_at=next_week + timedelta(hours=1))
        assert moved_slot.closure_id is None
        hand_out_until(tx, moved_slot.ends_at)
        pickup.book_shipping(tx, ORDER, slot.id, "en")


def test_a_slot_that_cannot_follow_its_sale_is_offered_to_nobody(instance: Instance) -> None:
    place, week = open_shop_with_place(instance.store, EVENING), timedelta(days=7)
    with instance.store.write() as tx:
        tx.execute(update(coordination).values(closes_at=paris(FRIDAY, 12)))
        add_hour(tx, place, paris(FRIDAY, 17))
        closed = add_hour(tx, place, paris(FRIDAY, 18))
        change_place(tx, "shop", place.id, place.version, hours=(Hours(weekday="FR", begins="17:00", ends="18:00"),))
        (sale,) = sessions_of(tx, "shop-sale", "shop")
        begins_at, ends_at = (paris(FRIDAY + week, hour) for hour in (17, 21))
        change_session(tx, instance.hooks, sale.id, "shop", sale.version, begins_at=begins_at, ends_at=ends_at)
        offered = [option.begins_at for option in pickup.shipping_options(tx, "shop", SESSION, "en")]
        assert offered == [paris(FRIDAY + week, 17)]
        with pytest.raises(Conflict, match="lies outside the hand-out; please choose another slot"):
            pickup.book_shipping(tx, ORDER, closed.id, "en")


def test_closures_that_are_over_are_not_listed_and_wrong_ones_refused(
    store: Store, place: Place, clock: ManualClock
) -> None:
    with store.write() as tx:
        add_closure(tx, "shop", place.id, first_day=FRIDAY, reason="Inventaire")
        with pytest.raises(Invalid) as refused:
            add_closure(tx, "shop", place.id, first_day=FRIDAY, last_day=FRIDAY - timedelta(days=1), reason=" ")
        assert [problem.where for problem in refused.value.problems] == ["/reason", "/last_day"]
        a_shop(tx, "other")
        with pytest.raises(NotFound):
            add_closure(tx, "other", place.id, first_day=FRIDAY, reason="Not mine")
    clock.set(paris(FRIDAY + timedelta(days=1), 0))
    with store.read() as tx:
        assert closures_of(tx, "shop", place.id) == []


def test_whoever_takes_a_slot_while_it_is_closed_is_counted_or_refused(database_url: str, clock: ManualClock) -> None:
    """Eight customers and a coordinator act at once: the closure counts exactly the orders that have the slot."""
    store = Store(database_url, clock=clock, ids=SeededIds("closing"))
    place = open_shop_with_place(store, EVENING)
    with store.write() as tx:
        slot = add_hour(tx, place, paris(FRIDAY, 17))
    start, outcomes, counted = threading.Barrier(9), list[str](), list[int]()

    def book_slot() -> None:
        start.wait()
        try:
            with store.write() as tx:
                pickup.book_shipping(tx, ORDER, slot.id, "en")
            outcomes.append("booked")
        except Conflict as refused:
            outcomes.append(refused.code)

    def close() -> None:
        start.wait()
        with store.write() as tx:
            closing = add_closure(tx, "shop", place.id, first_day=FRIDAY, reason="Inventaire")
        counted.append(sum(slot.taken for slot in closing.slots))

    threads = [threading.Thread(target=target) for target in (*[book_slot] * 8, close)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["booked"] * counted[0] + ["slot_closed"] * (8 - counted[0])
    with store.read() as tx:
        assert slot_by_id(tx, "shop", slot.id).taken == counted[0]
    store.close()


# ------------------------------------------------------------------------------------------------ copied sales


@pytest.fixture
def copied(store: Store, instance: Instance) -> Callable[[date], list[Slot]]:
    """Returns a function that copies the sale to another day and returns the slots of the copy."""

    def copy_sale(day: date) -> list[Slot]:
        with store.write() as tx:
            opened_at = tx.value(select(coordination.c.opens_at)).astimezone(ZoneInfo(PARIS))
            opens_at = opened_at.replace(tzinfo=None) + (day - FRIDAY)
            copy = clone_coordination(
                tx, instance.hooks, "shop-sale", "shop", opens_at.replace(tzinfo=ZoneInfo(PARIS)).astimezone(UTC)
            )
            (session,) = sessions_of(tx, copy.id, "shop")
            return list(slots_of(tx, "shop", session.id))

    return copy_sale


def test_slots_come_along_at_the_same_hour_and_nobody_has_chosen_them(
    store: Store, place: Place, copied: Callable[[date], list[Slot]]
) -> None:
    with store.write() as tx:
        slot = add_hour(tx, place, paris(FRIDAY, 17), capacity=5)
        pickup.book_shipping(tx, ORDER, slot.id, "en")
    winter = date(2026, 11, 6)  # the clocks have changed
    (copied_slot,) = copied(winter)
    assert (copied_slot.begins_at, copied_slot.ends_at) == (paris(winter, 17), paris(winter, 18))
    assert (copied_slot.place_id, copied_slot.capacity, copied_slot.taken, copied_slot.version) == (place.id, 5, 0, 1)
    assert copied_slot.id != slot.id


def test_archived_places_closed_days_and_exceptions_stay_behind(
    store: Store, place: Place, copied: Callable[[date], list[Slot]]
) -> None:
    with store.write() as tx:
        archived, closed = add_place(tx, "shop", name="Gare"), add_place(tx, "shop", name="Halle")
        kept_slot = add_hour(tx, place, paris(FRIDAY, 17))
        add_hour(tx, place, paris(FRIDAY, 20), exceptional=True)
        add_hour(tx, archived, paris(FRIDAY, 17))
        add_hour(tx, closed, paris(FRIDAY, 17))
        archive_place(tx, "shop", archived.id, 1)
        add_closure(tx, "shop", closed.id, first_day=date(2026, 6, 12), reason="Brocante")
    assert [slot.begins_at - kept_slot.begins_at for slot in copied(date(2026, 6, 12))] == [timedelta(days=7)]
    assert len(copied(date(2026, 6, 19))) == 2, "the closure is over"


def test_a_copy_costs_as_many_statements_for_ninety_slots_as_for_one(
    store: Store, place: Place, copied: Callable[[date], list[Slot]]
) -> None:
    statements: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    def count_statements(day: date) -> tuple[int, int]:
        statements_before = len(statements)
        slots = len(copied(day))
        return len(statements) - statements_before, slots

    with store.write() as tx:
        first_slot = add_hour(tx, place, paris(FRIDAY, 17))
    cost_of_one, slots_of_one = count_statements(date(2026, 6, 12))
    with store.write() as tx:
        for minute in range(89):
            add_hour(tx, place, first_slot.begins_at + timedelta(minutes=minute), 0.5)
    cost_of_many, slots_of_many = count_statements(date(2026, 6, 19))
    assert (slots_of_one, slots_of_many) == (1, 90)
    assert cost_of_one == cost_of_many


def test_another_shop_without_the_plugin_gets_no_slots(
    store: Store, place: Place, copied: Callable[[date], list[Slot]]
) -> None:
    with store.write() as tx:
        add_hour(tx, place, paris(FRIDAY, 17))
        tx.execute(enterprise_plugin.delete())
    assert copied(date(2026, 6, 12)) == []


# ------------------------------------------------------------------------------------------------ the API


def test_a_coordinator_sets_hours_cuts_slots_and_closes_a_day_over_the_api(
    store: Store, place: Place, client: TestClient
) -> None:
    with store.write() as tx:
        new_coordinator = new_person(
            email="ada@example.org", name="Ada", password="a long enough password", language="fr"
        )
        ada = add_person(tx, new_coordinator, confirmed=True)
        assert ada is not None
        member = {"enterprise_id": "shop", "person_id": ada.id, "role": "manager", "since": tx.now}
        tx.execute(insert(enterprise_member).values(member))
        client.cookies.set("session", begin_session(tx, ada).secret)
    client.headers["Origin"] = "http://testserver"
    shop = "/api/-/pickup/enterprises/shop"
    hours = {"hours": [{"weekday": "FR", "begins": "18:00", "ends": "20:00"}]}
    changed_place = client.patch(f"{shop}/places/{place.id}", json=hours, headers={"If-Match": '"1"'})
    assert changed_place.json()["hours"] == hours["hours"]
    body = {"place_id": place.id, "minutes": 60, "capacity": 6}
    created = client.post(f"{shop}/sale-sessions/{SESSION}/slots/generate", json=body)
    assert (created.status_code, [slot["capacity"] for slot in created.json()]) == (201, [6, 6])
    closed = client.post(
        f"{shop}/places/{place.id}/closures", json={"first_day": "2026-06-05", "reason": "Inventaire"}
    ).json()
    assert (closed["closure"]["last_day"], closed["slots"]) == ("2026-06-05", [])
    assert len(client.get(f"{shop}/places/{place.id}/closures").json()["items"]) == 1
    assert client.delete(f"{shop}/places/{place.id}/closures/{closed['closure']['id']}").status_code == 204
    with store.read() as tx:
        assert tx.all(select(pickup_slot.c.closure_id).where(pickup_slot.c.closure_id.is_not(None))) == []
