"""Goods that were recalled or have spoiled leave every order that holds them, and everybody hears why."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from commensal.audit.trail import AuditFilter, audit_entries
from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict, Invalid
from commensal.catalogs.tables import catalog_item
from commensal.orders.fulfil import hand_order_over, order_is_ready
from commensal.orders.lock import locked_order
from commensal.orders.questions import order_by_id
from commensal.orders.values import Order
from commensal.parts.checks import broken_invariants
from commensal.parts.supply.withdrawing import ShortenedOrder, goods_on_orders, withdraw_goods
from commensal.payments.payments import receive_payment

from .conftest import Somebody
from .supplying import Supplying
from .test_purchase_orders import letters, lines, orders, pass_time, pieces

WHY = "Listeria was found in lot 42"


def product_of(supplying: Supplying, goods: str = "apples") -> str:
    item = select(catalog_item.c.product_id).where(catalog_item.c.id == supplying.items[f"hub {goods}"])
    with supplying.instance.store.read() as tx:
        return str(tx.value(item))


def withdraw(supplying: Supplying, **options: Any) -> list[ShortenedOrder]:
    product = product_of(supplying)
    values = {"session_ids": ["hub-session"], "reason": WHY, **options}
    with supplying.instance.store.write() as tx:
        shortened = withdraw_goods(tx, supplying.instance.hooks, "hub", [product], **values)
    with supplying.instance.store.read() as tx:
        assert broken_invariants(tx) == []
    return shortened


def order_now(supplying: Supplying, order: Order) -> Order:
    with supplying.instance.store.read() as tx:
        return order_by_id(tx, order.id, enterprise_id="hub")


def pay(supplying: Supplying, order: Order) -> None:
    with supplying.instance.store.write() as tx:
        receive_payment(
            tx,
            enterprise_id="hub",
            order_id=order.id,
            method="cash:cash",
            amount=order.total,
            idempotency_key="k",
            person_id=None,
        )


def test_withdrawn_goods_leave_every_order_and_its_customer_reads_why(supplying: Supplying, clock: ManualClock) -> None:
    mixed = supplying.order("hub", {"apples": 3, "cheese": 1}, "Ada")
    alone = supplying.order("hub", {"apples": 2}, "Bob")
    other = supplying.order("hub", {"cheese": 1}, "Canary")
    elsewhere = supplying.order("north", {"apples": 4}, "Dan")
    shortened = withdraw(supplying)
    assert [(order.number, order.pieces, order.cancelled) for order in shortened] == [
        (mixed.number, 3, False),
        (alone.number, 2, True),
    ]
    assert [(order.total_before, order.total_after) for order in shortened] == [(1000, 250), (500, 0)]
    assert (pieces(supplying, mixed), order_now(supplying, alone).state) == ([0, 1], "Cancelled")
    assert supplying.free("apples") == 100 - 4 - 5, "what was withdrawn is not sold again"
    with pytest.raises(Conflict, match="possible"):
        supplying.order("hub", {"apples": 1})
    with supplying.instance.store.read() as tx:
        assert order_by_id(tx, elsewhere.id, enterprise_id="north").lines[0].quantity == 4
    pass_time(supplying, clock, minutes=5)
    (of_ada,) = letters(supplying, "ada@", about="Taken out: Apples · order")
    (of_bob,) = letters(supplying, "bob@", about="is cancelled")
    for letter in (of_ada, of_bob):
        for kind in ("plain", "html"):
            body = " ".join(letter.get_body((kind,)).get_content().split())
            assert f"The hub had to take this out of all orders: Apples. The reason: {WHY}" in body
    assert letters(supplying, "canary@", about="Taken out") == []
    assert order_now(supplying, other).version == other.version


def test_the_trail_of_each_order_names_the_goods_and_the_reason(supplying: Supplying) -> None:
    order = supplying.order("hub", {"apples": 3, "cheese": 1})
    withdraw(supplying)
    with supplying.instance.store.read() as tx:
        entries = audit_entries(tx, AuditFilter(object_id=order.id))
    (entry,) = [entry for entry in entries if entry.action == "withdrawn"]
    assert entry.fields == {"goods": "Apples", "reason": WHY}


def test_after_the_close_the_supplier_is_told_and_packed_orders_change_too(
    supplying: Supplying, clock: ManualClock
) -> None:
    packed = supplying.order("hub", {"apples": 3, "cheese": 1}, "Ada")
    handed = supplying.order("hub", {"apples": 2}, "Bob")
    pass_time(supplying, clock, days=1)
    with supplying.instance.store.write() as tx:
        order_is_ready(tx, locked_order(tx, packed.id, enterprise_id="hub"))
        hand_order_over(tx, locked_order(tx, handed.id, enterprise_id="hub"))
    pay(supplying, packed)
    (shortened,) = withdraw(supplying)
    assert (shortened.number, shortened.to_give_back) == (packed.number, 750)
    assert (pieces(supplying, packed), pieces(supplying, handed)) == ([0, 1], [2])
    (purchase,) = orders(supplying)
    assert (lines(purchase), purchase.revision) == ([("Apples", 2, None)], 2)
    with supplying.instance.store.read() as tx:
        (left,) = goods_on_orders(tx, "hub", [product_of(supplying)])
    assert (left.name, left.phone, left.email) == ("Bob", "06 12 34 56 78", "bob@example.org")
    assert left.handed_over_at == clock.now()


def test_a_supplier_of_whom_nothing_is_left_reads_why(supplying: Supplying, clock: ManualClock) -> None:
    supplying.order("hub", {"apples": 3})
    pass_time(supplying, clock, days=1)
    withdraw(supplying)
    pass_time(supplying, clock, minutes=5)
    letter = letters(supplying, "farm@", about="a changé")[-1]
    text = letter.get_body(("plain",)).get_content()
    assert f"N’apportez pas Apples : {WHY}" in text.replace("\N{NO-BREAK SPACE}", " ").replace(
        "\N{NARROW NO-BREAK SPACE}", " "
    )
    assert lines(orders(supplying)[0]) == [("Apples", 0, None)]


def test_goods_that_are_not_lost_go_back_into_stock_and_are_not_offered(supplying: Supplying) -> None:
    supplying.order("hub", {"apples": 3})
    withdraw(supplying, lost=False)
    assert supplying.free("apples") == 100
    with pytest.raises(Conflict, match="possible"):
        supplying.order("hub", {"apples": 1})


def test_without_a_reason_or_after_the_books_nothing_changes(supplying: Supplying, clock: ManualClock) -> None:
    order = supplying.order("hub", {"apples": 3})
    with pytest.raises(Invalid) as refused:
        withdraw(supplying, reason=" ")
    assert refused.value.problems[0].where == "/reason"
    assert supplying.order("hub", {"apples": 1}).number == 2, "it is offered still"
    assert pieces(supplying, order) == [3]


def test_the_shop_withdraws_over_the_api_and_tries_it_before(
    supplying: Supplying, client: TestClient, somebody: Somebody
) -> None:
    order = supplying.order("hub", {"apples": 3, "cheese": 1})
    headers = supplying.token(somebody("Olivia"), "hub")
    product = product_of(supplying)
    held = client.get("/api/enterprises/hub/goods-on-orders", params={"product": product}, headers=headers).json()
    assert [(row["number"], row["pieces"]) for row in held] == [(1, 3)]
    body = {"product_ids": [product], "session_ids": ["hub-session"], "reason": WHY}
    url = "/api/enterprises/hub/withdrawals"
    tried = client.post(url, headers=headers, json={**body, "dry_run": True})
    assert (tried.status_code, pieces(supplying, order)) == (200, [3, 1])
    done = client.post(url, headers=headers, json=body)
    assert done.json() == tried.json()
    assert pieces(supplying, order) == [0, 1]
    foreign = client.post(url, headers=headers, json={**body, "session_ids": ["north-session"]})
    assert foreign.status_code == 404
