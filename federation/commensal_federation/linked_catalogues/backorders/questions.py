"""Reads orders at linked platforms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from fractions import Fraction

from sqlalchemy import bindparam, select

from commensal import NotFound, Row, Transaction

from .tables import federation_backorder, federation_backorder_line
from .values import Backorder, BackorderLine

_row, _line = federation_backorder.c, federation_backorder_line.c
_OF_SESSION = select(federation_backorder).where(_row.session_id == bindparam("session")).order_by(_row.id)
_PLAIN = [field.name for field in fields(Backorder) if field.name not in ("lines", "before")]
_LINE = [field.name for field in fields(BackorderLine) if field.name != "per_case"]


def locked_backorder(tx: Transaction, id: str) -> Backorder | None:
    """Returns the order, locked until the transaction ends; None when there is none."""
    row = tx.first(select(federation_backorder).where(_row.id == id).with_for_update())
    return None if row is None else _read(tx, [row])[0]


def locked_between(tx: Transaction, session_id: str, link_id: str) -> Backorder | None:
    """Returns the order of this sale at this link, locked; None before there is one."""
    conditions = (_row.session_id == session_id, _row.link_id == link_id)
    row = tx.first(select(federation_backorder).where(*conditions).with_for_update())
    return None if row is None else _read(tx, [row])[0]


def backorder_of(tx: Transaction, enterprise_id: str | None, id: str) -> Backorder:
    """Returns an order of this enterprise, or of any if that is None. Raises `NotFound`."""
    conditions = [_row.id == id]
    if enterprise_id is not None:
        conditions.append(_row.enterprise_id == enterprise_id)
    row = tx.first(select(federation_backorder).where(*conditions))
    if row is None:
        raise NotFound("no_order", "There is no such order.")
    return _read(tx, [row])[0]


def backorders(
    tx: Transaction, enterprise_id: str | None = None, *, session_id: str = "", after: str = "", limit: int = 50
) -> list[Backorder]:
    """Returns orders of an enterprise or of all, the newest first, beyond the id `after`."""
    query = select(federation_backorder)
    if enterprise_id is not None:
        query = query.where(_row.enterprise_id == enterprise_id)
    if session_id:
        query = query.where(_row.session_id == session_id)
    if after:
        query = query.where(_row.id < after)
    return _read(tx, tx.all(query.order_by(_row.id.desc()).limit(limit)))


def backorders_of_session(tx: Transaction, session_id: str) -> list[Backorder]:
    """Returns the orders of a sale, one for each link."""
    return _read(tx, tx.all(_OF_SESSION, {"session": session_id}))


def backorders_at(tx: Transaction, link_id: str) -> list[Backorder]:
    """Returns all orders at a link for future distributions."""
    conditions = (_row.link_id == link_id, _row.begins_at > tx.now)
    return _read(tx, tx.all(select(federation_backorder).where(*conditions).order_by(_row.id)))


def known_iris(tx: Transaction, link_id: str) -> frozenset[str]:
    """Returns the IRIs of our orders at this link."""
    rows = tx.all(select(_row.iri).where(_row.link_id == link_id, _row.iri != ""))
    return frozenset(row["iri"] for row in rows)


def _read(tx: Transaction, rows: Sequence[Row]) -> list[Backorder]:
    lines: dict[str, list[BackorderLine]] = {row["id"]: [] for row in rows}
    query = select(federation_backorder_line).where(_line.backorder_id.in_(sorted(lines)))
    for line_row in tx.all(query.order_by(_line.backorder_id, _line.product_iri)) if rows else ():
        lines[line_row["backorder_id"]].append(_read_line(line_row))
    return [_backorder(row, lines[row["id"]]) for row in rows]


def _backorder(row: Row, lines: Sequence[BackorderLine]) -> Backorder:
    values: Row = {name: row[name] for name in _PLAIN}
    return Backorder(**values, before=tuple(row["before"]), lines=tuple(lines))


def _read_line(row: Row) -> BackorderLine:
    values: Row = {name: row[name] for name in _LINE}
    return BackorderLine(**values, per_case=Fraction(row["per_case"], row["cases_of"]))
