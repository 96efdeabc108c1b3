"""Empties at the hand-out: counted on the page and on the telephone, and taken back with an undone hand-over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from commensal.catalogs.tables import catalog_item
from commensal.orders.questions import order_by_id
from commensal.orders.tables import customer_order, order_line
from commensal.orders.values import Order
from commensal.products.tables import supplied_product
from commensal.sale_sessions.tables import coordination, sale_session

from .conftest import Browser, Stall
from .test_office import CASH, HANDOUT, PLUGINS, a_member, an_order, journal, owner
from .test_office_money import hand_out

__all__ = ["PLUGINS", "owner"]  # fixtures

_MOMENTS = ("opens_at", "closes_at", "begins_at", "ends_at")
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both


@pytest.fixture
def order(stall: Stall) -> Order:
    """An order of 4.80 at a shop whose eggs come in boxes with a deposit of 0.50."""
    product = catalog_item.select().with_only_columns(catalog_item.c.product_id).where(catalog_item.c.id == stall.eggs)
    with stall.instance.store.write() as tx:
        eggs = supplied_product.c.id == product.scalar_subquery()
        tx.execute(update(supplied_product).where(eggs).values(deposit=50))
    return an_order(stall)


def total(stall: Stall, order: Order) -> int:
    with stall.instance.store.read() as tx:
        return order_by_id(tx, order.id, enterprise_id="shop").total


def test_empties_lower_what_is_to_be_paid_and_come_back_with_undo(owner: Browser, stall: Stall, order: Order) -> None:
    owner.go(f"{HANDOUT}/{order.id}")
    page = owner.send("?then=weigh", **{"back/shop/50": "3"})
    assert "3 contenants rendus-€1.50" in page.text.replace("\N{MINUS SIGN}", "-")
    assert "To pay €3.30" in page.text
    assert page.form("?then=weigh").fields["back/shop/50"] == "3"
    owner.send("?then=done", CASH)
    assert (journal(stall), total(stall, order)) == ([330], 330)
    owner.go(f"{HANDOUT}/{order.id}")
    owner.send("?then=undo")
    assert journal(stall) == [330, -330]


def test_what_is_no_number_of_containers_is_told_at_its_field(owner: Browser, stall: Stall, order: Order) -> None:
    owner.go(f"{HANDOUT}/{order.id}")
    page = owner.send("?then=weigh", **{"back/shop/50": "three"})
    assert "three is not a number of containers" in page.text
    assert page.form("?then=weigh").fields["back/shop/50"] == "three"
    owner.post(f"{HANDOUT}/{order.id}?then=weigh", **{"back/shop/5000": "1"})
    assert (owner.status, total(stall, order)) == (422, 480)


@pytest.mark.parametrize(
    ("typed", "told"), [("500", "At most 100 containers"), ("-3", "-3 is not a number of containers")]
)
def test_an_implausible_number_of_containers_is_told_at_its_field(
    owner: Browser, stall: Stall, order: Order, typed: str, told: str
) -> None:
    owner.go(f"{HANDOUT}/{order.id}")
    assert '<details class="empties"><summary>' in owner.client.get(owner.at).text, "folded until there are some"
    page = owner.send("?then=weigh", **{"back/shop/50": typed})
    assert (owner.status, told in page.text, total(stall, order)) == (422, True, 480)
    assert page.form("?then=weigh").fields["back/shop/50"] == typed


def test_a_telephone_sends_empties_with_the_hand_out_once(owner: Browser, stall: Stall, order: Order) -> None:
    listed = owner.client.get(f"{HANDOUT}/list.json").json()
    assert [(kind["supplier_id"], kind["deposit"]) for kind in listed["deposits"]] == [("shop", 50)]
    back = [{"supplier_id": "shop", "deposit": 50, "pieces": 2}]
    for _ in range(2):
        assert hand_out(owner, order, "telephone", amount=380, returned=back).json()["outcome"] == "done"
    assert (journal(stall), total(stall, order)) == ([380], 380)
    listed = owner.client.get(f"{HANDOUT}/list.json").json()
    assert listed["orders"][0]["returned"] == back
    undone = owner.client.post(
        f"/api/-/office/enterprises/shop/orders/{order.id}/hand-out/undo", headers={"Idempotency-Key": "thumb"}
    )
    assert (undone.status_code, total(stall, order)) == (200, 480)


def test_money_of_a_hand_out_that_cannot_be_recorded_is_listed_for_the_treasurer(
    owner: Browser, stall: Stall, order: Order
) -> None:
    back = [{"supplier_id": "shop", "deposit": 50, "pieces": 99}]
    answer = hand_out(owner, order, "telephone", amount=100, returned=back).json()
    assert (answer["outcome"], "empties beyond that" in answer["text"]) == ("conflict", True)
    assert (journal(stall), total(stall, order)) == ([], 480)
    assert "Corinne Clerc" in owner.go("/office/shop/money").text
    assert "€1.00" in owner.page.text


def test_only_the_hand_out_may_use_the_camera(browser: Browser, stall: Stall, order: Order) -> None:
    browser.log_in(a_member(stall, "packer"))
    assert "camera=(self)" in browser.client.get(HANDOUT).headers["permissions-policy"]
    assert "camera=()" in browser.client.get("/office/shop/orders").headers["permissions-policy"]


def test_what_this_customer_had_stands_before_all_other_empties_and_is_named(
    owner: Browser, stall: Stall, order: Order
) -> None:
    with stall.instance.store.write() as tx:
        for table, more in ((coordination, {}), (sale_session, {"coordination_id": "earlier"})):
            now = tx.one(select(table).where(table.c.id.in_(("shop-sale", "shop-session"))))
            moments = {name: now[name] - timedelta(days=7) for name in _MOMENTS if name in now}
            tx.execute(insert(table).values({**now, **more, **moments, "id": "earlier"}))
        of_order = order_line.c.order_id == order.id
        tx.execute(update(order_line).where(of_order).values(deposit=50))
        tx.execute(update(customer_order).values(session_id="earlier", fulfilment_state="Fulfilled"))
        tx.execute(update(supplied_product).where(supplied_product.c.deposit == 0).values(deposit=25))
    order = an_order(stall)
    page = owner.go(f"{HANDOUT}/{order.id}").text
    assert "Empties that came back Box €0.50 Halle Saint-Jean · Œufs par 6 Other empties" in page, page
    assert "Jar" not in page.partition("Other empties")[0]
    assert "€0.25 Halle Saint-Jean · Carottes" in page.partition("Other empties")[2]
    listed = owner.client.get(f"{HANDOUT}/list.json").json()
    (place,) = listed["orders"][0]["had"]
    assert (listed["deposits"][place]["label"], listed["deposits"][place]["usual"]) == ("Box", False)


def test_who_did_not_come_is_asked_after_the_hand_out(owner: Browser, stall: Stall, order: Order) -> None:
    owner.post(f"{HANDOUT}/{order.id}?then=tell")
    assert (owner.status, "not begun" in owner.page.text) == (409, True)
