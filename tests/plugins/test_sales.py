"""The figures of a shop are the sums of its orders, to the cent, whatever was ordered."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import select, update

from commensal.base.clock import ManualClock
from commensal.base.ids import SeededIds
from commensal.catalogs.offers import PurchaseTerms, set_purchase_terms
from commensal.catalogs.tables import catalog_item
from commensal.enterprises.tables import enterprise_plugin
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.orders.cancel import cancel_order
from commensal.orders.fulfil import hand_order_over
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.tables import adjustment, customer_order, order_line, order_vat
from commensal.orders.values import Order, Wish
from commensal.parts.order_corrections.returns import Returned, count_returned
from commensal.parts.supply.corrections import LineCorrection, correct_order
from commensal.payments.payments import record_payment, start
from commensal.products.tables import supplied_product
from commensal.storage.database import Store
from commensal.testing.placed import a_lot, a_shop, an_item

from .reporting import run, table, use

JUNE: dict[str, Any] = {"since": "2026-06-01", "until": "2026-06-30"}
BY = ("day", "month", "sale", "product", "supplier", "product_type")
RATES = ("0", "2.1", "5.5", "10", "20")
_count = itertools.count()


@pytest.fixture
def instance(settings: InstanceSettings, store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path) -> Instance:
    enabled_plugins = InstanceSettings(
        name="T", language="en", plugins={"enabled": ["cash", "distribution_lists", "sales", "custom_report", "fees"]}
    )
    return Instance(tmp_path, enabled_plugins, store, load_plugins(enabled_plugins, clock=clock), clock, ids)


Goods = list[tuple[int, str, int]]  # price, rate, deposit
goods = st.lists(
    st.tuples(st.integers(0, 9999), st.sampled_from(RATES), st.sampled_from([0, 20])), min_size=1, max_size=4
)
baskets = st.lists(
    st.tuples(st.dictionaries(st.integers(0, 3), st.integers(1, 9), min_size=1), st.booleans()), min_size=1, max_size=5
)


def sell(
    instance: Instance, wares: Goods, baskets_ordered: Iterable[tuple[dict[int, int], bool]], included: bool
) -> str:
    """Opens a shop with these goods and orders these baskets; marked ones are cancelled. Returns the shop's id."""
    shop = f"shop{next(_count)}"
    with instance.store.write() as tx:
        a_shop(tx, shop, prices_include_vat=included)
        use(tx, shop)
        lot = a_lot(tx, shop, on_hand="100000")
        items = [
            an_item(tx, lot, shop, name=f"Ware {number}", price=price, vat=rate, deposit=deposit)
            for number, (price, rate, deposit) in enumerate(wares)
        ]
    for basket, cancelled in baskets_ordered:
        wishes: dict[str, int] = {}
        for place, pieces in basket.items():
            item = items[place % len(items)]
            wishes[item] = wishes.get(item, 0) + pieces
        with instance.store.write() as tx:
            order = place_order(
                tx, instance.hooks, f"{shop}-session", Wish(items=wishes, name="Ada", email="ada@example.org")
            )
            if cancelled:
                cancel_order(tx, instance.hooks, locked_order(tx, order.id, enterprise_id=shop), by_hub=True)
    return shop


def cents(text: str) -> int:
    return int((Decimal(text or "0") * 100).to_integral_exact())


def totals(lines: list[dict[str, str]]) -> dict[str, str]:
    """Returns the last row, which is the total."""
    return lines[-1] if lines else {}


def held_orders(instance: Instance, shop: str) -> list[Any]:
    with instance.store.read() as tx:
        query = select(customer_order).where(customer_order.c.enterprise_id == shop, customer_order.c.state == "Held")
        return list(tx.all(query))


