"""The journal of what changed on placed orders: of which goods how many pieces, and the total, whoever changed them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import insert, select

from ..hooks.values import ChangedBy
from ..pricing.values import PricedLine
from ..storage.database import Transaction
from .tables import order_change
from .values import Order

_NOTE = insert(order_change)
Goods = tuple[str, str, str]  # name, net content of a piece as text, and its DFC measure


@dataclass(frozen=True, kw_only=True)
class ChangedGoods:
    """Pieces of one product on an order, before and after."""

    name: str
    unit_quantity: Decimal
    unit: str
    before: int
    after: int


@dataclass(frozen=True, kw_only=True)
class GoodsChange:
    """A change of an order's goods. Totals are minor units of the order's currency; `at` is UTC."""

    at: datetime
    by: ChangedBy
    goods: Sequence[ChangedGoods]
    total_before: int
    total_after: int


def note_change(tx: Transaction, order: Order, lines: Sequence[PricedLine], total: int, by: ChangedBy) -> None:
    """Writes down that `order` gets these lines and this total (minor units), if the pieces of any goods change."""
    before, after = _pieces(order.lines), _pieces(lines)
    goods = [
        [*key, before.get(key, 0), after.get(key, 0)]
        for key in {**before, **after}
        if before.get(key, 0) != after.get(key, 0)
    ]
    if goods:
        values = {"goods": goods, "total_before": order.total, "total_after": total, "changed_by": by}
        tx.later(_NOTE, {"id": tx.new_id(), "order_id": order.id, "at": tx.now, **values})


def _pieces(lines: Sequence[PricedLine]) -> dict[Goods, int]:
    pieces: dict[Goods, int] = {}
    for line in lines:
        key = (line.name, format(line.unit_quantity.normalize(), "f"), line.unit)
        pieces[key] = pieces.get(key, 0) + line.quantity
    return pieces


def changes_of(tx: Transaction, order_id: str) -> list[GoodsChange]:
    """Returns the changes of an order, the oldest first. Ask only for whose order it is. One statement."""
    row = order_change.c
    rows = tx.all(select(order_change).where(row.order_id == order_id).order_by(row.id))
    return [
        GoodsChange(
            at=each["at"],
            by=each["changed_by"],
            total_before=each["total_before"],
            total_after=each["total_after"],
            goods=[
                ChangedGoods(name=name, unit_quantity=Decimal(quantity), unit=unit, before=before, after=after)
                for name, quantity, unit, before, after in each["goods"]
            ],
        )
        for each in rows
    ]
