"""The goods of an order to a supplier as people count them: together, whatever their prices were.

An order has a line for each price at which customers have ordered. Whoever unpacks crates cannot see prices, so they
count all pieces of a product, and what is missing is shared out over everybody who has ordered it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ...storage.database import Transaction
from ..distribution.distribution import CustomersLine
from .answers import customers_rows
from .policy import Shortage, closing_policy_of
from .purchase_orders import PurchaseOrder, PurchaseOrderLine
from .shortage_shares import shares


@dataclass(frozen=True, kw_only=True)
class CountedGoods:
    """The lines of one product and size; they differ by price or VAT rate. Pieces are those of all of them."""

    lines: tuple[PurchaseOrderLine, ...]

    @property
    def id(self) -> str:
        """The id of the first line, by which a form names all of them."""
        return self.lines[0].id

    @property
    def product_id(self) -> str:
        return self.lines[0].product_id

    @property
    def name(self) -> str:
        return self.lines[0].name

    @property
    def unit_quantity(self) -> Decimal:
        return self.lines[0].unit_quantity

    @property
    def unit(self) -> str:
        return self.lines[0].unit

    @property
    def quantity(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def coming(self) -> int:
        return sum(line.coming for line in self.lines)

    @property
    def amount(self) -> int:
        """The price of what will come, in minor units of the order's currency."""
        return sum(line.price * line.coming for line in self.lines)

    @property
    def reason(self) -> str:
        """Why there are fewer, as the supplier said it of the first line that has a reason."""
        return next((line.reason for line in self.lines if line.reason), "")


def goods_of_order(order: PurchaseOrder) -> list[CountedGoods]:
    """Returns the goods of an order in the sequence of their lines; those that are no longer ordered stand alone."""
    groups: dict[tuple[object, ...], list[PurchaseOrderLine]] = {}
    for line in order.lines:
        alone = "" if line.quantity else line.id
        groups.setdefault((line.product_id, line.unit_quantity, line.unit, alone), []).append(line)
    return [CountedGoods(lines=tuple(lines)) for lines in groups.values()]


def pieces_of_lines(
    tx: Transaction, order: PurchaseOrder, pieces: Mapping[str, int], *, shortage: Shortage | None = None
) -> dict[str, int]:
    """Returns how many pieces come of each line, where `pieces` says how many come of goods, by `CountedGoods.id`.

    What is missing is taken off the lines as `shortage` shares it out over all customers who ordered the goods (None:
    the shop's policy). What is too much is put to the first line. Goods of which `pieces` names other lines than the
    first were divided before, and stay so.
    """
    policy = shortage or closing_policy_of(tx, order.enterprise_id).shortage
    divided = dict(pieces)
    for goods in goods_of_order(order):
        if len(goods.lines) > 1 and [line.id for line in goods.lines if line.id in pieces] == [goods.id]:
            divided |= _divide(tx, order, goods, pieces[goods.id], policy)
    return divided


def _divide(
    tx: Transaction, order: PurchaseOrder, goods: CountedGoods, pieces: int, policy: Shortage
) -> dict[str, int]:
    """The pieces of each line of the goods; together they are `pieces`."""
    ordered = {line.id: line.quantity for line in goods.lines}
    rows = [(line.id, row) for line in goods.lines for row in customers_rows(tx, order, line)]
    open_rows = [(line_id, row) for line_id, row in rows if row["fulfilment_state"] != "Fulfilled"]
    open_rows.sort(key=lambda each: each[1]["number"], reverse=True)  # the newest first, as numbers are given
    parts = [
        CustomersLine(order_id=row["id"], line_id=row["line_id"], quantity=row["quantity"]) for _, row in open_rows
    ]
    fewer = shares(parts, max(0, goods.quantity - pieces), policy)
    left = dict(ordered)
    for (line_id, _), lost in zip(open_rows, fewer, strict=True):
        left[line_id] = max(0, left[line_id] - lost)
    return _adjusted(goods.lines, left, pieces)


def _adjusted(lines: Sequence[PurchaseOrderLine], left: dict[str, int], pieces: int) -> dict[str, int]:
    """The pieces that are left of each line, changed so that they are `pieces` together: what nobody's order can lose
    any more is taken off the last lines."""
    for line in reversed(lines):
        too_many = sum(left.values()) - pieces
        left[line.id] -= min(max(0, too_many), left[line.id])
    left[lines[0].id] += max(0, pieces - sum(left.values()))
    return left
