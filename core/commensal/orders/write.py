"""Writes the parts of an order: one statement for each table, whatever the number of lines."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter

from sqlalchemy import delete, update

from ..base.errors import Stale
from ..pricing.values import OrderDraft, Totals
from ..storage.database import Transaction, insert_rows
from .lines import cost_of_row, take_lines_out
from .tables import adjustment, customer_order, order_line, order_vat
from .values import Quote

_LINE = (
    "id",
    "item_id",
    "product_id",
    "supplier_id",
    "lot_id",
    "lot_quantity",
    "name",
    "unit_quantity",
    "unit",
    "price",
    "list_price",
    "deposit",
    "vat_rate",
    "weighed",
    "weight_tolerance",
    "quantity",
    "final_quantity",
    "amount",
    "substitutes_id",
)
_line_values = attrgetter(*_LINE)
_COMPUTED = (("cost", cost_of_row),)


def totals_of(totals: Totals) -> dict[str, int | None]:
    """Returns the columns of an order that store its totals."""
    return {
        "products_total": totals.products,
        "deposits_total": totals.deposits,
        "adjustments_total": totals.adjustments,
        "vat_total": totals.vat,
        "total": totals.total,
        "total_at_most": totals.at_most,
    }


def write_parts(tx: Transaction, quote: Quote, costs: Mapping[str, int] | None = None) -> None:
    """Inserts the lines, adjustments and VAT shares of a priced order.

    `costs` is what one piece of a line has cost before, in minor units, by the line's id: other lines cost what the
    shop's terms say now.
    """
    order = quote.draft
    insert_rows(tx, order_line, _lines(order, costs or {}), computed=_COMPUTED)
    insert_rows(tx, adjustment, _adjustments(tx, order))
    shares = [
        {"order_id": order.id, "rate": share.rate, "net": share.net, "vat": share.vat} for share in quote.totals.shares
    ]
    insert_rows(tx, order_vat, shares)


def rewrite_parts(tx: Transaction, quote: Quote, costs: Mapping[str, int] | None = None) -> None:
    """Replaces the lines, adjustments and VAT shares of an order; lines keep their ids, and what they cost.

    `costs` are those of lines that come from another order.
    """
    order_id = quote.draft.id
    for table in (order_vat, adjustment):
        tx.execute(delete(table).where(table.c.order_id == order_id))
    write_parts(tx, quote, {**(costs or {}), **take_lines_out(tx, order_id)})


def change_row(tx: Transaction, order_id: str, version: int, values: Mapping[str, object]) -> None:
    """Updates the order's own row. Raises `Stale` if it was changed since `version`."""
    order = customer_order
    change = update(order).where(order.c.id == order_id, order.c.version == version)
    if tx.execute(change.values(**values, version=version + 1, changed_at=tx.now)).rowcount != 1:
        raise Stale


def _lines(order: OrderDraft, costs: Mapping[str, int]) -> list[dict[str, object]]:
    return [
        {
            "order_id": order.id,
            "position": position,
            **dict(zip(_LINE, _line_values(line), strict=True)),
            "cost": costs.get(line.id),
        }
        for position, line in enumerate(order.lines, start=1)
    ]


def _adjustments(tx: Transaction, order: OrderDraft) -> list[dict[str, object]]:
    return [
        {
            "id": tx.new_id(),
            "order_id": order.id,
            "position": position,
            "line_id": adjustment.line_id,
            "phase": str(adjustment.phase),
            "kind": adjustment.kind,
            "label": adjustment.label,
            "amount": adjustment.amount,
            "vat_rate": adjustment.vat_rate,
            "payer": adjustment.payer,
            "payee": adjustment.payee or order.enterprise_id,
            "code": adjustment.code,
            "plugin": adjustment.plugin,
        }
        for position, adjustment in enumerate(order.adjustments, start=1)
    ]
