"""Questions about orders at distant platforms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from fractions import Fraction
from typing import Any

from sqlalchemy import bindparam, select

from commensal import NotFound, Row, Transaction

from .tables import federation_backorder, federation_backorder_line
from .values import Backorder, BackorderLine

_row, _line = federation_backorder.c, federation_backorder_line.c
_OF_SESSION = select(federation_backorder).where(_row.session_id == bindparam("session")).order_by(_row.id)
_PLAIN = [one.name for one in fields(Backorder) if one.name not in ("lines", "before")]
_LINE = [one.name for one in fields(BackorderLine) if one.name != "per_case"]


def locked_backorder(tx: Transaction, id: str) -> Backorder | None:
    """Locked until the transaction ends; None where there is none."""
    row = tx.first(select(federation_backorder).where(_row.id == id).with_for_update())
    return None if row is None else _read(tx, [row])[0]


def locked_between(tx: Transaction, session_id: str, link_id: str) -> Backorder | None:
    """The one of this sale at this platform, locked; None before there is one."""
    mine = (_row.session_id == session_id, _row.link_id == link_id)
    row = tx.first(select(federation_backorder).where(*mine).with_for_update())
    return None if row is None else _read(tx, [row])[0]


def backorder_of(tx: Transaction, enterprise_id: str | None, id: str) -> Backorder:
    """One of an enterprise of ours, or of whichever where that is None. Raises `NotFound`."""
    mine = [_row.id == id]
    if enterprise_id is not None:
        mine.append(_row.enterprise_id == enterprise_id)
    row = tx.first(select(federation_backorder).where(*mine))
    if row is None:
        raise NotFound("no_order", "There is no such order.")
    return _read(tx, [row])[0]


def backorders(
    tx: Transaction, enterprise_id: str | None = None, *, session_id: str = "", after: str = "", limit: int = 50
) -> list[Backorder]:
    """Those of an enterprise, or all that there are, the newest first. `after` is the last id of the page before."""
    wanted = select(federation_backorder)
    if enterprise_id is not None:
        wanted = wanted.where(_row.enterprise_id == enterprise_id)
    if session_id:
        wanted = wanted.where(_row.session_id == session_id)
    if after:
        wanted = wanted.where(_row.id < after)
    return _read(tx, tx.all(wanted.order_by(_row.id.desc()).limit(limit)))


def backorders_of_session(tx: Transaction, session_id: str) -> list[Backorder]:
    """One for each platform."""
    return _read(tx, tx.all(_OF_SESSION, {"session": session_id}))


def backorders_at(tx: Transaction, link_id: str) -> list[Backorder]:
    """All that were ordered at a platform for distributions to come."""
    coming = (_row.link_id == link_id, _row.begins_at > tx.now)
    return _read(tx, tx.all(select(federation_backorder).where(*coming).order_by(_row.id)))


def known_iris(tx: Transaction, link_id: str) -> frozenset[str]:
    """Names of orders at this platform that we know to be ours."""
    rows = tx.all(select(_row.iri).where(_row.link_id == link_id, _row.iri != ""))
    return frozenset(row["iri"] for row in rows)


def _read(tx: Transaction, rows: Sequence[Row]) -> list[Backorder]:
    lines: dict[str, list[BackorderLine]] = {row["id"]: [] for row in rows}
    found = select(federation_backorder_line).where(_line.backorder_id.in_(sorted(lines)))
    for one in tx.all(found.order_by(_line.backorder_id, _line.product_iri)) if rows else ():
        lines[one["backorder_id"]].append(_read_line(one))
    return [_backorder(row, lines[row["id"]]) for row in rows]


def _backorder(row: Row, lines: Sequence[BackorderLine]) -> Backorder:
    plain: dict[str, Any] = {name: row[name] for name in _PLAIN}
    return Backorder(**plain, before=tuple(row["before"]), lines=tuple(lines))


def _read_line(row: Row) -> BackorderLine:
    plain: dict[str, Any] = {name: row[name] for name in _LINE}
    return BackorderLine(**plain, per_case=Fraction(row["per_case"], row["cases_of"]))
