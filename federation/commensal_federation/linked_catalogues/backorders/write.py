"""Writes an order at a linked platform: its row and its lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import delete, insert, update

from commensal import Transaction, insert_rows

from .tables import federation_backorder, federation_backorder_line
from .values import Backorder, BackorderLine


def open_backorder(tx: Transaction, **values: Any) -> Backorder:
    """Inserts an order without lines and returns it; nothing of it was sent yet."""
    times = dict.fromkeys(("due_at", "claimed_until", "failing_since", "parked_at", "answered_at"))
    nothing = {"iri": "", "url": "", "key": "", "said_state": "", "posting": False, "failures": 0, "error": ""}
    row = {"id": tx.new_id(), **values, **nothing, **times, "before": [], "created_at": tx.now, "changed_at": tx.now}
    tx.execute(insert(federation_backorder), row)
    return Backorder(**{**row, "before": ()}, lines=())


def update_backorder(
    tx: Transaction, backorder: Backorder, lines: Sequence[BackorderLine] | None = None, **values: object
) -> None:
    """Writes these columns of the order, and replaces its lines unless `lines` is None."""
    change = update(federation_backorder).where(federation_backorder.c.id == backorder.id)
    tx.execute(change.values(**values, changed_at=tx.now))
    if lines is None or tuple(lines) == backorder.lines:
        return
    tx.execute(delete(federation_backorder_line).where(federation_backorder_line.c.backorder_id == backorder.id))
    insert_rows(tx, federation_backorder_line, [_row(backorder.id, line) for line in lines])


def _row(backorder_id: str, line: BackorderLine) -> dict[str, object]:
    values = asdict(line)
    per_case = values.pop("per_case")
    return {"backorder_id": backorder_id, **values, "per_case": per_case.numerator, "cases_of": per_case.denominator}
