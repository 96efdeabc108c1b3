"""The office: goods that were recalled or have spoiled are taken off all orders, once people have seen whose."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from commensal.catalogs.tables import catalog_item
from commensal.orders.fulfil import hand_order_over
from commensal.orders.lock import locked_order
from commensal.orders.questions import order_by_id
from commensal.orders.values import Order
from commensal.parts.checks import broken_invariants

from .conftest import SALE, Browser, Stall
from .test_office import OFFICE, PLUGINS, a_member, an_order, owner, statements
from .test_office_receive import mail_about, run_all

__all__ = ["PLUGINS", "owner"]  # fixtures

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the command is tested on both


def product_of(stall: Stall, item_id: str) -> str:
    with stall.instance.store.read() as tx:
        return str(tx.value(select(catalog_item.c.product_id).where(catalog_item.c.id == item_id)))


def now(stall: Stall, order: Order) -> Order:
    with stall.instance.store.read() as tx:
        assert broken_invariants(tx) == []
        return order_by_id(tx, order.id, enterprise_id="shop")


def test_goods_are_taken_off_all_orders_after_their_page_has_said_whose(owner: Browser, stall: Stall) -> None:
    mixed = an_order(stall, "Corinne Clerc", eggs=2, small=1)
    alone = an_order(stall, "Denis Diop", eggs=3)
    given = an_order(stall, "Elsa Evrard", slot=1, eggs=1)
    an_order(stall, "Farid Faure", slot=1, small=1)
    with stall.instance.store.write() as tx:
        hand_order_over(tx, locked_order(tx, given.id, enterprise_id="shop"))
    page = f"{OFFICE}/withdraw?product={product_of(stall, stall.eggs)}"
    assert f"{page}&sale=shop-session" in owner.go(f"{OFFICE}/orders/{mixed.id}").links()
    assert page in owner.go(f"{OFFICE}/products").links()
    owner.go(f"{OFFICE}/products/{product_of(stall, stall.eggs)}")
    assert "2 orders that are still to be handed over hold it. Take it off all of them" in owner.page.text
    owner.go(page)
    assert "call them" in owner.page.text
    assert "3 · Elsa Evrard" in owner.page.text
    assert {"tel:0639985866", "mailto:somebody@example.org"} <= set(owner.page.links())
    owner.send(page, reason=" ")
    assert (owner.status, "Say why" in owner.page.text) == (422, True)
    owner.send(page, reason="Salmonella")
    assert "Take them off 2 orders? Nothing has changed yet." in owner.page.text
    assert "1 · Corinne Clerc 2 pieces" in owner.page.text
    assert "2 · Denis Diop 3 pieces nothing is left: cancelled" in owner.page.text
    assert (now(stall, mixed).version, now(stall, alone).state) == (mixed.version, "Held")
    owner.send(page, ("back", "1"))
    assert owner.page.forms[0].fields["reason"] == "Salmonella"
    owner.send(page)
    owner.send(page)
    assert "2 orders are changed, and their customers are told by e-mail." in owner.page.text
    assert [line.quantity for line in now(stall, mixed).lines] == [0, 1]
    assert (now(stall, alone).state, now(stall, given).lines[0].quantity) == ("Cancelled", 1)
    assert "taken out of all orders: Œufs par 6 (Salmonella)" in owner.go(f"{OFFICE}/orders/{mixed.id}").text
    assert "Œufs" not in owner.go(SALE).text, "nobody orders them again"
    run_all(stall)
    for order in (mixed, alone):
        for body in mail_about(stall, order.number, "Retiré : Œufs par 6"):
            assert "a dû retirer de toutes les commandes : Œufs par 6. La raison : Salmonella" in body.replace(
                "\xa0", " "
            )


def test_other_sizes_of_the_lot_are_named_and_can_be_kept(owner: Browser, stall: Stall) -> None:
    order = an_order(stall, small=1, large=1)
    product = product_of(stall, stall.small)
    owner.go(f"{OFFICE}/withdraw?product={product}")
    assert len([box for box in owner.page.forms[0].boxes if box.startswith("goods/")]) == 2
    fields = {**owner.page.forms[0].fields, "reason": "mould", "sure": "1"}
    del fields[f"goods/{product_of(stall, stall.large)}"]
    owner.post(owner.at, **fields)
    assert sorted(line.quantity for line in now(stall, order).lines) == [0, 1]
    owner.post(owner.at, reason="mould", sure="1")
    assert "Tick at least one product and one sale." in owner.page.text


def test_the_page_asks_no_more_statements_for_many_orders_and_a_packer_takes_nothing_off(
    owner: Browser, stall: Stall
) -> None:
    page = f"{OFFICE}/withdraw?product={product_of(stall, stall.eggs)}"
    an_order(stall, eggs=1)
    few = statements(owner, stall, page)
    for name in ("Denis Diop", "Elsa Evrard"):
        an_order(stall, name, slot=1, eggs=1)
    assert statements(owner, stall, page) == few
    packer = owner.another()
    packer.log_in(a_member(stall, "packer", "paul@example.org"))
    packer.go(page)
    assert packer.status == 403
    packer.post(page, reason="mould", sure="1")
    assert packer.status == 403
