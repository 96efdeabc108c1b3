"""Pickup: places, slots, and that a slot never takes more orders than its capacity."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, event, select
from sqlalchemy.exc import IntegrityError

import commensal_pickup as pickup
from commensal import (
    Conflict,
    DemoPlace,
    Invalid,
    NotFound,
    OrderDraft,
    Phase,
    Refused,
    ShippingOption,
    Stale,
    Transaction,
)
from commensal.base.clock import ManualClock
from commensal.base.ids import SeededIds
from commensal.enterprises.enterprises import change_enterprise, enterprise_by_id
from commensal.enterprises.plugins import disable_plugin, enable_plugin
from commensal.enterprises.tables import guest_policy
from commensal.hooks.loading import load_plugins, migration_folders
from commensal.instance import Instance, InstanceSettings
from commensal.orders.cancel import cancel_order
from commensal.orders.change import change_order
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.shipping import with_place_of_today
from commensal.orders.values import Order, Wish
from commensal.parts.mail.order_view import order_view
from commensal.parts.serving.work import work_of
from commensal.storage.database import Store
from commensal.storage.database.migrate import migrate, missing_revisions
from commensal.storage.jobs.run import run_due
from commensal.testing.drafts import a_draft
from commensal.testing.placed import a_shop
from commensal_pickup.places import add_place, archive_place, change_place, place_by_id, places_of
from commensal_pickup.slots import Slot, add_slot, change_slot, remove_slot, slot_by_id, slots_of
from commensal_pickup.tables import pickup_slot

from .hall import SESSION, Hall

PLUGINS = ("pickup",)


@pytest.fixture
def hall(store: Store) -> Hall:
    return Hall(store)


def test_a_hub_that_begins_to_use_it_has_its_own_address_as_a_place(instance: Instance) -> None:
    """Unless it had places before, or has told no address."""
    with instance.store.write() as tx:
        a_shop(tx)
        enable_plugin(tx, instance.hooks, "shop", "pickup", {})
        assert places_of(tx, "shop") == []
        disable_plugin(tx, instance.hooks, "shop", "pickup")
        shop = enterprise_by_id(tx, "shop")
        change_enterprise(tx, "shop", shop.version, street="2 rue Colbert", postcode="37000", city="Tours")
        for _ in range(2):
            enable_plugin(tx, instance.hooks, "shop", "pickup", {})
            disable_plugin(tx, instance.hooks, "shop", "pickup")
        (place,) = places_of(tx, "shop")
        assert (place.name, place.street, place.city) == (shop.name, "2 rue Colbert", "Tours")


def draft(**columns: Any) -> OrderDraft:
    return a_draft(session_id=SESSION, enterprise_id="shop", **columns)


def book(tx: Transaction, slot_id: str, order: OrderDraft | None = None) -> ShippingOption:
    return pickup.book_shipping(tx, order or draft(), slot_id, "en")


# ------------------------------------------------------------------------------------------------ what is offered


def test_a_sale_offers_its_slots_with_what_is_left_full_ones_too(hall: Hall) -> None:
    with hall.store.write() as tx:
        full_slot = hall.open(tx, hours=1, capacity=0)
        endless = hall.open(tx, hours=3, capacity=None)
        book(tx, hall.slot.id)
    with hall.store.read() as tx:
        options = {
            shipping_option.id: shipping_option
            for shipping_option in pickup.shipping_options(tx, "shop", SESSION, "fr")
        }
    assert {hall.slot.id: 2, full_slot.id: 0, endless.id: None} == {
        option.id: option.left for option in options.values()
    }
    with_room = options[hall.slot.id]
    assert with_room.label == "Salle des fêtes, samedi 6 juin 2026, 17:00\u00a0–\u2060\u00a019:00"
    assert (with_room.address, with_room.price, with_room.vat_rate) == ("3 rue du Lavoir, Bourg", 150, Decimal(20))


def test_options_and_booking_cost_one_and_two_statements(hall: Hall) -> None:
    with hall.store.write() as tx:
        for hours in range(3, 20):
            hall.open(tx, hours=hours)
    statements: list[str] = []
    event.listen(hall.store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    with hall.store.read() as tx:
        count_before = len(statements)
        pickup.shipping_options(tx, "shop", SESSION, "fr")
        assert len(statements) - count_before == 1
    with hall.store.write() as tx:
        count_before = len(statements)
        book(tx, hall.slot.id)
        assert len(statements) - count_before <= 2


def test_another_shop_or_session_has_none_of_these_slots(hall: Hall) -> None:
    with hall.store.write() as tx:
        a_shop(tx, "other")
        assert pickup.shipping_options(tx, "other", SESSION, "fr") == []
        assert pickup.shipping_options(tx, "shop", "other-session", "fr") == []
        for order in (
            a_draft(session_id=SESSION, enterprise_id="other"),
            a_draft(session_id="x", enterprise_id="shop"),
        ):
            with pytest.raises(Invalid) as refused:
                book(tx, hall.slot.id, order)
            assert [problem.code for problem in refused.value.problems] == ["no_slot"]
    assert hall.taken() == 0


# ------------------------------------------------------------------------------------------------ booking


def test_a_full_slot_says_so(hall: Hall) -> None:
    with hall.store.write() as tx:
        for _ in range(3):
            book(tx, hall.slot.id)
        with pytest.raises(Conflict, match=r"Salle des fêtes, Saturday.*is full") as refused:
            book(tx, hall.slot.id)
    assert refused.value.code == "slot_full"
    assert hall.taken() == 3


def test_a_place_given_back_can_be_taken_again_and_no_more_is_given_back_than_was_taken(hall: Hall) -> None:
    with hall.store.write() as tx:
        book(tx, hall.slot.id)
        assert pickup.release_shipping(tx, hall.slot.id) is True
        assert pickup.release_shipping(tx, hall.slot.id) is False
        assert pickup.release_shipping(tx, "no-such-slot") is False
    assert hall.taken() == 0


def test_eight_race_for_three_places_and_three_get_them(database_url: str, clock: ManualClock) -> None:
    store = Store(database_url, clock=clock, ids=SeededIds("race"))
    hall, outcomes = Hall(store, capacity=3), list[str]()
    start = threading.Barrier(8)

    def book_slot() -> None:
        start.wait()
        try:
            with store.write() as tx:
                book(tx, hall.slot.id)
            outcomes.append("booked")
        except Conflict as refused:
            outcomes.append(refused.code)

    threads = [threading.Thread(target=book_slot) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["booked"] * 3 + ["slot_full"] * 5
    assert hall.taken() == 3
    store.close()


def test_the_database_itself_refuses_an_overbooked_slot(hall: Hall) -> None:
    with pytest.raises(IntegrityError), hall.store.write() as tx:
        tx.execute(pickup_slot.update().values(taken=4))
    with pytest.raises(IntegrityError), hall.store.write() as tx:
        tx.execute(pickup_slot.update().values(taken=-1))


# ------------------------------------------------------------------------------------------------ orders


@pytest.fixture
def place(hall: Hall, instance: Instance) -> Callable[[Slot], Order]:
    def place_in(slot: Slot) -> Order:
        wish = Wish(items={hall.item: 2}, name="Ada", email="ada@example.org", shipping=f"pickup:{slot.id}")
        with hall.store.write() as tx:
            return place_order(tx, instance.hooks, SESSION, wish)

    return place_in


def test_an_order_books_its_slot_and_pays_for_the_place(hall: Hall, place: Callable[[Slot], Order]) -> None:
    order = place(hall.slot)
    assert hall.taken() == 1
    assert order.shipping_label == "Salle des fêtes, samedi 6 juin 2026, 17:00\u00a0–\u2060\u00a019:00"
    (fee,) = order.adjustments
    assert (fee.kind, fee.amount, fee.vat_rate, fee.plugin) == ("shipping", 150, Decimal(20), "pickup")
    assert order.total == 2 * 250 + 150


def test_the_shops_lists_name_a_slot_alike_whatever_its_customers_speak(
    hall: Hall, instance: Instance, place: Callable[[Slot], Order]
) -> None:
    """Lists group orders by this text; the customer still reads the slot in their own language."""
    french = place(hall.slot)
    wish = Wish(
        items={hall.item: 1}, name="Bob", email="bob@example.org", shipping=f"pickup:{hall.slot.id}", language="en"
    )
    with hall.store.write() as tx:
        english = place_order(tx, instance.hooks, SESSION, wish)
        assert english.shipping_label == french.shipping_label
        assert "Saturday, 6 June 2026" in with_place_of_today(tx, instance.hooks, english).shipping_label
        assert "Saturday, 6 June 2026" in order_view(tx, instance.hooks, english.id).order.shipping_label


def test_a_refused_order_books_nothing(hall: Hall, place: Callable[[Slot], Order]) -> None:
    with hall.store.write() as tx:
        small_slot = hall.open(tx, hours=1, capacity=1)
    place(small_slot)
    with pytest.raises(Conflict, match="full"):
        place(small_slot)
    assert hall.taken(small_slot) == 1


def test_a_cancelled_order_gives_its_slot_back(hall: Hall, instance: Instance, place: Callable[[Slot], Order]) -> None:
    order = place(hall.slot)
    with hall.store.write() as tx:
        cancel_order(tx, instance.hooks, locked_order(tx, order.id, enterprise_id="shop"), by_hub=True)
    assert hall.taken() == 0


def test_one_guest_does_not_fill_a_slot_and_an_order_that_expires_gives_its_place_back(
    hall: Hall, instance: Instance, place: Callable[[Slot], Order], clock: ManualClock
) -> None:
    """Under the policy that holds until a hub chooses another one. Every order holds one place at most."""
    with hall.store.write() as tx:
        tx.execute(delete(guest_policy))
        slot = hall.open(tx, capacity=22)
    for _ in range(3):
        place(slot)
    with pytest.raises(Refused) as error:
        place(slot)
    assert (error.value.code, hall.taken(slot)) == ("too_many_guest_orders", 3)
    clock.advance(hours=1)
    while run_due(instance, work_of(instance)):
        pass
    assert hall.taken(slot) == 0


def test_an_order_that_changes_its_slot_leaves_the_old_one(
    hall: Hall, instance: Instance, place: Callable[[Slot], Order]
) -> None:
    order = place(hall.slot)
    with hall.store.write() as tx:
        other_slot = hall.open(tx, hours=1)
        change_order(
            tx, instance.hooks, locked_order(tx, order.id, enterprise_id="shop"), shipping=f"pickup:{other_slot.id}"
        )
    assert (hall.taken(), hall.taken(other_slot)) == (0, 1)


def test_a_place_costs_nothing_in_other_phases_or_for_other_ways_to_receive() -> None:
    option = ShippingOption(id="s", label="Salle", begins_at=draft().begins_at, ends_at=draft().begins_at, price=100)
    draft_with_slot = draft(shipping="pickup:s", shipping_option=option)
    assert pickup.price_adjustments(draft_with_slot, Phase.FEE)
    assert not pickup.price_adjustments(draft(shipping="delivery:s", shipping_option=option), Phase.FEE)
    assert not pickup.price_adjustments(draft(), Phase.FEE)


# ------------------------------------------------------------------------------------------------ places and slots


def test_places_are_the_enterprises_own(hall: Hall) -> None:
    with hall.store.write() as tx:
        a_shop(tx, "other")
        with pytest.raises(NotFound):
            place_by_id(tx, "other", hall.place.id)
        with pytest.raises(NotFound):
            change_place(tx, "other", hall.place.id, 1, name="Mine now")
        with pytest.raises(NotFound):
            slot_by_id(tx, "other", hall.slot.id)
        with pytest.raises(NotFound):
            add_slot(
                tx,
                "other",
                SESSION,
                place_id=hall.place.id,
                begins_at=hall.begins_at,
                ends_at=hall.begins_at + timedelta(hours=1),
            )
        assert places_of(tx, "other") == []
        assert slots_of(tx, "other", SESSION) == []


def test_all_mistakes_of_a_place_are_named(hall: Hall) -> None:
    with hall.store.write() as tx, pytest.raises(Invalid) as refused:
        add_place(tx, "shop", name=" ", postcode="x" * 21, price=-1, vat_rate=Decimal(101))
    assert [problem.where for problem in refused.value.problems] == ["/name", "/postcode", "/price", "/vat_rate"]


def test_an_edited_place_has_a_new_version_and_an_old_version_is_stale(hall: Hall) -> None:
    with hall.store.write() as tx:
        changed_place = change_place(tx, "shop", hall.place.id, 1, name="Foyer rural")
        assert (changed_place.name, changed_place.version, changed_place.price) == ("Foyer rural", 2, 150)
        with pytest.raises(Stale):
            change_place(tx, "shop", hall.place.id, 1, name="Salle")


def test_an_archived_place_takes_no_new_slots_and_keeps_those_it_has(hall: Hall) -> None:
    with hall.store.write() as tx:
        archive_place(tx, "shop", hall.place.id, 1)
        assert places_of(tx, "shop") == []
        with pytest.raises(Invalid, match="no such place"):
            hall.open(tx)
        assert [shipping_option.id for shipping_option in pickup.shipping_options(tx, "shop", SESSION, "fr")] == [
            hall.slot.id
        ]


def test_a_slot_ends_after_it_begins(hall: Hall) -> None:
    with hall.store.write() as tx:
        with pytest.raises(Invalid, match="ends after it begins"):
            hall.open(tx, hours=0)
        with pytest.raises(Invalid, match="between 0 and"):
            hall.open(tx, capacity=-1)


def test_a_slot_shrinks_to_what_is_taken_but_not_below(hall: Hall) -> None:
    with hall.store.write() as tx:
        book(tx, hall.slot.id)
        book(tx, hall.slot.id)
        assert change_slot(tx, "shop", hall.slot.id, 1, capacity=2).version == 2
        with pytest.raises(Conflict, match="2 orders have chosen"):
            change_slot(tx, "shop", hall.slot.id, 2, capacity=1)
        with pytest.raises(Conflict, match="2 orders have chosen"):
            remove_slot(tx, "shop", hall.slot.id, 2)
        with pytest.raises(Stale):
            change_slot(tx, "shop", hall.slot.id, 1, capacity=5)


def test_a_slot_that_nobody_chose_can_go(hall: Hall) -> None:
    with hall.store.write() as tx:
        with pytest.raises(Stale):
            remove_slot(tx, "shop", hall.slot.id, 7)
        remove_slot(tx, "shop", hall.slot.id, 1)
        assert slots_of(tx, "shop", SESSION) == []


# ------------------------------------------------------------------------------------------------ tables and demo


def test_its_migrations_make_its_tables(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path, clock: ManualClock, ids: SeededIds
) -> None:
    """The tables are checked by using them: all that they declare must exist."""
    if database_url.startswith("sqlite"):
        url = f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        url = request.getfixturevalue("new_postgresql")("template0")
    store = Store(url, clock=clock, ids=ids)
    folders = migration_folders(load_plugins(InstanceSettings(name="T", plugins={"enabled": ["pickup"]}), clock=clock))
    migrate(store, folders)
    assert missing_revisions(store, folders) == []
    hall = Hall(store)
    with store.write() as tx:
        book(tx, hall.slot.id)
        assert tx.value(select(pickup_slot.c.taken)) == 1
    store.close()


def test_the_demo_has_places_and_slots_and_the_same_seed_makes_the_same(hall: Hall, instance: Instance) -> None:
    runs: list[list[tuple[str, int | None]]] = []
    for shop in ("first", "second"):
        with hall.store.write() as tx:
            a_shop(tx, shop, city="Bourg", postcode="37000")
            assert pickup.demo_data(tx, DemoPlace(instance=instance, enterprise_id=shop, seed=7)) is True
            names = {place.id: place.name for place in places_of(tx, shop)}
            slots: list[Slot] = list(slots_of(tx, shop, f"{shop}-session"))
            runs.append([(names[slot.place_id], slot.capacity) for slot in slots])
    assert runs[0] == runs[1]
    assert len(runs[0]) >= 4
