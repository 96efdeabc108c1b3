"""VAT falls due when money comes before the distribution, and at the distribution for the rest: directive 2006/112/EC,
art. 63 and 65.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import select, update

from commensal.base.clock import ManualClock
from commensal.base.ids import SeededIds
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.orders.place import place_order
from commensal.orders.tables import adjustment, customer_order, order_vat
from commensal.orders.values import Order, Wish
from commensal.payments.payments import record_payment, start
from commensal.payments.refunds import refund
from commensal.storage.database import Store
from commensal.testing.placed import a_lot, a_shop, an_item

from .reporting import table, use

BEFORE = datetime(2026, 6, 29, 10, tzinfo=UTC)  # the distribution is two days and five hours later, in July
JUNE = {"since": "2026-06-01", "until": "2026-06-30"}
JULY = {"since": "2026-07-01", "until": "2026-07-31"}
_count = itertools.count()


@pytest.fixture
def instance(settings: InstanceSettings, store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path) -> Instance:
    enabled_plugins = InstanceSettings(
        name="T", language="en", plugins={"enabled": ["cash", "distribution_lists", "sales", "custom_report"]}
    )
    return Instance(tmp_path, enabled_plugins, store, load_plugins(enabled_plugins, clock=clock), clock, ids)


def place_june_order(instance: Instance, clock: ManualClock, shop: str = "shop") -> Order:
    """Orders 3 pieces at 3.33 with 5.5 %, and one at 7.00 with 20 %, at the end of June: 16.99."""
    clock.set(BEFORE)
    with instance.store.write() as tx:
        a_shop(tx, shop)
        use(tx, shop)
        lot = a_lot(tx, shop, on_hand="100")
        bread = an_item(tx, lot, shop, name="Bread", price=333, vat="5.5")
        wine = an_item(tx, lot, shop, name="Wine", price=700, vat="20")
        wish = Wish(items={bread: 3, wine: 1}, name="Ada", email="ada@example.org")
        return place_order(tx, instance.hooks, f"{shop}-session", wish)


def pay(instance: Instance, order: Order, amount: int, name: str) -> None:
    with instance.store.write() as tx:
        shop = order.enterprise_id
        payment = start(
            tx, enterprise_id=shop, order_id=order.id, method="cash:cash", amount=amount, idempotency_key=name
        )
        record_payment(tx, shop, payment.id, person_id=None)


def vat_due(instance: Instance, period: dict[str, str], shop: str = "shop") -> dict[str, tuple[int, int]]:
    """Net and VAT in cents by rate, as the report of this period has them."""
    rows = table(instance, shop, "sales:vat", **period)
    return {row["VAT rate (%)"]: (cents(row["Without VAT (EUR)"]), cents(row["VAT (EUR)"])) for row in rows[:-1]}


def cents(text: str) -> int:
    return int(Decimal(text) * 100)


def shares(instance: Instance, order: Order) -> dict[str, tuple[int, int]]:
    with instance.store.read() as tx:
        rows = tx.all(select(order_vat).where(order_vat.c.order_id == order.id))
    return {str(row["rate"]): (row["net"], row["vat"]) for row in rows}


def test_what_is_paid_in_june_for_july_is_due_in_june(instance: Instance, clock: ManualClock) -> None:
    order = place_june_order(instance, clock)
    pay(instance, order, order.total, "all")
    assert vat_due(instance, JUNE) == shares(instance, order) == {"5.5": (947, 52), "20": (583, 117)}
    assert vat_due(instance, JULY) == {}


def test_what_is_paid_at_the_distribution_or_never_is_due_there(instance: Instance, clock: ManualClock) -> None:
    order = place_june_order(instance, clock)
    assert vat_due(instance, JUNE) == {}
    assert vat_due(instance, JULY) == shares(instance, order)
    clock.advance(days=3)
    pay(instance, order, order.total, "late")
    assert vat_due(instance, JULY) == shares(instance, order)


def test_money_that_is_given_back_before_takes_its_part_back(instance: Instance, clock: ManualClock) -> None:
    order = place_june_order(instance, clock)
    pay(instance, order, order.total + 500, "too much")
    with instance.store.write() as tx:
        refund(
            tx,
            enterprise_id="shop",
            order_id=order.id,
            method="cash:cash",
            amount=500,
            idempotency_key="back",
            person_id=None,
        )
    assert vat_due(instance, JUNE) == shares(instance, order)
    assert vat_due(instance, JULY) == {}


def test_what_a_fund_pays_is_due_at_the_distribution(instance: Instance, clock: ManualClock) -> None:
    """A fund pays half of the price: VAT stays on the full price, and half of it was paid for in June."""
    order = place_june_order(instance, clock)
    half = order.total // 2
    with instance.store.write() as tx:
        row = {"id": tx.new_id(), "order_id": order.id, "position": 1, "phase": "SUBSIDY", "kind": "subsidy"}
        paid = {
            "label": "Town",
            "amount": half - order.total,
            "payer": "Town",
            "payee": "shop",
            "plugin": "",
            "code": "",
        }
        tx.execute(adjustment.insert().values(**row, **paid))
        tx.execute(update(customer_order).where(customer_order.c.id == order.id).values(total=half))
    pay(instance, order, half, "the customer's half")
    june, july = vat_due(instance, JUNE), vat_due(instance, JULY)
    assert june == {"5.5": (947 * 849 // 1699, 52 * 849 // 1699), "20": (583 * 849 // 1699, 117 * 849 // 1699)}
    assert add_months(june, july) == shares(instance, order)


def test_of_a_sale_all_is_shown_whenever_it_is_due(instance: Instance, clock: ManualClock) -> None:
    order = place_june_order(instance, clock)
    pay(instance, order, 1000, "a part")
    rows = table(instance, "shop", "sales:vat", sale="shop-session")
    assert sum(cents(row["VAT (EUR)"]) for row in rows[:-1]) == order.vat_total


@given(st.lists(st.integers(1, 900), max_size=6), st.integers(0, 6))
@examples(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_parts_add_up_to_the_order_to_the_cent(
    instance: Instance, clock: ManualClock, amounts: list[int], early: int
) -> None:
    shop = f"shop{next(_count)}"
    order = place_june_order(instance, clock, shop)
    for number, amount in enumerate(amounts):
        if number == early:
            clock.advance(days=3)
        pay(instance, order, amount, str(number))
    assert add_months(vat_due(instance, JUNE, shop), vat_due(instance, JULY, shop)) == shares(instance, order)


def add_months(june: dict[str, tuple[int, int]], july: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """The sums of both months by rate; a rate due in neither is omitted."""
    zero = (0, 0)
    sums = {
        rate: (june.get(rate, zero)[0] + july.get(rate, zero)[0], june.get(rate, zero)[1] + july.get(rate, zero)[1])
        for rate in {*june, *july}
    }
    return {rate: sums[rate] for rate in sums if sums[rate] != zero}
