"""What a hub pays its suppliers: by price or margin, settled when a line is ordered, and nobody else's business."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.base.errors import Invalid
from commensal.catalogs.offers import PurchaseTerms, purchase_terms_of, set_price, set_purchase_terms
from commensal.enterprises.customer_categories import create_category
from commensal.enterprises.customers import create_customer
from commensal.orders.change import change_order
from commensal.orders.fulfil import weigh_order
from commensal.orders.lock import locked_order
from commensal.orders.tables import order_line
from commensal.orders.values import Order
from commensal.parts.order_corrections.substitutes import substitute
from commensal.parts.supply.passed_cut_offs import close_parts
from commensal.parts.supply.purchase_orders import tell_supplier
from commensal.parts.supply.purchase_prices import purchase_amount, purchase_price
from commensal.parts.supply.supplier_accounts import statement_lines
from commensal.products.tables import supplied_product

from .supplying import Supplying


def costs(supplying: Supplying, order: Order) -> list[tuple[int, int]]:
    """Returns purchase price and amount of each line, in cents."""
    statement = select(purchase_price().label("price"), purchase_amount().label("amount"))
    statement = statement.select_from(order_line).where(order_line.c.order_id == order.id)
    with supplying.instance.store.read() as tx:
        return [(row["price"], row["amount"]) for row in tx.all(statement.order_by(order_line.c.position))]


@pytest.mark.parametrize(
    ("terms", "price"),
    [
        ({}, 250),
        ({"price": 180}, 180),
        ({"price": 0}, 0),
        ({"margin": Decimal(20)}, 200),
        ({"margin": Decimal("33.33")}, 167),
        ({"margin": Decimal(100)}, 0),
    ],
)
def test_a_line_costs_its_purchase_price_or_its_price_without_the_margin(
    supplying: Supplying, terms: Mapping[str, Any], price: int
) -> None:
    supplying.buy("hub", "apples", **terms)
    assert costs(supplying, supplying.order("hub", {"apples": 3})) == [(price, 3 * price)]


@pytest.mark.parametrize(("terms", "price"), [({}, 250), ({"margin": Decimal(20)}, 200), ({"price": 180}, 180)])
def test_what_a_group_of_customers_pays_less_is_at_the_cost_of_the_hub(
    supplying: Supplying, somebody: Any, terms: Mapping[str, Any], price: int
) -> None:
    supplying.buy("hub", "apples", **terms)
    item, bea = supplying.items["hub apples"], somebody("Bea")
    with supplying.instance.store.write() as tx:
        helped = create_category(tx, "hub", name="Solidarity").id
        set_price(tx, "hub", item, 160, category_id=helped)
        create_customer(tx, "hub", email=bea.email, categories=[helped])
    everybodys = supplying.order("hub", {"apples": 1})
    hers = supplying.order("hub", {"apples": 2}, "Bea", person_id=bea.id)
    assert [line.price for line in hers.lines] == [160]
    assert (costs(supplying, everybodys), costs(supplying, hers)) == ([(price, price)], [(price, 2 * price)])
    with supplying.instance.store.write() as tx:
        set_price(tx, "hub", item, 300)  # a later price, also where the line is written anew
        locked = locked_order(tx, hers.id, enterprise_id="hub")
        change_order(tx, supplying.instance.hooks, locked, items={item: 1})
    assert costs(supplying, hers) == [(price, price)]


def test_what_replaces_missing_goods_is_paid_by_its_own_price(supplying: Supplying) -> None:
    order = supplying.order("hub", {"apples": 1})
    with supplying.instance.store.write() as tx:
        locked = locked_order(tx, order.id, enterprise_id="hub")
        cheese = supplying.items["hub cheese"]
        replaced = substitute(
            tx, supplying.instance.hooks, locked, line_id=order.lines[0].id, item_id=cheese, quantity=2
        )
    assert replaced.total == 250, "the customer pays what the apples cost"
    assert costs(supplying, order) == [(250, 0), (250, 500)]


def test_a_supplier_is_not_told_that_some_customers_pay_less(
    supplying: Supplying, somebody: Any, clock: ManualClock
) -> None:
    bea = somebody("Bea")
    with supplying.instance.store.write() as tx:
        helped = create_category(tx, "hub", name="Solidarity").id
        set_price(tx, "hub", supplying.items["hub apples"], 160, category_id=helped)
        create_customer(tx, "hub", email=bea.email, categories=[helped])
    supplying.order("hub", {"apples": 1})
    supplying.order("hub", {"apples": 2}, "Bea", person_id=bea.id)
    clock.advance(days=1)
    with supplying.instance.store.write() as tx:
        close_parts(tx)
        order = tell_supplier(tx, supplying.instance.hooks, "hub-session", "farm")
    assert order is not None
    assert [(line.quantity, line.price) for line in order.lines] == [(3, 250)]


def test_later_terms_change_no_line_that_was_ordered_before(supplying: Supplying, clock: ManualClock) -> None:
    supplying.buy("hub", "apples", price=200)
    early = supplying.order("hub", {"apples": 2})
    clock.advance(minutes=1)
    supplying.buy("hub", "apples", margin=Decimal(10))
    late = supplying.order("hub", {"apples": 2}, "Bea")
    with supplying.instance.store.write() as tx:  # rewrites the lines
        locked = locked_order(tx, early.id, enterprise_id="hub")
        change_order(tx, supplying.instance.hooks, locked, items={supplying.items["hub apples"]: 1})
    assert (costs(supplying, early), costs(supplying, late)) == ([(200, 200)], [(225, 450)])


@pytest.mark.parametrize(
    ("price", "tolerance", "weight", "amount"),
    [
        (150, None, "2.5", 375),
        (235, None, "3.124", 734),
        (235, None, "1.87", 439),
        (250, None, "1.87", 468),  # 467.5, half up
        (235, "10", "2.2", 517),
        (235, "10", "2.201", 517),  # no more than the customer was order at most
        (235, "10.5", "2.3", 519),
        (150, None, "0", 0),
    ],
)
def test_a_hub_pays_for_the_weight_that_was_measured(
    supplying: Supplying, price: int, tolerance: str | None, weight: str, amount: int
) -> None:
    """Of two pieces that customers pay 2.50 for: the ratio of what customers pay is rounded twice."""
    with supplying.instance.store.write() as tx:
        tolerated = Decimal(tolerance) if tolerance else None
        tx.execute(supplied_product.update().values(weighed=True, weight_tolerance=tolerated))
    supplying.buy("hub", "apples", price=price)
    order = supplying.order("hub", {"apples": 2}, "Ada")
    with supplying.instance.store.write() as tx:
        locked = locked_order(tx, order.id, enterprise_id="hub")
        weigh_order(tx, supplying.instance.hooks, locked, {order.lines[0].id: Decimal(weight)})
    assert costs(supplying, order) == [(price, amount)]
    supplying.order("hub", {"apples": 1}, "Bea")
    with supplying.instance.store.read() as tx:
        lines = statement_lines(tx, "hub", "hub-session", "farm")
    most = min(Decimal(weight), 2 * (1 + Decimal(tolerance) / 100)) if tolerance else Decimal(weight)
    stated = sorted((line.weighed, line.quantity, line.paid_quantity, line.price, line.amount) for line in lines)
    assert stated == [(False, 1, 1, price, price), (True, Decimal(weight), most, price, amount)]


def test_every_mistake_of_terms_is_named_and_nothing_is_set(supplying: Supplying) -> None:
    apples, foreign = supplying.items["hub apples"], supplying.items["north apples"]
    wrong = {apples: PurchaseTerms(price=1, margin=Decimal(1)), foreign: PurchaseTerms(margin=Decimal("20.005"))}
    with supplying.instance.store.write() as tx, pytest.raises(Invalid) as error:
        set_purchase_terms(tx, "hub", wrong)
    assert [(problem.where, problem.code) for problem in error.value.problems] == [
        (f"/items/{foreign}", "no_item"),
        (f"/items/{apples}", "both"),
        (f"/items/{foreign}/margin", "margin"),
    ]
    with supplying.instance.store.read() as tx:
        assert purchase_terms_of(tx, "hub", "hub-catalog") == {}


def test_terms_are_set_and_read_over_the_api_but_not_by_packers(
    supplying: Supplying, client: TestClient, somebody: Any
) -> None:
    apples = supplying.items["hub apples"]
    manager, packer = supplying.token(somebody("Ada"), "hub"), supplying.token(somebody("Paul"), "hub", "packer")
    path = "/api/enterprises/hub/purchase-terms"
    answer = client.put(path, json={"items": {apples: {"margin": "12.5"}}}, headers=manager)
    assert answer.status_code == 204, answer.text
    read = "/api/enterprises/hub/catalogs/hub-catalog/purchase-terms"
    assert client.get(read, headers=manager).json() == {apples: {"price": None, "margin": "12.5"}}
    assert client.get(read, headers=packer).status_code == 403
    client.put(path, json={"items": {apples: {}}}, headers=manager)
    assert client.get(read, headers=manager).json() == {}
    assert client.put(path, json={"items": {apples: {}}}, headers=packer).status_code == 403


def test_neither_offers_nor_orders_tell_what_the_hub_pays(supplying: Supplying, client: TestClient) -> None:
    supplying.buy("hub", "apples", price=187)
    offers = client.get("/api/sale-sessions/hub-session/offers")
    assert offers.json()["items"]
    assert "187" not in offers.text
    assert "187" not in str(supplying.order("hub", {"apples": 2}))
