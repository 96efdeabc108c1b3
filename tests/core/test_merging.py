"""Two orders of one customer become one: its goods, its prices and its stock stay what they were."""

from __future__ import annotations

import email
from email.policy import default
from typing import Any

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from commensal.base.errors import Conflict
from commensal.enterprises.customers import create_customer
from commensal.orders.cancel import cancel_order
from commensal.orders.fulfil import hand_order_over
from commensal.orders.lock import locked_order, locked_together
from commensal.orders.questions import order_by_id
from commensal.orders.tables import customer_order
from commensal.orders.values import Order
from commensal.parts.checks import broken_invariants
from commensal.parts.order_corrections.merge import merge_orders, revive_order
from commensal.parts.order_corrections.substitutes import substitute
from commensal.parts.serving.work import work_of
from commensal.parts.supply.owed import owed_at_session
from commensal.payments.payments import receive_payment
from commensal.stock.tables import stock_movement
from commensal.storage.jobs.run import run_due
from commensal.storage.jobs.tables import job

from .supplying import Supplying


def merge(supplying: Supplying, target: Order, other: Order, **options: Any) -> Order:
    with supplying.instance.store.write() as tx:
        pair = locked_together(tx, target.id, other.id, enterprise_id="hub")
        return merge_orders(tx, supplying.instance.hooks, *pair, **options)


def by_hub(supplying: Supplying, goods: dict[str, int], customer: str) -> Order:
    return supplying.order("hub", goods, by_hub=True, customer_id=customer)


def read(supplying: Supplying, order: Order) -> Order:
    with supplying.instance.store.read() as tx:
        assert broken_invariants(tx) == []
        return order_by_id(tx, order.id, enterprise_id="hub")


def lines(order: Order) -> list[tuple[str, int]]:
    return [(line.name, line.quantity) for line in order.lines]


def mails(supplying: Supplying) -> list[tuple[str, str]]:
    with supplying.instance.store.read() as tx:
        rows = tx.all(select(job.c.payload).where(job.c.kind == "mail").order_by(job.c.id))
        return [(row["payload"]["kind"], row["payload"]["order_id"]) for row in rows]


def test_the_kept_order_has_the_goods_of_both_and_the_other_one_is_cancelled(supplying: Supplying) -> None:
    target = supplying.order("hub", {"apples": 2})
    other = supplying.order("hub", {"apples": 1, "cheese": 3})
    merged = merge(supplying, target, other)
    assert (lines(merged), merged.total) == ([("Apples", 3), ("Cheese", 3)], target.total + other.total)
    emptied = read(supplying, other)
    assert (emptied.state, lines(emptied)) == ("Cancelled", lines(other)), "it still tells what it was"
    assert (supplying.free("apples"), supplying.free("cheese")) == (97, 97)
    assert mails(supplying)[-1] == ("order_changed", target.id)
    assert [about for _, about in mails(supplying)].count(other.id) == 1, "nobody is told that an order is cancelled"


def test_the_customer_reads_that_both_come_together_and_what_no_longer_holds(supplying: Supplying) -> None:
    target, other = supplying.order("hub", {"apples": 2}), supplying.order("hub", {"apples": 1})
    with supplying.instance.store.write() as tx:
        delivered = customer_order.c.id == other.id
        tx.execute(update(customer_order).where(delivered).values(shipping_label="Delivery, 3 rue du Pont"))
    merge(supplying, target, other)
    while run_due(supplying.instance, work_of(supplying.instance)):
        pass
    files = (supplying.instance.folder / "mail").glob("*.eml")
    messages = [email.message_from_bytes(file.read_bytes(), policy=default) for file in files]
    (text,) = [
        part.get_content()
        for message in messages
        for part in message.walk()
        if part.get_content_type() == "text/plain" and "now belongs to it" in part.get_content()
    ]
    assert f"Your order {other.number} now belongs to it: you get everything together." in text
    assert "“Delivery, 3 rue du Pont” no longer holds." in text


def test_stock_moves_from_order_to_order_and_is_never_free_in_between(supplying: Supplying) -> None:
    target, other = supplying.order("hub", {"apples": 50}), supplying.order("hub", {"apples": 50})
    merge(supplying, target, other)
    movement = stock_movement.c
    with supplying.instance.store.read() as tx:
        rows = tx.all(
            select(movement.kind, movement.order_id, movement.free_change, movement.reserved_change)
            .where(movement.lot_id == supplying.lots["apples"], movement.order_id.is_not(None))
            .order_by(movement.id)
        )
    assert [tuple(row.values()) for row in rows[-2:]] == [("released", other.id, 0, -50), ("taken", target.id, 0, 50)]


def test_a_line_that_moves_keeps_its_purchase_price(supplying: Supplying) -> None:
    supplying.buy("hub", "cheese", price=200)
    target, other = supplying.order("hub", {"apples": 1}), supplying.order("hub", {"cheese": 2})
    supplying.buy("hub", "cheese", price=100)
    merge(supplying, target, other)
    with supplying.instance.store.read() as tx:
        owed = {each.supplier_id: each.total for each in owed_at_session(tx, "hub", "hub-session")}
    assert owed == {"farm": 250, "dairy": 400}


