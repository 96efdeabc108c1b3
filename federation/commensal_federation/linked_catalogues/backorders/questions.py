"""Reads orders at linked platforms, and shows them as the API does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import bindparam, select

from commensal import Amount, NotFound, Row, Transaction

from .tables import federation_backorder, federation_backorder_line
from .values import Backorder, BackorderLine, Progress

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


# Orders at linked platforms as the API shows them.


@dataclass(frozen=True, kw_only=True)
class ShownBackorderLine:
    """Pieces that customers have ordered, and the whole cases that contain them; see `BackorderLine`.

    cases:   needed; told: last sent to the platform; confirmed: that it will deliver
    coming:  pieces for customers, as far as is known; surplus: delivered pieces that nobody has ordered
    price:   of one case, in minor units, as listed; told_price: as in the platform's answer
    """

    name: str
    product_id: str
    product_iri: str
    ordered_iri: str
    pieces: int
    per_case: str
    cases: int
    told: int | None
    answer: str
    confirmed: int | None
    reason: str
    coming: int
    surplus: int
    price: Amount | None
    told_price: Amount | None


@dataclass(frozen=True, kw_only=True)
class ShownBackorder:
    """The one order of a sale at a linked platform.

    progress: "waiting" to be sent, "told" (sent), "failing" (tried again at `due_at`), "parked" until a person retries
    state:    the intended state, of DFC; told_state: the state last sent to the platform
    iri:      given by the platform
    error:    of the last attempt, or a note for people, in the hub's language
    Times are UTC.
    """

    id: str
    link_id: str
    session_id: str
    session_name: str
    closes_at: datetime
    iri: str
    currency: str
    progress: Progress
    state: str
    told_state: str
    failures: int
    failing_since: datetime | None
    error: str
    due_at: datetime | None
    answered_at: datetime | None
    lines: tuple[ShownBackorderLine, ...]


def backorder_view(backorder: Backorder) -> ShownBackorder:
    """Returns the view of an order, with derived values."""
    return ShownBackorder(
        **_same(
            backorder,
            (
                "id",
                "link_id",
                "session_id",
                "session_name",
                "closes_at",
                "iri",
                "currency",
                "progress",
                "state",
                "failures",
                "failing_since",
                "error",
                "due_at",
                "answered_at",
            ),
        ),
        told_state=backorder.said_state,
        lines=tuple(map(_shown_line, backorder.lines)),
    )


def _shown_line(line: BackorderLine) -> ShownBackorderLine:
    return ShownBackorderLine(
        **_same(
            line,
            (
                "name",
                "product_id",
                "product_iri",
                "ordered_iri",
                "pieces",
                "cases",
                "answer",
                "confirmed",
                "reason",
                "coming",
                "surplus",
                "price",
                "told_price",
            ),
        ),
        per_case=str(line.per_case),
        told=line.said,
    )


def _same(source: object, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(source, name) for name in names}
