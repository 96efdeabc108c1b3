"""Coordinations: opened, moved while they run, cancelled; suppliers and shops that take part."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update

from commensal.base.clock import ManualClock, SystemClock
from commensal.base.errors import Conflict, Invalid, NotFound, Stale
from commensal.enterprises.tables import enterprise, enterprise_grant
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings
from commensal.orders.cancel import cancel_coordination
from commensal.orders.tables import customer_order
from commensal.sale_sessions.coordinations import change_coordination, open_coordination, remove_supplier, set_supplier
from commensal.sale_sessions.on_sale import put_on_sale, take_off_sale
from commensal.sale_sessions.questions import (
    coordination_by_id,
    coordinations_of,
    items_on_sale,
    session_by_id,
    sessions_of,
)
from commensal.sale_sessions.sessions import change_session, remove_session
from commensal.sale_sessions.values import Coordination, Supplier
from commensal.storage.database import Store

DAY = timedelta(days=1)
NO_PLUGINS = load_plugins(InstanceSettings(name="Test", plugins={"enabled": []}), clock=SystemClock())


def codes(error: pytest.ExceptionInfo[Invalid]) -> list[tuple[str, str]]:
    return [(problem.where, problem.code) for problem in error.value.problems]


def test_a_new_sale_has_its_suppliers_and_their_cut_offs(store: Store, village: Any, clock: ManualClock) -> None:
    early = clock.now() + DAY
    sale = village.sale(suppliers=[Supplier(enterprise_id="farm", closes_at=early), Supplier(enterprise_id="dairy")])
    assert sale.suppliers == (Supplier(enterprise_id="dairy"), Supplier(enterprise_id="farm", closes_at=early))
    assert (sale.version, sale.rhythm, sale.completed_at) == (1, None, None)


def test_every_mistake_of_a_new_sale_is_named(store: Store, village: Any, clock: ManualClock) -> None:
    with pytest.raises(Invalid) as error:
        village.sale(
            name=" ",
            opens_at=clock.now() - 2 * DAY,
            closes_at=clock.now() - DAY,
            rhythm="FREQ=HOURLY",
            suppliers=[
                Supplier(enterprise_id="nobody"),
                Supplier(enterprise_id="farm", closes_at=clock.now()),
                Supplier(enterprise_id="farm"),
            ],
        )
    assert codes(error) == [
        ("/name", "required"),
        ("/rhythm", "frequency"),
        ("/suppliers/0/enterprise_id", "no_supplier"),
        ("/suppliers/1/closes_at", "cut_off"),
        ("/suppliers/2/enterprise_id", "twice"),
        ("/closes_at", "over"),
    ]


@pytest.mark.parametrize(
    ("opens", "closes", "code"),
    [
        (timedelta(0), timedelta(0), "closes_before_opening"),
        (timedelta(0), 367 * DAY, "too_long_open"),
        (733 * DAY, 734 * DAY, "too_far"),
    ],
)
def test_a_sale_has_sensible_times(
    store: Store, village: Any, clock: ManualClock, opens: timedelta, closes: timedelta, code: str
) -> None:
    with pytest.raises(Invalid) as error:
        village.sale(opens_at=clock.now() + opens, closes_at=clock.now() + closes)
    assert code in [problem.code for problem in error.value.problems]


def test_a_sale_is_its_coordinators_alone(store: Store, village: Any) -> None:
    sale = village.sale()
    with store.write() as tx:
        with pytest.raises(NotFound):
            coordination_by_id(tx, sale.id, "farm")
        with pytest.raises(NotFound):
            change_coordination(tx, sale.id, "farm", 1, name="Mine")
        with pytest.raises(NotFound):
            cancel_coordination(tx, sale.id, "farm", 1)
        with pytest.raises(NotFound):
            open_coordination(tx, coordinator_id="nobody", name="x", opens_at=tx.now, closes_at=tx.now + DAY)


def test_the_list_is_paged_newest_first(store: Store, village: Any, clock: ManualClock) -> None:
    sales = []
    for number in range(3):
        clock.advance(minutes=1)
        sales.append(village.sale(name=f"Semaine {number}"))
    with store.read() as tx:
        first = coordinations_of(tx, "hub", limit=2)
        assert first == [sales[2], sales[1]]
        assert coordinations_of(tx, "hub", after=first[-1].id, limit=2) == [sales[0]]
        assert coordinations_of(tx, "farm") == []


def test_two_edits_of_one_version_are_one_too_many(store: Store, village: Any) -> None:
    sale = village.sale()
    with store.write() as tx:
        assert change_coordination(tx, sale.id, "hub", 1, name="Semaine 24").version == 2
    with pytest.raises(Stale), store.write() as tx:
        change_coordination(tx, sale.id, "hub", 1, name="Semaine 25")


def change_sale(store: Store, sale: Coordination, **times: Any) -> Coordination:
    with store.write() as tx:
        return change_coordination(tx, sale.id, "hub", coordination_by_id(tx, sale.id, "hub").version, **times)


def test_sessions_follow_a_sale_that_moves_and_keep_what_they_had_of_their_own(
    store: Store, village: Any, clock: ManualClock
) -> None:
    village.enterprise("shop")
    village.grant("shop", "hub", "WriteOrders")
    sale = village.sale(opens_at=clock.now() + DAY, closes_at=clock.now() + 4 * DAY)
    following, own_times = village.session(sale), village.session(sale, "shop", closes_at=clock.now() + 3 * DAY)
    change_sale(store, sale, opens_at=clock.now() + 2 * DAY, closes_at=clock.now() + 5 * DAY)
    with store.read() as tx:
        sessions = [session_by_id(tx, session.id, "hub") for session in (following, own_times)]
    assert [(session.opens_at, session.closes_at, session.version) for session in sessions] == [
        (clock.now() + 2 * DAY, clock.now() + 5 * DAY, 2),
        (clock.now() + 2 * DAY, clock.now() + 3 * DAY, 2),
    ]


def test_a_closing_in_the_past_closes_now_and_a_later_one_opens_again(
    store: Store, village: Any, clock: ManualClock
) -> None:
    sale = village.sale()
    session = village.session(sale)
    clock.advance(hours=3)
    assert change_sale(store, sale, closes_at=clock.now() - timedelta(hours=1)).closes_at == clock.now()
    closed_at = clock.now()
    clock.advance(hours=1)
    assert change_sale(store, sale, closes_at=clock.now() - timedelta(minutes=5)).closes_at == closed_at
    reopened = change_sale(store, sale, closes_at=clock.now() + DAY)
    with store.read() as tx:
        assert session_by_id(tx, session.id, "hub").closes_at == reopened.closes_at == clock.now() + DAY


def test_a_session_may_not_lose_all_its_time(store: Store, village: Any, clock: ManualClock) -> None:
    sale = village.sale()
    village.session(sale, opens_at=clock.now() + DAY)
    with pytest.raises(Invalid) as error:
        change_sale(store, sale, closes_at=clock.now() + DAY)
    assert [str(problem) for problem in error.value.problems] == [
        "/closes_at: The sale at hub would close before it opens; change or remove it first."
    ]


def test_a_sale_does_not_open_after_the_cut_off_of_a_supplier(store: Store, village: Any, clock: ManualClock) -> None:
    cut_off = clock.now() + DAY
    sale = village.sale(suppliers=[Supplier(enterprise_id="farm", closes_at=cut_off)])
    with pytest.raises(Invalid) as error:
        change_sale(store, sale, opens_at=cut_off)
    assert codes(error) == [("/opens_at", "cut_off")]


def test_a_sale_with_orders_is_not_cancelled_and_says_how_many_there_are(store: Store, village: Any) -> None:
    sale = village.sale()
    session = village.session(sale)
    village.order(session.id, "hub", number=1)
    village.order(session.id, "hub", number=2)
    village.order(session.id, "hub", number=3, state="Cancelled")
    with pytest.raises(Conflict, match="placed in this sale: 2") as error, store.write() as tx:
        cancel_coordination(tx, sale.id, "hub", 1)
    assert error.value.code == "has_orders"
    with store.read() as tx:
        assert coordination_by_id(tx, sale.id, "hub") == sale


def test_a_cancelled_sale_stays_as_it_is(store: Store, village: Any) -> None:
    sale = village.sale(rhythm="FREQ=WEEKLY")
    session = village.session(sale)
    with store.write() as tx:
        cancel_coordination(tx, sale.id, "hub", 1)
        coordination = coordination_by_id(tx, sale.id, "hub")
        assert (coordination.cancelled_at, coordination.rhythm, coordination.version) == (tx.now, "FREQ=WEEKLY", 2)
    for change in (
        lambda tx: change_coordination(tx, sale.id, "hub", 2, name="x"),
        lambda tx: cancel_coordination(tx, sale.id, "hub", 2),
        lambda tx: set_supplier(tx, sale.id, "hub", 2, Supplier(enterprise_id="farm")),
        lambda tx: change_session(tx, NO_PLUGINS, session.id, "hub", 1, note="x"),
        lambda tx: put_on_sale(tx, session.id, "hub"),
    ):
        with pytest.raises(Conflict), store.write() as tx:
            change(tx)


def test_cancelling_the_series_ends_its_rhythm(store: Store, village: Any) -> None:
    sale = village.sale(rhythm="FREQ=WEEKLY")
    with store.write() as tx:
        cancel_coordination(tx, sale.id, "hub", 1, series=True)
        assert coordination_by_id(tx, sale.id, "hub").rhythm is None


def test_a_supplier_gets_another_cut_off_and_leaves_with_its_goods(
    store: Store, village: Any, clock: ManualClock
) -> None:
    sale = village.sale()
    session = village.session(sale)
    with store.write() as tx:
        assert put_on_sale(tx, session.id, "hub") == 6
        supplier = set_supplier(tx, sale.id, "hub", 1, Supplier(enterprise_id="farm", closes_at=clock.now() + DAY))
        assert supplier.suppliers[1].closes_at == clock.now() + DAY
        remaining = remove_supplier(tx, sale.id, "hub", 2, "farm")
        assert (remaining.suppliers, remaining.version) == ((Supplier(enterprise_id="dairy"),), 3)
        assert {item.supplier_id for item in items_on_sale(tx, session.id, "hub")} == {"dairy"}
        with pytest.raises(NotFound):
            remove_supplier(tx, sale.id, "hub", 3, "farm")


def test_a_shop_takes_part_once_with_its_own_catalog_and_only_if_it_agreed(store: Store, village: Any) -> None:
    sale = village.sale()
    village.session(sale)
    with pytest.raises(Conflict) as error:
        village.session(sale)
    assert error.value.code == "takes_part"
    village.enterprise("shop")
    for shop in ("shop", "nobody"):
        with pytest.raises(Invalid) as shop_error:
            village.session(sale, shop)
        assert codes(shop_error) == [("/shop_id", "no_shop")]
    village.grant("shop", "hub", "WriteOrders")
    with pytest.raises(Invalid) as shop_error:
        village.session(sale, "shop", catalog_id="hub-catalog")
    assert codes(shop_error) == [("/catalog_id", "no_catalog")]
    village.session(sale, "shop")
    with store.read() as tx:
        assert [session.enterprise_id for session in sessions_of(tx, sale.id, "hub")] == ["hub", "shop"]


def test_a_session_lies_within_its_sale(store: Store, village: Any, clock: ManualClock) -> None:
    sale = village.sale()
    with pytest.raises(Invalid) as error:
        village.session(
            sale,
            opens_at=sale.opens_at - DAY,
            closes_at=sale.closes_at + DAY,
            begins_at=sale.opens_at - 2 * DAY,
            ends_at=sale.opens_at - 2 * DAY,
            note="x" * 2001,
        )
    assert [code for _, code in codes(error)] == [
        "too_long",
        "opens_too_early",
        "closes_too_late",
        "ends_before_beginning",
        "begins_too_early",
    ]


def test_a_session_changes_by_version(store: Store, village: Any, clock: ManualClock) -> None:
    session = village.session(village.sale())
    with store.write() as tx:
        changed = change_session(
            tx, NO_PLUGINS, session.id, "hub", 1, closes_at=clock.now() + DAY, note="  Apportez vos sacs.\n"
        )
        assert (changed.closes_at, changed.note, changed.version) == (clock.now() + DAY, "Apportez vos sacs.", 2)
        with pytest.raises(Stale):
            change_session(tx, NO_PLUGINS, session.id, "hub", 1, note="")
        with pytest.raises(NotFound):
            change_session(tx, NO_PLUGINS, session.id, "farm", 2, note="")


def test_a_session_is_removed_only_while_nobody_orders(store: Store, village: Any) -> None:
    session = village.session(village.sale())
    with store.write() as tx:
        put_on_sale(tx, session.id, "hub")
        with pytest.raises(Stale):
            remove_session(tx, session.id, "hub", 7)
        assert len(items_on_sale(tx, session.id, "hub")) == 6
    cart = village.order(session.id, "hub", state="Draft", number=None)
    with pytest.raises(Conflict) as error, store.write() as tx:
        remove_session(tx, session.id, "hub", 1)
    assert error.value.code == "in_use"
    with store.write() as tx:
        tx.execute(delete(customer_order).where(customer_order.c.id == cart))
        remove_session(tx, session.id, "hub", 1)
        with pytest.raises(NotFound):
            session_by_id(tx, session.id, "hub")


def test_on_sale_is_what_suppliers_make_and_let_the_shop_sell(store: Store, village: Any) -> None:
    village.items("hub", "hub", 2)  # the hub's own
    village.enterprise("mill")
    village.items("hub", "mill", 2)
    village.grant("mill", "hub", "ReadProducts")  # half of what it takes
    suppliers = [Supplier(enterprise_id=name) for name in ("hub", "farm", "stranger", "mill")]
    session = village.session(village.sale(suppliers=suppliers))
    with store.write() as tx:
        assert put_on_sale(tx, session.id, "hub") == 5
        assert put_on_sale(tx, session.id, "hub") == 0
        items = items_on_sale(tx, session.id, "hub")
    assert sorted({item.supplier_id for item in items}) == ["farm", "hub"]
    with store.read() as tx:
        page = items_on_sale(tx, session.id, "hub", limit=3)
        assert [*page, *items_on_sale(tx, session.id, "hub", after=page[-1].item_id)] == items


def test_items_that_may_not_be_sold_are_named_and_none_is_put_on_sale(store: Store, village: Any) -> None:
    sale = village.sale(suppliers=[Supplier(enterprise_id="farm"), Supplier(enterprise_id="stranger")])
    session = village.session(sale)
    item_ids = ["hub-farm-00000", "hub-dairy-00003", "hub-stranger-00006", "nothing"]
    with store.write() as tx:
        with pytest.raises(Invalid) as error:
            put_on_sale(tx, session.id, "hub", item_ids)
        assert codes(error) == [("/items/1", "not_supplied"), ("/items/2", "not_granted"), ("/items/3", "not_supplied")]
        assert items_on_sale(tx, session.id, "hub") == []
        assert put_on_sale(tx, session.id, "hub", item_ids[:1]) == 1
        assert take_off_sale(tx, session.id, "hub", item_ids) == 1
        with pytest.raises(NotFound):
            put_on_sale(tx, session.id, "farm", item_ids[:1])


def test_a_lost_grant_does_not_empty_a_running_sale_and_keeps_new_items_out(store: Store, village: Any) -> None:
    session = village.session(village.sale())
    with store.write() as tx:
        put_on_sale(tx, session.id, "hub", ["hub-farm-00000"])
        tx.execute(delete(enterprise_grant).where(enterprise_grant.c.grantor_id == "farm"))
        assert [item.item_id for item in items_on_sale(tx, session.id, "hub")] == ["hub-farm-00000"]
        assert put_on_sale(tx, session.id, "hub") == 3
        assert {item.item_id for item in items_on_sale(tx, session.id, "hub") if item.supplier_id == "farm"} == {
            "hub-farm-00000"
        }


def test_new_items_join_a_running_sale_but_not_those_of_an_archived_producer(store: Store, village: Any) -> None:
    session = village.session(village.sale())
    with store.write() as tx:
        put_on_sale(tx, session.id, "hub")
    new = village.items("hub", "farm")
    with store.write() as tx:
        assert put_on_sale(tx, session.id, "hub", new) == 1
        tx.execute(update(enterprise).where(enterprise.c.id == "farm").values(archived_at=tx.now))
        take_off_sale(tx, session.id, "hub", new)
    with pytest.raises(Invalid), store.write() as tx:
        put_on_sale(tx, session.id, "hub", new)
