"""What a hub pays for a line is fixed when it is ordered, whatever becomes of terms, clocks and orders afterwards."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from commensal.base.clock import ManualClock
from commensal.catalogs.tables import purchase_terms
from commensal.instance import open_instance
from commensal.orders.lock import locked_order
from commensal.orders.tables import order_line
from commensal.orders.values import Order
from commensal.parts.checks import broken_invariants
from commensal.parts.order_corrections.merge import merge_orders
from commensal.parts.supply.owed import owed_at_session
from commensal.parts.supply.supplier_accounts import statement_lines

from .keeping import postgresql_tools
from .released import folder, kept_rows, store_of, unpack, url
from .supplying import Supplying
from .test_upgrade import run_upgrade

__all__ = ["folder", "postgresql_tools", "url"]  # fixtures


def owed(supplying: Supplying, supplier: str = "farm") -> tuple[int, list[tuple[int, int]]]:
    """Returns what the books say that the hub owes, and pieces and price of each line of the statement."""
    with supplying.instance.store.read() as tx:
        total = sum(each.total for each in owed_at_session(tx, "hub", "hub-session") if each.supplier_id == supplier)
        lines = statement_lines(tx, "hub", "hub-session", supplier)
    return total, sorted((line.pieces, line.price) for line in lines)


def test_terms_that_are_written_late_change_nothing_of_what_was_ordered_before(supplying: Supplying) -> None:
    """As of a transaction that began before an order and ended after it, or of a server whose clock runs late."""
    supplying.buy("hub", "apples", price=200)
    with supplying.instance.store.read() as tx:
        earlier_id = tx.new_id()
    supplying.order("hub", {"apples": 3})
    with supplying.instance.store.write() as tx:
        row = {"id": earlier_id, "item_id": supplying.items["hub apples"], "price": 20000, "set_at": tx.now}
        tx.execute(insert(purchase_terms).values(row))
    assert owed(supplying) == (600, [(3, 200)])


def test_an_order_that_joins_another_keeps_what_its_goods_cost(supplying: Supplying, clock: ManualClock) -> None:
    supplying.buy("hub", "apples", price=200)
    early = supplying.order("hub", {"apples": 2})
    clock.advance(minutes=1)
    supplying.buy("hub", "apples", price=210)
    late = supplying.order("hub", {"apples": 3})
    assert owed(supplying) == (1030, [(2, 200), (3, 210)])
    with supplying.instance.store.write() as tx:
        orders: list[Order] = [locked_order(tx, order.id, enterprise_id="hub") for order in (early, late)]
        merged = merge_orders(tx, supplying.instance.hooks, *orders, vouched=True)
    assert [line.quantity for line in merged.lines] == [2, 3]
    assert owed(supplying) == (1030, [(2, 200), (3, 210)])
    with supplying.instance.store.read() as tx:
        assert broken_invariants(tx) == []


def test_a_check_names_an_order_that_does_not_say_what_its_supplier_gets(supplying: Supplying) -> None:
    order = supplying.order("hub", {"apples": 2})
    with supplying.instance.store.write() as tx:
        tx.execute(update(order_line).values(cost=None))
    with supplying.instance.store.read() as tx:
        problems = broken_invariants(tx)
    assert [(problem.code, problem.values) for problem in problems] == [
        ("cost_missing", {"number": order.number, "count": 1})
    ]


@pytest.mark.bundled
@pytest.mark.parametrize("release", ["0.2.0"])
def test_lines_of_an_earlier_release_cost_what_its_books_said(release: str, folder: Path, url: str) -> None:
    unpack(release, folder, url)
    with closing(store_of(folder, url)) as store:
        with store.read() as tx:
            lines = kept_rows(tx)["order_line"]
        first = min(line["id"] for line in lines)
        with store.write() as tx:  # beside the prices that the release has: a margin, and terms that were taken back
            items = sorted({line["item_id"] for line in lines})
            _note_terms(tx, f"{first[:-1]}!", items[0], margin=1250)
            _note_terms(tx, f"{first[:-1]}!!", items[1])
            rows = kept_rows(tx)
    assert run_upgrade(folder).problems == ()
    with open_instance(folder) as instance, instance.store.read() as tx:
        costs = {row["id"]: row["cost"] for row in tx.all(select(order_line.c.id, order_line.c.cost))}
    assert costs == {line["id"]: _cost_by_terms(line, rows["purchase_terms"]) for line in lines}
    assert any(costs[line["id"]] != line["price"] for line in lines)


def _note_terms(tx: Any, id: str, item_id: str, **terms: int) -> None:
    tx.execute(insert(purchase_terms).values(id=id, item_id=item_id, set_at=tx.now, **terms))


def _cost_by_terms(line: dict[str, Any], terms: list[dict[str, Any]]) -> int:
    """The rule of that release: the latest terms before the line, half up; without terms the price for everybody."""
    before = [each for each in terms if each["item_id"] == line["item_id"] and each["id"] < line["id"]]
    latest = max(before, key=lambda each: str(each["id"]), default={"price": None, "margin": None})
    selling_price = line["price"] if line["list_price"] is None else line["list_price"]
    if latest["price"] is not None:
        return int(latest["price"])
    if latest["margin"] is not None:
        remaining = Decimal(selling_price) * (10_000 - latest["margin"]) / 10_000
        return int(remaining.quantize(Decimal(1), "ROUND_HALF_UP"))
    return int(selling_price)
