"""Reads orders between instances."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, exists, select

from commensal import NotFound, Row, Transaction

from ..messages.bodies.order_facts import OrderFact
from ..messages.bodies.orders import Cut, InstanceOrder, Line
from .tables import federation_cut, federation_order, federation_order_fact, federation_order_line

_order, _line = federation_order.c, federation_order_line.c
_LOCKED = select(federation_order).with_for_update()
# Built once, since every message about an order needs them.
_BY_IRI = _LOCKED.where(_order.iri == bindparam("order"))
_BETWEEN = _LOCKED.where(
    _order.role == bindparam("ours"),
    _order.enterprise_id == bindparam("enterprise"),
    _order.other_iri == bindparam("other"),
    _order.session_iri == bindparam("session"),
)
_OWN = select(federation_order).where(_order.id == bindparam("order"), _order.enterprise_id == bindparam("enterprise"))
_OWN_LOCKED = _OWN.with_for_update()
_WAITING = (
    select(federation_order)
    .where(_order.enterprise_id == bindparam("enterprise"), _order.role == "supplier", _order.state == "Complete")
    .where(exists().where(_line.order_id == _order.id, _line.quantity > 0, _line.answer == ""))
    .order_by(_order.begins_at, _order.id)
    .limit(50)
)
_RECENT = (
    select(federation_order)
    .where(_order.enterprise_id == bindparam("enterprise"), _order.role == "supplier", _order.state == "Complete")
    .where(_order.begins_at > bindparam("since"))
    .order_by(_order.begins_at, _order.id)
    .limit(50)
)
_TO_AGREE = (
    select(federation_order)
    .where(_order.enterprise_id == bindparam("enterprise"), _order.role == "supplier", _order.receipt == "open")
    .order_by(_order.begins_at, _order.id)
    .limit(50)
)
_DISPUTED = (
    select(federation_order)
    .where(_order.enterprise_id == bindparam("enterprise"), _order.role == "buyer", _order.receipt == "disputed")
    .order_by(_order.begins_at, _order.id)
    .limit(50)
)
_RECENT_IDS = _RECENT.with_only_columns(_order.id).order_by(None).limit(1)
_LINES = (
    select(federation_order_line)
    .where(_line.order_id.in_(bindparam("orders", expanding=True)))
    .order_by(_line.order_id, _line.item_iri)
)
_fact = federation_order_fact.c
_FACTS = (
    select(federation_order_fact)
    .where(_fact.order_id.in_(bindparam("orders", expanding=True)))
    .order_by(_fact.order_id, _fact.number)
)
_ORDER_FIELDS = [field.name for field in fields(InstanceOrder) if field.name not in ("lines", "facts")]
_LINE_FIELDS = [field.name for field in fields(Line) if field.name != "customers"]


def order_by_iri(tx: Transaction, iri: str) -> InstanceOrder | None:
    """Returns the order, locked until the transaction ends; None when there is none."""
    row = tx.first(_BY_IRI, {"order": iri})
    return None if row is None else _orders(tx, [row])[0]


def order_between(
    tx: Transaction, role: str, enterprise_id: str, other_iri: str, session_iri: str
) -> InstanceOrder | None:
    """Returns the order of these two for this sale, locked; None before there is one."""
    key = {"ours": role, "enterprise": enterprise_id, "other": other_iri, "session": session_iri}
    row = tx.first(_BETWEEN, key)
    return None if row is None else _orders(tx, [row])[0]


def order_of(
    tx: Transaction, enterprise_id: str, order_id: str, *, role: str | None = None, locked: bool = True
) -> InstanceOrder:
    """Returns an order of our enterprise, locked unless the caller only reads. Raises `NotFound`.

    PostgreSQL refuses a lock in a transaction that only reads.
    """
    row = tx.first(_OWN_LOCKED if locked else _OWN, {"order": order_id, "enterprise": enterprise_id})
    if row is None or role not in (None, row["role"]):
        raise NotFound("no_order", "There is no such order.")
    return _orders(tx, [row])[0]


def orders_of(tx: Transaction, enterprise_id: str, *, after: str = "", limit: int = 50) -> list[InstanceOrder]:
    """Returns the enterprise's orders with other instances, the newest first, beyond the id `after`."""
    query = select(federation_order).where(_order.enterprise_id == enterprise_id)
    if after:
        query = query.where(_order.id < after)
    return _orders(tx, tx.all(query.order_by(_order.id.desc()).limit(limit)))