def test_a_substitute_stays_beside_what_it_replaces(supplying: Supplying) -> None:
    target, other = supplying.order("hub", {"apples": 1}), supplying.order("hub", {"apples": 2})
    with supplying.instance.store.write() as tx:
        locked = locked_order(tx, other.id, enterprise_id="hub")
        cheese = supplying.items["hub cheese"]
        substitute(tx, supplying.instance.hooks, locked, line_id=other.lines[0].id, item_id=cheese, quantity=2)
    merged = merge(supplying, target, other)
    assert lines(merged) == [("Apples", 1), ("Apples", 0), ("Cheese", 2)]
    assert merged.lines[2].substitutes_id == merged.lines[1].id
    emptied = read(supplying, other)
    assert emptied.lines[1].substitutes_id == emptied.lines[0].id


def test_notes_and_telephone_of_both_stay(supplying: Supplying) -> None:
    target, other = supplying.order("hub", {"apples": 1}), supplying.order("hub", {"cheese": 1})
    merged = merge(supplying, target, other)
    assert (merged.phone, merged.note) == ("06 12 34 56 78", "")


def test_the_order_with_the_money_is_kept(supplying: Supplying) -> None:
    target, paid = supplying.order("hub", {"apples": 1}), supplying.order("hub", {"cheese": 1})
    with supplying.instance.store.write() as tx:
        receive_payment(
            tx,
            enterprise_id="hub",
            order_id=paid.id,
            method="cash:cash",
            amount=250,
            person_id=None,
            idempotency_key="till",
        )
    with pytest.raises(Conflict, match="keep that one"):
        merge(supplying, target, paid)
    merged = merge(supplying, paid, target)
    assert (merged.total, merged.paid_total, merged.payment_state) == (500, 250, "Unpaid")
    assert read(supplying, paid).paid_total == 250


def test_orders_of_two_customers_stay_two(supplying: Supplying) -> None:
    ada, bea = supplying.order("hub", {"apples": 1}), supplying.order("hub", {"apples": 1}, "Bea")
    with pytest.raises(Conflict, match="two customers"):
        merge(supplying, ada, bea)
    with supplying.instance.store.write() as tx:
        records = [create_customer(tx, "hub", email=f"{name}@x.org", name=name).id for name in ("ada", "twin")]
    first, second = (by_hub(supplying, {"apples": 1}, record) for record in records)
    with pytest.raises(Conflict, match="two customers"):
        merge(supplying, first, second, vouched=True)


def test_an_order_that_nobody_has_proven_joins_a_customers_only_if_the_hub_vouches(supplying: Supplying) -> None:
    with supplying.instance.store.write() as tx:
        record = create_customer(tx, "hub", email="ada@example.org", name="Ada").id
    proven, typed = by_hub(supplying, {"apples": 1}, record), supplying.order("hub", {"cheese": 1})
    with pytest.raises(Conflict, match="ask them first"):
        merge(supplying, proven, typed)
    with pytest.raises(Conflict, match=f"Keep order {proven.number}"):
        merge(supplying, typed, proven, vouched=True)
    merged = merge(supplying, proven, typed, vouched=True)
    assert (merged.customer_id, len(merged.lines)) == (record, 2)


def test_what_is_handed_over_or_cancelled_or_of_another_sale_does_not_merge(supplying: Supplying) -> None:
    target, gone, cancelled = (supplying.order("hub", {"apples": 1}) for _ in range(3))
    with supplying.instance.store.write() as tx:
        hand_order_over(tx, locked_order(tx, gone.id, enterprise_id="hub"))
        cancel_order(tx, supplying.instance.hooks, locked_order(tx, cancelled.id, enterprise_id="hub"))
    for other, reason in ((gone, "handed over"), (cancelled, "cancelled"), (target, "same sale")):
        with pytest.raises(Conflict, match=reason):
            merge(supplying, target, other)


def test_an_order_that_was_merged_is_not_revived_since_its_goods_are_in_the_other(supplying: Supplying) -> None:
    target, other, cancelled = (supplying.order("hub", {"apples": 1}) for _ in range(3))
    merge(supplying, target, other)
    with supplying.instance.store.write() as tx:
        cancel_order(tx, supplying.instance.hooks, locked_order(tx, cancelled.id, enterprise_id="hub"))
    with pytest.raises(Conflict, match="in another one"), supplying.instance.store.write() as tx:
        revive_order(tx, supplying.instance.hooks, locked_order(tx, other.id, enterprise_id="hub"))
    with supplying.instance.store.write() as tx:
        revive_order(tx, supplying.instance.hooks, locked_order(tx, cancelled.id, enterprise_id="hub"))
    assert (read(supplying, cancelled).state, supplying.free("apples")) == ("Held", 97)


def test_a_hub_merges_over_the_api_and_a_packer_does_not(
    supplying: Supplying, client: TestClient, somebody: Any
) -> None:
    target, other = supplying.order("hub", {"apples": 2}), supplying.order("hub", {"cheese": 1})
    manager, packer = (supplying.token(somebody(role), "hub", role) for role in ("manager", "packer"))
    path, body = f"/api/enterprises/hub/orders/{target.id}/merge", {"order": other.id}
    refused = client.post(path, json=body, headers={**packer, "If-Match": '"1"'})
    stale = client.post(path, json=body, headers={**manager, "If-Match": '"9"'})
    merged = client.post(path, json=body, headers={**manager, "If-Match": '"1"'})
    assert (refused.status_code, stale.status_code, merged.status_code) == (403, 412, 200), merged.text
    assert [line["quantity"] for line in merged.json()["lines"]] == [2, 1]
