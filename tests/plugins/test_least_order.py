"""Where so little is ordered of a supplier that nobody drives for it, nothing is: the hook `demand_shaping`."""

from __future__ import annotations

import pytest

from commensal.base.clock import ManualClock
from commensal.enterprises.plugins import enable_plugin
from commensal.orders.questions import order_by_id
from commensal.orders.values import Order
from commensal.parts.supply.policy import change_closing_policy
from commensal.parts.supply.purchase_orders import purchase_orders_of

from .conftest import Browser, Stall
from .test_office import OFFICE, an_order_of, owner
from .test_office_receive import apples, close_the_sale, mail_about, pieces, run_all

PLUGINS = ("shop", "office", "cash", "pickup", "transport")
__all__ = ["apples", "owner"]  # fixtures

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # shortages are tested on both
WHY = "Moins de 20,00 € ont été commandés à La ferme : personne ne roule pour cela."


@pytest.fixture
def orders(stall: Stall, apples: str) -> tuple[Order, Order]:
    """Apples for 12.50 in two orders, of which one has eggs too, at a shop for whom nobody drives below 20.00."""
    with stall.instance.store.write() as tx:
        enable_plugin(tx, stall.instance.hooks, "shop", "transport", {"least_order": 2000})
    return an_order_of(stall, {apples: 3, stall.eggs: 1}), an_order_of(stall, {apples: 2}, "Denis Diop")


def test_goods_of_a_supplier_below_the_least_order_leave_the_orders_and_customers_read_why(
    stall: Stall, orders: tuple[Order, Order], clock: ManualClock
) -> None:
    close_the_sale(stall, clock)
    mixed, alone = orders
    assert sorted(pieces(stall, mixed)) == [0, 1]
    with stall.instance.store.read() as tx:
        assert purchase_orders_of(tx, "shop") == [], "nothing is left to order"
        assert order_by_id(tx, alone.id, enterprise_id="shop").state == "Cancelled"
    run_all(stall)
    for order in orders:
        for body in mail_about(stall, order.number, "Retiré : Pommes"):
            assert WHY in body.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


def test_a_hub_that_tells_by_hand_reads_it_before_and_decides(
    owner: Browser, stall: Stall, apples: str, orders: tuple[Order, Order], clock: ManualClock
) -> None:
    with stall.instance.store.write() as tx:
        change_closing_policy(tx, "shop", telling="by hand", shortage="by hand")
    close_the_sale(stall, clock)
    page = owner.go(f"{OFFICE}/receive")
    assert "Pommes: 5 → 0 · Moins de 20,00" in page.text.replace("\N{NO-BREAK SPACE}", " ")
    owner.send(f"{OFFICE}/receive/sales/shop-session", ("supplier", "farm"))
    with stall.instance.store.read() as tx:
        (order,) = purchase_orders_of(tx, "shop")
    assert [line.quantity for line in order.lines] == [5], "who decides by hand orders what customers did"


def test_enough_is_ordered_as_it_was(
    stall: Stall, apples: str, orders: tuple[Order, Order], clock: ManualClock
) -> None:
    an_order_of(stall, {apples: 3}, "Elsa Evrard", slot=1)
    close_the_sale(stall, clock)
    with stall.instance.store.read() as tx:
        (order,) = purchase_orders_of(tx, "shop")
    assert [line.quantity for line in order.lines] == [8]
