"""Writes an order between instances: its row and its lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from commensal import Transaction, insert_rows

from ..messages.bodies.orders import InstanceOrder, Line
from .facts import note_facts
from .tables import federation_order, federation_order_line

_KEEP = update(federation_order).where(federation_order.c.id == bindparam("order"))
_FIELDS = frozenset(field.name for field in fields(InstanceOrder))
_DROP = delete(federation_order_line).where(federation_order_line.c.order_id == bindparam("order"))


def open_order(tx: Transaction, **values: Any) -> InstanceOrder:
    """Inserts an order without lines and returns it; `values` are columns."""
    row = {**values, "rev": 0, "answer": 0, "names": 0, "created_at": tx.now, "changed_at": tx.now}
    row.setdefault("id", tx.new_id())
    tx.execute(insert(federation_order), row)
    return InstanceOrder(**row, lines=())


def update_order(tx: Transaction, order: InstanceOrder, lines: Sequence[Line], **values: object) -> None:
    """Writes these columns of the order, and replaces its lines. What that says of money is added to its facts, which
    alone sums are computed from."""
    tx.change(_KEEP, {"order": order.id, **values, "changed_at": tx.now})
    lines = _numbered(order, lines)
    if tuple(lines) != order.lines:
        tx.change(_DROP, {"order": order.id})
        insert_rows(tx, federation_order_line, [{"order_id": order.id, **_row(line)} for line in lines])
    changes: dict[str, Any] = {name: value for name, value in values.items() if name in _FIELDS}
    note_facts(tx, replace(order, lines=tuple(lines), **changes))


def _numbered(order: InstanceOrder, lines: Sequence[Line]) -> Sequence[Line]:
    """Gives new lines the next numbers, which no line of the order had before."""
    used = [line.number for line in (*order.lines, *lines)] + [fact.line for fact in order.facts]
    numbers = iter(range(max(used, default=0) + 1, max(used, default=0) + 1 + len(lines)))
    return [line if line.number else replace(line, number=next(numbers)) for line in lines]


def end_orders(tx: Transaction, supplier: str, supplier_here: str) -> None:
    """Ends the orders of hubs here at this supplier, which moves to this instance; both are its IRIs, old and new.

    Held orders are deleted: what their customers order is ordered from it here. The others are kept for the accounts
    under its new IRI, by which no peer is found, so nothing more is sent about them, also when it leaves again.
    """
    order = federation_order.c
    placed = (order.role == "buyer", order.other_iri == supplier)
    held = select(order.id).where(*placed, order.state == "Held")
    tx.execute(delete(federation_order_line).where(federation_order_line.c.order_id.in_(held)))
    tx.execute(delete(federation_order).where(order.id.in_(held)))
    tx.execute(update(federation_order).where(*placed).values(other_iri=supplier_here))


def _row(line: Line) -> dict[str, object]:
    return {name: value for name, value in asdict(line).items() if name != "customers"}
