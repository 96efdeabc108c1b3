"""Reads vouchers: those of a shop, and those behind the codes of an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, false, func, or_, select

from commensal import OrderDraft, Transaction, hookimpl, order_ids_of_customer

from .codes import Voucher, holder_of, voucher_from
from .tables import vouchers_movement, vouchers_sale, vouchers_use, vouchers_voucher

_voucher, _use, _movement, _sale = vouchers_voucher.c, vouchers_use.c, vouchers_movement.c, vouchers_sale.c


@dataclass(frozen=True, kw_only=True)
class CodeMatch:
    """The voucher behind a code of an order, and how the order and its customer have used it.

    held:  the order has a use of it already
    taken: what the order has taken from the card, in minor units
    mine:  another order of the same customer has used it; recorded only for vouchers with `once`
    bought_with: the order that bought the card; None for what the shop has made
    """

    voucher: Voucher
    held: bool
    taken: int
    mine: bool
    bought_with: str | None


@dataclass(frozen=True, kw_only=True)
class Movement:
    """Money put onto a gift card (positive) or taken off it, in minor units. `order_id` is the order that it paid."""

    id: str
    voucher_id: str
    order_id: str | None
    amount: int
    note: str
    person_id: str | None
    at: datetime


def matches_for(tx: Transaction, order: OrderDraft, codes: Sequence[str]) -> dict[str, CodeMatch]:
    """Returns the shop's vouchers among `codes`, by code and in their order, with one statement."""
    own_use = and_(_use.voucher_id == _voucher.id, _use.order_id == order.id)
    has_use = select(_use.order_id).where(own_use).exists()
    spent = select(func.coalesce(func.sum(-_movement.amount), 0)).where(
        _movement.voucher_id == _voucher.id, _movement.order_id == order.id
    )
    other_uses = select(_use.order_id).where(
        _use.voucher_id == _voucher.id, _use.order_id != order.id, _by_same_customer(order)
    )
    bought_with = select(_sale.order_id).where(_sale.card_id == _voucher.id)
    rows = tx.all(
        select(
            *_voucher,
            has_use.label("held"),
            spent.scalar_subquery().label("taken"),
            other_uses.exists().label("mine"),
            bought_with.scalar_subquery().label("bought_with"),
        ).where(
            _voucher.enterprise_id == order.enterprise_id, _voucher.currency == order.currency, _voucher.code.in_(codes)
        )
    )
    by_code = {
        row["code"]: CodeMatch(
            voucher=voucher_from(row),
            held=bool(row["held"]),
            taken=int(row["taken"]),
            mine=bool(row["mine"]),
            bought_with=row["bought_with"],
        )
        for row in rows
    }
    return {code: by_code[code] for code in codes if code in by_code}


def voucher_by_id(tx: Transaction, enterprise_id: str, voucher_id: str) -> Voucher:
    """Returns one voucher. Raises `NotFound`, also for a voucher of another enterprise."""
    statement = select(vouchers_voucher).where(_voucher.id == voucher_id, _voucher.enterprise_id == enterprise_id)
    return voucher_from(tx.one(statement))


def vouchers_of(
    tx: Transaction,
    enterprise_id: str,
    *,
    code: str = "",
    batch_id: str = "",
    archived: bool = False,
    after: str = "",
    limit: int = 50,
) -> Sequence[Voucher]:
    """Returns the vouchers that are in use, or the archived ones, sorted by id; filtered by `code` and `batch_id`."""
    is_listed = _voucher.archived_at.is_not(None) if archived else _voucher.archived_at.is_(None)
    statement = select(vouchers_voucher).where(_voucher.enterprise_id == enterprise_id, is_listed, _voucher.id > after)
    if code:
        statement = statement.where(_voucher.code == code.strip().upper())
    if batch_id:
        statement = statement.where(_voucher.batch_id == batch_id)
    return [voucher_from(row) for row in tx.all(statement.order_by(_voucher.id).limit(limit))]


def latest_vouchers(tx: Transaction, enterprise_id: str, *, limit: int) -> Sequence[Voucher]:
    """Returns the latest vouchers that are in use, the newest first."""
    statement = select(vouchers_voucher).where(_voucher.enterprise_id == enterprise_id, _voucher.archived_at.is_(None))
    latest = statement.order_by(_voucher.created_at.desc(), _voucher.id.desc()).limit(limit)
    return [voucher_from(row) for row in tx.all(latest)]


@hookimpl
def takes_codes(tx: Transaction, enterprise_id: str) -> bool:
    """Whether the shop has a code that may be used, now or later."""
    lasts = or_(_voucher.valid_until.is_(None), _voucher.valid_until > tx.now)
    usable = (_voucher.enterprise_id == enterprise_id, _voucher.archived_at.is_(None), lasts)
    return tx.first(select(_voucher.id).where(*usable).limit(1)) is not None


def movements_of(
    tx: Transaction, enterprise_id: str, voucher_id: str, *, after: str = "", limit: int = 50
) -> Sequence[Movement]:
    """Returns the movements of a gift card, oldest first. Raises `NotFound`."""
    card = voucher_by_id(tx, enterprise_id, voucher_id)
    statement = select(vouchers_movement).where(_movement.voucher_id == card.id, _movement.id > after)
    return [Movement(**row) for row in tx.all(statement.order_by(_movement.id).limit(limit))]


def _by_same_customer(order: OrderDraft) -> ColumnElement[bool]:
    """Returns the condition that a use is by this order's customer, as far as the customer is known."""
    conditions = [_use[column] == value for column, value in holder_of(order).items() if value is not None]
    if order.customer_id is not None:  # also what they used as a guest, and proved afterwards
        conditions.append(_use.order_id.in_(order_ids_of_customer(order.customer_id)))
    return or_(*conditions) if conditions else false()