def waiting_orders(tx: Transaction, producer_id: str) -> list[InstanceOrder]:
    """Returns the complete orders of hubs to which the producer has not answered all, the next distribution first; 50
    at most, not locked."""
    return _orders(tx, tx.all(_WAITING, {"enterprise": producer_id}))


def recent_orders(tx: Transaction, producer_id: str, since: datetime) -> list[InstanceOrder]:
    """Returns the complete orders of hubs that are handed out after `since`, the next one first; 50 at most, not
    locked."""
    return _orders(tx, tx.all(_RECENT, {"enterprise": producer_id, "since": since}))


def any_recent_order(tx: Transaction, producer_id: str, since: datetime) -> bool:
    """Whether `recent_orders` returns any."""
    return tx.first(_RECENT_IDS, {"enterprise": producer_id, "since": since}) is not None


def orders_to_agree(tx: Transaction, producer_id: str) -> list[InstanceOrder]:
    """Returns the orders of hubs that say to have got something else than was ordered, which the producer's people have
    not answered, the oldest distribution first; 50 at most, not locked."""
    return _orders(tx, tx.all(_TO_AGREE, {"enterprise": producer_id}))


def disputed_orders(tx: Transaction, hub_id: str) -> list[InstanceOrder]:
    """Returns the hub's orders whose producers do not agree to what it got, the oldest distribution first; 50 at most,
    not locked."""
    return _orders(tx, tx.all(_DISPUTED, {"enterprise": hub_id}))


def orders_of_session(tx: Transaction, session_id: str) -> list[InstanceOrder]:
    """Returns the hub's orders of producers elsewhere for this sale, but cancelled ones; not locked."""
    return orders_where(tx, _order.role == "buyer", _order.session_id == session_id, _order.state != "Cancelled")


def orders_where(tx: Transaction, *conditions: ColumnElement[bool]) -> list[InstanceOrder]:
    """Returns the orders that match all conditions, by the start of the distribution; not locked."""
    return _orders(tx, tx.all(select(federation_order).where(*conditions).order_by(_order.begins_at, _order.id)))


def cuts_of(tx: Transaction, order_ids: Collection[str]) -> list[Cut]:
    """Returns the cuts to customers' orders, oldest first."""
    row = federation_cut.c
    query = (
        select(*(row[field.name] for field in fields(Cut))).where(row.order_id.in_(sorted(order_ids))).order_by(row.id)
    )
    return [Cut(**row) for row in tx.all(query)]


def _orders(tx: Transaction, rows: Sequence[Row]) -> list[InstanceOrder]:
    ids = [row["id"] for row in rows]
    lines: dict[str, list[Line]] = {id: [] for id in ids}
    for line_row in tx.all(_LINES, {"orders": ids}) if ids else ():
        lines[line_row["order_id"]].append(_read_line(line_row))
    complete = [row["id"] for row in rows if row["state"] != "Held"]
    facts = facts_of_orders(tx, complete) if complete else {}
    return [_read(row, lines[row["id"]], facts.get(row["id"], [])) for row in rows]


def facts_of_orders(tx: Transaction, order_ids: Collection[str]) -> dict[str, list[OrderFact]]:
    """Returns what was said of these orders, by their ids, in its order."""
    facts: dict[str, list[OrderFact]] = {id: [] for id in order_ids}
    for row in tx.all(_FACTS, {"orders": sorted(order_ids)}):
        values = {name: value for name, value in row.items() if name != "order_id"}
        facts[row["order_id"]].append(OrderFact(**values))
    return facts


def _read(row: Row, lines: Sequence[Line], facts: Sequence[OrderFact]) -> InstanceOrder:
    values: Row = {name: row[name] for name in _ORDER_FIELDS}
    return InstanceOrder(**values, lines=tuple(lines), facts=tuple(facts))


def _read_line(row: Row) -> Line:
    return Line(**{name: row[name] for name in _LINE_FIELDS})
