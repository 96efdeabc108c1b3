"""Questions about orders, each a constant number of statements."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, bindparam, func, select

from ...base.errors import Forbidden, NotFound, Unauthorised
from ...storage.database import Row, Transaction
from ..pricing.values import Address, Adjustment, Phase, PricedLine, VatShare
from .identity import Identity
from .tables import adjustment, customer_order, order_line, order_link, order_vat
from .values import Order

_HIDDEN = ("secret_hash",)
_LINE_ONLY = ("order_id", "position")
# Made once, since whoever needs an order needs them all.
_LINES, _ADJUSTMENTS = (
    select(table).where(table.c.order_id == bindparam("order")).order_by(table.c.position)
    for table in (order_line, adjustment)
)
_VAT = select(order_vat).where(order_vat.c.order_id == bindparam("order"))
_secret = customer_order.alias("secret")
_ONE = select(customer_order).where(customer_order.c.id == bindparam("order"))
_OF_ENTERPRISE = _ONE.where(customer_order.c.enterprise_id == bindparam("whose"))
_OF_PERSON = _ONE.where(customer_order.c.person_id == bindparam("whose"))
_BY_SECRET = select(customer_order).where(
    customer_order.c.id
    == func.coalesce(
        select(_secret.c.id).where(_secret.c.secret_hash == bindparam("hash")).scalar_subquery(),
        select(order_link.c.order_id).where(order_link.c.secret_hash == bindparam("hash")).scalar_subquery(),
    )
)


def order_by_id(
    tx: Transaction, order_id: str, *, enterprise_id: str | None = None, person_id: str | None = None
) -> Order:
    """The order with its lines, if it is the enterprise's or the person's. Raises `NotFound` for anybody else's."""
    if (enterprise_id is None) == (person_id is None):
        raise AssertionError("say whose order it is")
    wanted = _OF_ENTERPRISE if enterprise_id else _OF_PERSON
    return _whole(tx, wanted, {"order": order_id, "whose": enterprise_id or person_id})


def orders_by_id(tx: Transaction, ids: Collection[str] | Select[tuple[str]]) -> dict[str, Order]:
    """Those of `ids`, or of what a statement selects, that exist, by id, without their lines. For who may know them."""
    rows = tx.all(select(customer_order).where(customer_order.c.id.in_(ids)))
    return {row["id"]: _order(row) for row in rows}


def order_by_secret(tx: Transaction, secret_hash: str, *, person_id: str | None = None) -> Order:
    """A guest's order, by the hash of the secret that they were given, or of one that was mailed to them.

    An order that belongs to an account by now is opened to its owner only: `person_id` is who is logged in. Raises
    `NotFound`; `Unauthorised` where its owner must log in, `Forbidden` where somebody else is logged in.
    """
    found = _whole(tx, _BY_SECRET, {"hash": secret_hash})
    if found.person_id is None or found.person_id == person_id:
        return found
    if person_id is None:
        raise Unauthorised("log_in", "This order belongs to an account now. Log in to see it.")
    raise Forbidden("other_account", "This order belongs to another account. Log out, then log in with that one.")


def orders_of_session(
    tx: Transaction, enterprise_id: str, session_id: str, *, after: str = "", limit: int = 50
) -> list[Order]:
    """Placed orders of one shop's session, cancelled ones too, by id, without their lines."""
    row = customer_order
    found = select(row).where(row.c.session_id == session_id, row.c.enterprise_id == enterprise_id)
    found = found.where(row.c.state != "Draft", row.c.id > after).order_by(row.c.id).limit(limit)
    return [_order(one) for one in tx.all(found)]


def orders_of_person(tx: Transaction, person_id: str, *, after: str = "", limit: int = 50) -> list[Order]:
    """A person's placed orders, the newest first, without their lines. `after` is the last id of the page before."""
    row = customer_order
    found = select(row).where(row.c.person_id == person_id, row.c.state != "Draft").order_by(row.c.id.desc())
    if after:
        found = found.where(row.c.id < after)
    return [_order(one) for one in tx.all(found.limit(limit))]


def people_who_ordered(tx: Transaction, enterprise_id: str, people: Collection[str]) -> frozenset[str]:
    """Those of `people` (ids) who have placed an order at the enterprise with their account."""
    row = customer_order.c
    placed = select(row.person_id).distinct().where(row.person_id.in_(people), row.enterprise_id == enterprise_id)
    return frozenset(one["person_id"] for one in tx.all(placed.where(row.state != "Draft")) if people)


def _whole(tx: Transaction, wanted: Select[Any], given: Mapping[str, Any]) -> Order:
    row = tx.first(wanted, given)
    if row is None:
        raise NotFound("no_order", "There is no such order.")
    return _order(row, lines_of(tx, row["id"]), _adjustments_of(tx, row["id"]), _vat_of(tx, row["id"]))


def lines_of(tx: Transaction, order_id: str) -> tuple[PricedLine, ...]:
    """An order's lines, as they were written."""
    rows = tx.all(_LINES, {"order": order_id})
    return tuple(PricedLine(**_without(row, _LINE_ONLY)) for row in rows)


def _adjustments_of(tx: Transaction, order_id: str) -> tuple[Adjustment, ...]:
    rows = tx.all(_ADJUSTMENTS, {"order": order_id})
    return tuple(Adjustment(**{**_without(row, ("id", *_LINE_ONLY)), "phase": Phase(row["phase"])}) for row in rows)


def _vat_of(tx: Transaction, order_id: str) -> tuple[VatShare, ...]:
    rows = tx.all(_VAT, {"order": order_id})
    shares = [VatShare(rate=row["rate"], net=row["net"], vat=row["vat"]) for row in rows]
    return tuple(sorted(shares, key=lambda share: share.rate))


def _order(row: Row, lines: Any = (), adjustments: Any = (), vat: Any = ()) -> Order:
    values = _without(row, _HIDDEN)
    values["identity"] = Identity(values["identity"])
    if values["identity"] is Identity.TYPED:
        values["customer_id"] = None
    values["codes"] = tuple(values["codes"])
    values["address"] = Address(**values["address"]) if values["address"] else None
    return Order(**values, lines=lines, adjustments=adjustments, vat=vat)


def _without(row: Row, names: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}