@given(goods, baskets, st.booleans(), st.sampled_from(BY))
@examples(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_figure_is_the_sum_of_the_orders(
    instance: Instance, wares: Goods, bought: Any, included: bool, by: str
) -> None:
    shop = sell(instance, wares, bought, included)
    orders = held_orders(instance, shop)
    with instance.store.read() as tx:
        ids = [order["id"] for order in orders]
        lines = tx.all(select(order_line).where(order_line.c.order_id.in_(ids), order_line.c.quantity > 0))
        shares = tx.all(select(order_vat).where(order_vat.c.order_id.in_(ids)))
    charged_total = sum(line["amount"] for line in lines)
    vat_total = sum(order["vat_total"] for order in orders)
    # this column has the agreed prices and is exact; the other one is computed
    exact_column = "With VAT (EUR)" if included else "Without VAT (EUR)"

    turnover = table(instance, shop, "sales:turnover", by=by, **JUNE)
    total = totals(turnover)
    assert cents(total.get(exact_column, "")) == charged_total
    assert cents(total.get("VAT (EUR)", "")) == vat_total, "however it is grouped"
    assert cents(total.get("Deposits (EUR)", "")) == sum(line["deposit"] * line["quantity"] for line in lines)
    assert int(total.get("Pieces", 0)) == sum(line["quantity"] for line in lines)
    for row in turnover:
        assert cents(row["Without VAT (EUR)"]) + cents(row["VAT (EUR)"]) == cents(row["With VAT (EUR)"])

    vat = table(instance, shop, "sales:vat", **JUNE)
    for rate in {share["rate"] for share in shares}:
        (row,) = [row_of_rate for row_of_rate in vat if row_of_rate["VAT rate (%)"] == f"{rate:f}"]
        assert cents(row["Without VAT (EUR)"]) == sum(share["net"] for share in shares if share["rate"] == rate)
        assert cents(row["VAT (EUR)"]) == sum(share["vat"] for share in shares if share["rate"] == rate)
    assert cents(totals(vat).get("VAT (EUR)", "")) == vat_total

    assert table(instance, shop, "sales:suppliers", **JUNE) == [], "nobody pays themself"
    accounts = {row["What"]: cents(row["Amount (EUR)"]) for row in table(instance, shop, "sales:accounts", **JUNE)[:5]}
    assert accounts["Goods"] == charged_total
    assert accounts.get("Total", 0) == sum(order["total"] for order in orders)
    listed = totals(table(instance, shop, "sales:orders", **JUNE))
    assert cents(listed.get("Total (EUR)", "")) == accounts.get("Total", 0)
    customers = totals(table(instance, shop, "sales:customers", **JUNE))
    assert cents(customers.get("Total (EUR)", "")) == sum(order["total"] for order in orders)
    assert int(customers.get("Orders", 0)) == len(orders)
    supplied = totals(table(instance, shop, "distribution_lists:by_supplier", amounts="true"))
    assert cents(supplied.get("Amount (EUR)", "")) == charged_total
    packed = totals(table(instance, shop, "distribution_lists:by_customer"))
    assert int(packed.get("Pieces", 0)) == sum(line["quantity"] for line in lines)


@pytest.mark.parametrize(("margin", "goods", "owed"), [(0, "20.00", "21.50"), (25, "15.00", "16.50")])
def test_suppliers_are_paid_for_what_the_shop_lost_and_for_their_own_fees(
    instance: Instance, margin: int, goods: str, owed: str
) -> None:
    """A sale of a farm's goods: one order is handed out, one spoils at the shop, one goes back on sale. The shop keeps
    its margin of the goods."""
    shop = sell(instance, [(1000, "5.5", 20)], [], True)
    with instance.store.write() as tx:
        farm = a_shop(tx, f"farm of {shop}")
        tx.execute(supplied_product.update().values(enterprise_id=farm))
        item = tx.value(select(catalog_item.c.id))
        set_purchase_terms(tx, shop, {item: PurchaseTerms(margin=Decimal(margin))})
        orders = [
            place_order(tx, instance.hooks, f"{shop}-session", Wish(items={item: 1}, name="A", email="a@example.org"))
            for _ in range(3)
        ]
        fee = {"phase": "FEE", "kind": "packing", "label": "Packing", "code": "", "plugin": "", "payer": "customer"}
        for place, (amount, rate, payee) in enumerate([(100, "20", farm), (50, None, farm), (30, "20", shop)]):
            row = {**fee, "id": f"{shop}{place}", "order_id": orders[0].id, "position": place + 1, "amount": amount}
            tx.execute(adjustment.insert().values(**row, vat_rate=rate and Decimal(rate), payee=payee))
        for order, restock in ((orders[1], False), (orders[2], True)):
            locked = locked_order(tx, order.id, enterprise_id=shop)
            cancel_order(tx, instance.hooks, locked, restock=restock, by_hub=True)
    paid = [
        (row["VAT rate (%)"], row["Pieces"], row["With VAT (EUR)"], row["Fees among it (EUR)"], row["Deposits (EUR)"])
        for row in table(instance, shop, "sales:suppliers", **JUNE)
        if row["Supplier"] == farm
    ]
    assert sorted(paid) == [
        ("", "0", "0.50", "0.50", "0.00"),
        ("20", "0", "1.00", "1.00", "0.00"),
        ("5.5", "2", goods, "0.00", "0.40"),
        ("Subtotal", "2", owed, "1.50", "0.40"),
    ]
    turnover = totals(table(instance, shop, "sales:turnover", by="day", **JUNE))
    assert turnover["With VAT (EUR)"] == "11.30"  # with the two fees that have VAT; a loss is not turnover


def test_a_sale_has_one_turnover_and_one_vat_after_corrections_and_empties(instance: Instance) -> None:
    """A farm's goods, with a fee of the hub: the farm bears a correction of one order, and empties came back."""
    shop = sell(instance, [(333, "5.5", 20), (199, "20", 0)], [], True)
    with instance.store.write() as tx:
        farm = a_shop(tx, f"farm of {shop}")
        tx.execute(supplied_product.update().values(enterprise_id=farm))
        ware, other = tx.all(select(catalog_item.c.id).order_by(catalog_item.c.id))
        fee = {"calculator": "FlatRate", "name": "Packing", "amount": 77, "type": "packing", "vat_rate": "20"}
        fee["names"] = {"fr": "Emballage"}
        settings = {"enterprise_id": shop, "plugin": "fees", "settings": {"fees": [fee]}, "version": 1}
        tx.execute(enterprise_plugin.insert().values(settings))
        for number in (1, 2, 3):
            language = "fr" if number == 2 else "en"
            wish = Wish(items={ware["id"]: number, other["id"]: 1}, name="A", email="a@example.org", language=language)
            order = place_order(tx, instance.hooks, f"{shop}-session", wish)
        hand_order_over(tx, locked_order(tx, order.id, enterprise_id=shop))
        correction = {order.lines[0].id: LineCorrection(amount=333, returned=1)}
        locked = locked_order(tx, order.id, enterprise_id=shop)
        correct_order(tx, instance.hooks, locked, correction, reason="cracked", borne_by="supplier")
        count_returned(
            tx, locked_order(tx, order.id, enterprise_id=shop), [Returned(supplier_id=farm, deposit=20, pieces=2)]
        )
    sale = {"sale": f"{shop}-session"}
    vat = totals(table(instance, shop, "sales:vat", **sale))
    sums = [vat["Without VAT (EUR)"], vat["VAT (EUR)"], vat["With VAT (EUR)"]]
    assert cents(vat["With VAT (EUR)"]) == 6 * 333 + 3 * 199 + 3 * 77 - 333
    for by in BY:
        rows = table(instance, shop, "sales:turnover", by=by, **sale)
        assert list(totals(rows).values())[1:] == ["9", *sums, "0.60"], by
    assert [row["With VAT (EUR)"] for row in table(instance, shop, "sales:turnover", by="supplier", **sale)] == [
        "22.62",
        "2.31",
        "24.93",
    ], "the supplier’s goods less the correction, and the fees"
    charged = [line for line in table(instance, shop, "sales:fees", **sale) if line["Phase"] == "Fee"]
    sums_of_fees = [(line["Fee or reduction"], line["Orders"], line["Amount (EUR)"]) for line in charged]
    assert sums_of_fees == [("Packing", "3", "2.31")], "one fee, whatever its customers read"
    owed = totals(table(instance, shop, "sales:suppliers", **sale))
    assert (owed["With VAT (EUR)"], owed["Deposits (EUR)"]) == ("22.62", "0.60")
    assert (owed["Fees among it (EUR)"], owed["Corrections among it (EUR)"]) == ("0.00", "-3.33")


def an_order(instance: Instance, shop: str, **wish: Any) -> Order:
    with instance.store.write() as tx:
        item = tx.value(select(order_line.c.item_id).join(customer_order).where(customer_order.c.enterprise_id == shop))
        full_wish = Wish(items={item: 1}, name="Bob", email="bob@example.org", **wish)
        return place_order(tx, instance.hooks, f"{shop}-session", full_wish)


def test_another_shops_canary_stands_in_no_report(instance: Instance) -> None:
    own_shop = sell(instance, [(250, "5.5", 0)], [({0: 1}, False)], True)
    other_shop = sell(instance, [(990, "20", 20)], [({0: 2}, False)], True)
    canary = an_order(instance, other_shop, note="canary")
    with instance.store.write() as tx:
        tx.execute(
            customer_order.update().where(customer_order.c.id == canary.id).values(name="CANARY", phone="CANARY")
        )
    for name in (
        "sales:turnover",
        "sales:vat",
        "sales:fees",
        "sales:payments",
        "sales:journal",
        "sales:suppliers",
        "sales:customers",
        "sales:stock",
        *(
            f"distribution_lists:{name}"
            for name in ("by_customer", "by_product", "by_supplier", "by_place", "sign_in", "labels", "driver")
        ),
    ):
        for format in ("csv", "html", "jsonl"):
            report = run(instance, own_shop, name, format).decode().lower()
            assert "canary" not in report, name
            assert other_shop not in report, name


def test_payments_stand_by_day_and_method_and_entry_by_entry(instance: Instance, clock: ManualClock) -> None:
    shop = sell(instance, [(1000, "5.5", 0)], [({0: 1}, False), ({0: 2}, False)], True)
    for order in held_orders(instance, shop):
        with instance.store.write() as tx:
            paid = {"enterprise_id": shop, "order_id": order["id"], "idempotency_key": order["id"]}
            payment = start(tx, method="cash:cash", amount=order["total"], **paid)
            record_payment(tx, shop, payment.id, person_id=None)
        clock.advance(days=1)
    by_day = table(instance, shop, "sales:payments", **JUNE)
    assert [(row["Day"], row["Amount (EUR)"]) for row in by_day] == [
        ("2026-06-04", "10.00"),
        ("2026-06-05", "20.00"),
        ("", "30.00"),
    ]
    assert by_day[0]["Payment method"] == "Cash on collection", "as a person says it"
    journal = table(instance, shop, "sales:journal", **JUNE)
    assert [row["Entry"] for row in journal] == ["1", "2", ""]
    assert table(instance, shop, "sales:journal", since="2026-07-01", until="2026-07-31") == []


def test_fees_stand_with_who_pays_and_who_gets_them(instance: Instance) -> None:
    shop = sell(instance, [(1000, "5.5", 0)], [({0: 1}, False)], True)
    (order,) = held_orders(instance, shop)
    with instance.store.write() as tx:
        row = {"order_id": order["id"], "position": 1, "kind": "fee", "label": "Packing", "vat_rate": Decimal(20)}
        paid = {"phase": "FEE", "amount": 150, "payer": "customer", "payee": shop, "plugin": "", "code": ""}
        tx.execute(adjustment.insert().values(id=tx.new_id(), **row, **paid))
    (line, _) = table(instance, shop, "sales:fees", **JUNE)
    assert list(line.values()) == ["Fee", "Packing", "Customer", shop, "20", "1", "1.50"]


def test_stock_is_worth_what_it_brings_at_the_lowest_price(instance: Instance) -> None:
    """12 kg in bags of 1 kg for 2.40 and of 5 kg for 10.50: 2.10 a kilogram."""
    with instance.store.write() as tx:
        a_shop(tx)
        use(tx, "shop")
        lot, kilo = a_lot(tx, name="Carottes", unit="Kilogram", on_hand="12"), {"unit": "Kilogram"}
        an_item(tx, lot, name="Carottes", price=240, grains=1000, **kilo)
        an_item(tx, lot, name="Carottes", price=1050, grains=5000, quantity=Decimal(5), **kilo)
        a_shop(tx, "farm")
        leeks = a_lot(tx, "farm", name="Poireaux", unit="Kilogram", on_hand="9")
        an_item(tx, leeks, name="Poireaux", price=300, grains=1000, **kilo)
        of_farm = update(supplied_product).where(supplied_product.c.lot_id == leeks)
        tx.execute(of_farm.values(enterprise_id="farm"))
    lines = table(instance, "shop", "sales:stock")
    (line,) = (line for line in lines if line["Product"] == "Carottes")
    assert [line["Value (EUR)"] for line in lines if line["Product"] == "Poireaux"] == [""], "not its own"
    assert lines[-1]["Value (EUR)"] == "25.20"
    assert (line["On hand"], line["On hand (unit)"], line["Value (EUR)"]) == ("12", "kg", "25.20")


def test_turnover_has_a_chart_in_what_prints(instance: Instance) -> None:
    shop = sell(instance, [(1000, "5.5", 0), (500, "20", 0)], [({0: 1, 1: 1}, False)], True)
    html = run(instance, shop, "sales:turnover", "html", language="fr", by="product", **JUNE).decode()
    assert "<title>Chiffre d’affaires</title>" in html
    assert "Ware 0\u00a0: Hors TVA" in html
    assert run(instance, shop, "sales:turnover", "pdf", **JUNE).startswith(b"%PDF")


def test_figures_are_of_the_last_month_unless_told_otherwise(instance: Instance, clock: ManualClock) -> None:
    shop = sell(instance, [(1000, "5.5", 0)], [({0: 1}, False)], True)
    assert table(instance, shop, "sales:turnover") == [], "it is June, and nothing was sold in May"
    clock.advance(days=30)
    assert len(table(instance, shop, "sales:turnover")) == 2
    assert len(table(instance, shop, "sales:turnover", sale=f"{shop}-session", **JUNE)) == 2


def test_json_lines_of_a_report_are_objects(instance: Instance) -> None:
    shop = sell(instance, [(1000, "5.5", 0)], [({0: 1}, False)], True)
    (line, total) = [json.loads(line) for line in run(instance, shop, "sales:vat", "jsonl", **JUNE).splitlines()]
    assert (line["vat_rate"], line["net"], line["vat"], line["gross"]) == ("5.5", 948, 52, 1000)
    assert total["sum"] == "total"
