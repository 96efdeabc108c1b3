"""Orders that came in DFC, as they were said, with their lines."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select

from commensal import NotFound, Transaction

from .tables import federation_platform_line, federation_platform_order
from .values import PlatformLine, PlatformOrder

_row, _line = federation_platform_order.c, federation_platform_line.c
_VALUES = [_row[name] for name in PlatformOrder.__dataclass_fields__ if name != "lines"]


def platform_order(tx: Transaction, id: str) -> PlatformOrder:
    """For who was allowed to ask. Raises `NotFound`."""
    found = _orders(tx, _row.id == id, limit=1)
    if not found:
        raise NotFound("no_order", "There is no such order.")
    return found[0]


def order_of_line(tx: Transaction, line_id: str) -> PlatformOrder:
    """The same by one of its lines."""
    return platform_order(tx, tx.value(select(_line.order_id).where(_line.id == line_id)) or "")


def platform_orders(
    tx: Transaction, enterprise_id: str, *, sender: str | None = None, after: str = "", limit: int = 50
) -> list[PlatformOrder]:
    """Those of a sender, or of all of them, by id."""
    mine = [_row.enterprise_id == enterprise_id, _row.id > after]
    if sender is not None:
        mine.append(_row.sender == sender)
    return _orders(tx, *mine, limit=limit)


def _orders(tx: Transaction, *which: ColumnElement[bool], limit: int) -> list[PlatformOrder]:
    rows = tx.all(select(*_VALUES).where(*which).order_by(_row.id).limit(limit))
    lines: dict[str, list[PlatformLine]] = {row["id"]: [] for row in rows}
    for row in tx.all(select(federation_platform_line).where(_line.order_id.in_(lines)).order_by(_line.id)):
        values = {name: row[name] for name in PlatformLine.__dataclass_fields__}
        lines[row["order_id"]].append(PlatformLine(**values))
    return [PlatformOrder(**row, lines=tuple(lines[row["id"]])) for row in rows]
