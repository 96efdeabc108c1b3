"""Plugins hear of events after the commit: at least once, if they listen, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, event, func, select

from commensal import Instance, Order
from commensal.base.clock import ManualClock
from commensal.enterprises.customers import create_customer
from commensal.enterprises.tables import enterprise_plugin
from commensal.events.announce import EVENT
from commensal.hooks.loading import all_hooks, load_plugins
from commensal.instance import InstanceSettings
from commensal.orders.cancel import cancel_coordination, cancel_order
from commensal.orders.change import change_order
from commensal.orders.fulfil import complete_due, hand_order_over
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.values import Wish
from commensal.parts.event_delivery.tell import HOOKS
from commensal.parts.membership.customer_lists import import_customers, read_customers
from commensal.parts.product_lists.lists import import_list
from commensal.parts.product_lists.read import read_list
from commensal.parts.sale_calendar.clone import clone_coordination
from commensal.payments.payments import fail_payment, receive_payment, start
from commensal.payments.refunds import refund
from commensal.products.products import archive_product, change_product, create_product
from commensal.products.vat import set_rate
from commensal.sale_sessions.tables import coordination, sale_session
from commensal.stock.lots import change_lot, lot_by_id
from commensal.stock.movements import count_stock
from commensal.stock.tables import stock_lot
from commensal.storage.database import Store, Transaction, insert_rows
from commensal.storage.jobs.failed import failed_jobs, retry_failed
from commensal.storage.jobs.run import DELAYS
from commensal.storage.jobs.tables import job
from commensal.testing.placed import a_lot, a_placed_order, a_shop

from .listening import Listener, a_shop_that_uses, arguments, plugins_loaded, run, use


@pytest.fixture
def listener() -> Listener:
    return Listener("ear")


@pytest.fixture
def other() -> Listener:
    return Listener("other")


@pytest.fixture
def instance(instance: Instance, listener: Listener, other: Listener) -> Iterator[Instance]:
    """An instance with two listening plugins: `ear` hears everything, `other` only of placed orders."""
    with plugins_loaded(
        instance, {"ear": listener.module(), "other": other.module("order_placed")}
    ) as listening_instance:
        yield listening_instance


@pytest.fixture
def item(instance: Instance) -> str:
    """An item on sale at a shop that uses `ear`."""
    with instance.store.write() as tx:
        return a_shop_that_uses(tx, "ear")


def place(instance: Instance, item: str, pieces: int = 1) -> Order:
    wish = Wish(items={item: pieces}, name="Ada", email="ada@example.org")
    with instance.store.write() as tx:
        return place_order(tx, instance.hooks, "shop-session", wish)


def count_promised_events(store: Store) -> int:
    with store.read() as tx:
        return int(tx.value(select(func.count()).select_from(job).where(job.c.kind == EVENT)))


@pytest.fixture
def statements(store: Store) -> Iterator[list[str]]:
    """Collects the statements sent to the database from now on."""
    statements_seen: list[str] = []

    def note(*args: Any) -> None:
        statements_seen.append(args[2])

    event.listen(store.engine, "before_cursor_execute", note)
    yield statements_seen
    event.remove(store.engine, "before_cursor_execute", note)


def job_inserts(statements: list[str]) -> list[str]:
    return [statement for statement in statements if statement.startswith("INSERT INTO job ")]


# ------------------------------------------------------------------------------------------------ who is told


def test_every_hook_that_only_tells_after_the_commit_can_be_told() -> None:
    hook_names = {
        name
        for name, hook in all_hooks().items()
        if hook.contract.where == "job" and hook.contract.returns == "nothing" and "event" in arguments(hook)
    }
    assert hook_names == set(HOOKS)


def test_each_plugin_that_listens_hears_of_an_event_by_the_same_id(
    instance: Instance, item: str, listener: Listener, other: Listener
) -> None:
    with instance.store.write() as tx:
        use(tx, "other")
    order = place(instance, item)
    assert listener.events == [], "not before the job runs"
    run(instance)
    ((event, about),) = listener.events
    ((event_of_other, _),) = other.events
    assert (event.kind, event.at, event.enterprise_id) == ("order_placed", order.placed_at, "shop")
    assert about.id == order.id
    assert event == event_of_other


def test_nothing_is_written_where_nobody_listens(instance: Instance, item: str) -> None:
    with instance.store.write() as tx:
        tx.execute(delete(enterprise_plugin))
    order = place(instance, item)
    with instance.store.write() as tx:
        hand_order_over(tx, locked_order(tx, order.id, enterprise_id="shop"))
        receive(tx, order)
    assert count_promised_events(instance.store) == 0


def test_where_no_plugin_listens_nothing_is_asked(store: Store, statements: list[str]) -> None:
    with store.write() as tx:
        a_shop(tx)
        lot = a_lot(tx)
        statements.clear()
        count_stock(tx, "shop", lot, Decimal(3))
    assert not [statement for statement in statements if "enterprise_plugin" in statement]


def test_what_is_rolled_back_is_not_told(instance: Instance, item: str, listener: Listener) -> None:
    wish = Wish(items={item: 1}, name="Ada", email="ada@example.org")
    with pytest.raises(RuntimeError), instance.store.write() as tx:
        place_order(tx, instance.hooks, "shop-session", wish)
        raise RuntimeError
    run(instance)
    assert listener.events == []


def test_a_plugin_that_was_switched_off_meanwhile_is_not_told(
    instance: Instance, item: str, listener: Listener
) -> None:
    place(instance, item)
    with instance.store.write() as tx:
        tx.execute(delete(enterprise_plugin))
    run(instance)
    assert listener.events == []
    with instance.store.read() as tx:
        assert {row["state"] for row in tx.all(select(job.c.state))} == {"done"}


def test_a_plugin_that_the_operator_has_taken_out_is_not_told(
    instance: Instance, settings: InstanceSettings, item: str, clock: ManualClock
) -> None:
    place(instance, item)
    without_plugins = replace(instance, hooks=load_plugins(settings, clock=clock))
    run(without_plugins)
    assert count_promised_events(instance.store) == 1
    with instance.store.read() as tx:
        assert failed_jobs(tx) == []


# ------------------------------------------------------------------------------------------------ retried


def test_a_plugin_that_fails_is_told_again_later_with_the_same_id_and_sees_what_is_now(
    instance: Instance, item: str, listener: Listener, clock: ManualClock
) -> None:
    calls: list[str] = []

    def fail_twice() -> None:
        calls.append("told")
        if len(calls) < 3:
            raise RuntimeError("not now")

    listener.before_event = fail_twice
    order = place(instance, item)
    run(instance)
    with instance.store.write() as tx:
        (failed_job,) = failed_jobs(tx)
        assert (failed_job.kind, failed_job.state, failed_job.attempts) == (EVENT, "waiting", 1)
        assert "not now" in failed_job.error
        change_order(tx, instance.hooks, locked_order(tx, order.id, enterprise_id="shop"), items={item: 5})
        tx.execute(delete(job).where(job.c.kind == EVENT, job.c.error == ""))
    for delay in DELAYS[:2]:
        clock.advance(seconds=delay.total_seconds())
        run(instance)
    ((event, about),) = listener.events
    assert (event.kind, event.at) == ("order_placed", order.placed_at)
    assert [line.quantity for line in about.lines] == [5]
    assert len(calls) == 3


def test_one_plugin_that_fails_does_not_keep_others_from_hearing_and_is_parked_in_the_end(
    instance: Instance, item: str, listener: Listener, other: Listener, clock: ManualClock
) -> None:
    def fail() -> None:
        raise RuntimeError("never")

    listener.before_event = fail
    with instance.store.write() as tx:
        use(tx, "other")
    place(instance, item)
    for delay in (timedelta(), *DELAYS):
        clock.advance(seconds=delay.total_seconds())
        run(instance)
    assert other.kinds == ["order_placed"]
    with instance.store.write() as tx:
        parked = [failed_job for failed_job in failed_jobs(tx) if failed_job.state == "parked"]
        assert [parked_job.kind for parked_job in parked] == [EVENT]
        assert any(failure.plugin == "ear" and failure.hook == "order_placed" for failure in instance.hooks.failures)
        retry_failed(tx, parked[0].id)
    listener.before_event = lambda: None
    run(instance)
    assert "order_placed" in listener.kinds


# ------------------------------------------------------------------------------------------------ what it costs


def receive(tx: Transaction, order: Order, amount: int = 250) -> None:
    receive_payment(
        tx,
        enterprise_id="shop",
        order_id=order.id,
        method="cash:cash",
        amount=amount,
        idempotency_key=tx.new_id(),
        person_id=None,
    )


def test_an_order_writes_its_mail_and_its_events_by_one_statement(
    instance: Instance, item: str, statements: list[str]
) -> None:
    with instance.store.write() as tx:
        use(tx, "other")
    statements.clear()
    order = place(instance, item)
    assert len(job_inserts(statements)) == 1
    assert count_promised_events(instance.store) == 2
    for act in (
        lambda tx, order: change_order(tx, instance.hooks, order, items={item: 2}),
        lambda tx, order: cancel_order(tx, instance.hooks, order),
    ):
        statements.clear()
        with instance.store.write() as tx:
            act(tx, locked_order(tx, order.id, enterprise_id="shop"))  # type: ignore[no-untyped-call]
        assert len(job_inserts(statements)) == 1


def test_orders_payments_and_refunds_are_told(instance: Instance, item: str, listener: Listener) -> None:
    order = place(instance, item)
    with instance.store.write() as tx:
        receive(tx, order)
        refund(
            tx,
            enterprise_id="shop",
            order_id=order.id,
            method="cash:cash",
            amount=100,
            idempotency_key="r",
            person_id=None,
            anyway=True,
        )
        hand_order_over(tx, locked_order(tx, order.id, enterprise_id="shop"))
    run(instance)
    assert sorted(listener.kinds) == [
        "order_fulfilled",
        "order_paid",
        "order_placed",
        "payment_received",
        "payment_refunded",
    ]
    money = {event.kind: about for event, about in listener.events if event.kind.startswith("payment")}
    assert (money["payment_received"].amount, money["payment_refunded"].amount) == (250, 100)


def test_an_order_is_paid_by_the_payment_that_covers_it_and_again_when_more_became_due(
    instance: Instance, item: str, listener: Listener
) -> None:
    order = place(instance, item)
    with instance.store.write() as tx:
        receive(tx, order, 249)
    run(instance)
    assert "order_paid" not in listener.kinds
    with instance.store.write() as tx:
        receive(tx, order, 1)
        change_order(tx, instance.hooks, locked_order(tx, order.id, enterprise_id="shop"), items={item: 2})
    run(instance)
    assert listener.kinds.count("order_paid") == 1
    with instance.store.write() as tx:
        receive(tx, order, 250)
        receive(tx, order, 5)
    run(instance)
    assert [about.id for event, about in listener.events if event.kind == "order_paid"] == [order.id] * 2


def test_a_payment_that_fails_is_told_once(instance: Instance, item: str, listener: Listener) -> None:
    order = place(instance, item)
    with instance.store.write() as tx:
        begun = start(tx, enterprise_id="shop", order_id=order.id, method="cash:cash", amount=250, idempotency_key="a")
        for _ in range(2):
            fail_payment(tx, "shop", begun.id)
    run(instance)
    assert [about.state for event, about in listener.events if event.kind == "payment_failed"] == ["Failed"]


def test_a_sale_is_told_when_it_is_planned_and_when_it_is_cancelled(
    instance: Instance, item: str, listener: Listener, clock: ManualClock
) -> None:
    with instance.store.write() as tx:
        sale = clone_coordination(tx, instance.hooks, "shop-sale", "shop", clock.now() + timedelta(days=7))
    run(instance)
    with instance.store.write() as tx:
        cancel_coordination(tx, sale.id, "shop", sale.version)
    run(instance)
    (planned,) = (about for event, about in listener.events if event.kind == "sale_planned")
    assert (planned.coordination_id, planned.enterprise_id) == (sale.id, "shop")
    (cancelled,) = (about for event, about in listener.events if event.kind == "sale_cancelled")
    assert (cancelled.id, cancelled.cancelled_at) == (planned.id, clock.now())


def test_a_sale_of_forty_shops_is_completed_as_cheaply_as_one(
    instance: Instance, item: str, listener: Listener, clock: ManualClock, statements: list[str]
) -> None:
    with instance.store.write() as tx:
        row = tx.one(select(sale_session))
        for number in range(40):
            a_shop(tx, f"s{number}")
            use(tx, "ear", shop=f"s{number}")
        tx.execute(delete(sale_session).where(sale_session.c.id != "shop-session"))
        tx.execute(delete(coordination).where(coordination.c.id != "shop-sale"))
        insert_rows(
            tx, sale_session, [{**row, "id": f"s{number}", "enterprise_id": f"s{number}"} for number in range(40)]
        )
        for _ in range(30):
            a_placed_order(tx)
        tx.execute(delete(job))
    clock.advance(days=1, minutes=1)
    statements.clear()
    with instance.store.write() as tx:
        assert complete_due(tx) == ["shop-sale"]
    assert len(statements) <= 5 + 1 + 2  # and what the audit trail asks
    run(instance)
    enterprise_ids = sorted(about.enterprise_id for event, about in listener.events if event.kind == "sale_completed")
    assert enterprise_ids == sorted(["shop", *(f"s{number}" for number in range(40))])


# ------------------------------------------------------------------------------------------------ stock


def test_a_lot_that_becomes_unlimited_or_is_counted_is_told(instance: Instance, item: str, listener: Listener) -> None:
    with instance.store.write() as tx:
        lot = a_lot(tx, name="Cerises", on_hand="7")
        count_stock(tx, "shop", lot, Decimal(5))
        change_lot(tx, "shop", lot, 1, unlimited=True)
        change_lot(tx, "shop", lot, 2, unlimited=False)
        change_lot(tx, "shop", lot, 3, name="Cerises noires")
        assert lot_by_id(tx, "shop", lot).free == 0
    run(instance)
    assert listener.kinds == ["stock_changed"] * 4
    assert {about.name for _, about in listener.events} == {"Cerises noires"}


def test_the_last_of_a_lot_is_told_whenever_an_order_takes_it(
    instance: Instance, item: str, listener: Listener, statements: list[str]
) -> None:
    """By no statement of the order that does so."""

    def count_statements(pieces: int) -> int:
        statements.clear()
        place(instance, item, pieces)
        count = len(statements)
        run(instance)
        return count

    assert count_statements(40) == count_statements(60)
    assert [(about.free, about.reserved) for event, about in listener.events if event.kind == "sold_out"] == [(0, 100)]
    with instance.store.write() as tx:
        count_stock(tx, "shop", lot_id_of(tx), Decimal(101))
    order = place(instance, item, 1)
    with instance.store.write() as tx:  # the last one is back before anybody is told
        cancel_order(tx, instance.hooks, locked_order(tx, order.id, enterprise_id="shop"))
    run(instance)
    assert listener.kinds.count("sold_out") == 1


def lot_id_of(tx: Transaction) -> str:
    (lot_id,) = (row["id"] for row in tx.all(select(stock_lot.c.id)))
    return str(lot_id)


def test_a_product_list_is_told_lot_by_lot_and_item_by_item_by_two_statements_for_each_event(
    instance: Instance, item: str, listener: Listener, statements: list[str]
) -> None:
    def import_rows(*rows: str) -> None:
        headers = "producer,name,category,units,unit_type,price,on_hand,tax_category,lot"
        content = "\n".join([headers, *(f"shop,{row}" for row in rows)]).encode()
        statements.clear()
        with instance.store.write() as tx:
            assert import_list(tx, "shop", read_list(content)).problems == ()

    names = [f"Produit {number}" for number in range(30)]
    import_rows(*(f"{name},pomme,1,kg,2.50,10,5.5,{name}" for name in names))
    assert len([statement for statement in statements if "enterprise_plugin" in statement]) == 3
    assert len(job_inserts(statements)) == 3
    run(instance)
    assert sorted(about.name for event, about in listener.events if event.kind == "stock_changed") == sorted(names)
    assert [len(items) for event, items in listener.events if event.kind == "listing_changed"] == [30]
    assert sorted(about.name for event, about in listener.events if event.kind == "product_changed") == sorted(names)
    listener.events.clear()
    import_rows("Produit 1,pomme,1,kg,2.50,7,5.5,Produit 1", "Produit 2,pomme,1,kg,2.80,10,5.5,Produit 2")
    run(instance)
    (stock_event, lot), (listing_event, items) = sorted(listener.events, key=lambda entry: entry[0].kind, reverse=True)
    assert (stock_event.kind, lot.name, lot.free) == ("stock_changed", "Produit 1", 7)
    assert (listing_event.kind, len(items)) == ("listing_changed", 1)


# ------------------------------------------------------------------------------------------------ products, customers


def test_a_product_that_nobody_lists_is_told_too(instance: Instance, item: str, listener: Listener) -> None:
    with instance.store.write() as tx:
        pear = create_product(
            tx,
            enterprise_id="shop",
            name="Poire",
            product_type="pear",
            quantity=Decimal(1),
            unit="Kilogram",
            vat_rate=Decimal("5.5"),
        )
        pear = change_product(tx, "shop", pear.id, pear.version, name="Poires")
        set_rate(tx, "shop", pear.id, Decimal(20))
        archive_product(tx, "shop", pear.id, pear.version)
    run(instance)
    assert listener.kinds == ["product_changed"] * 4
    assert {(about.name, about.vat_rate, about.archived_at is None) for _, about in listener.events} == {
        ("Poires", Decimal(20), False)
    }


def test_a_new_customer_is_told_once_whoever_makes_them(instance: Instance, item: str, listener: Listener) -> None:
    """By a first order (without a statement of its own), by the shop, or by a list."""
    wish = Wish(items={item: 1}, name="Dora", email="dora@example.org")
    for _ in range(2):
        with instance.store.write() as tx:
            place_order(tx, instance.hooks, "shop-session", wish)
    with instance.store.write() as tx:
        create_customer(tx, "shop", email="ben@example.org", name="Ben")
        import_customers(tx, "shop", read_customers(b"email,name\nada@example.org,Ada\ncleo@example.org,Cleo\n"))
    run(instance)
    new_customers = [about for event, about in listener.events if event.kind == "customer_created"]
    assert sorted((about.email, about.person_id) for about in new_customers) == [
        ("ben@example.org", None),
        ("cleo@example.org", None),
        ("dora@example.org", None),
    ]
