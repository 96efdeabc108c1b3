"""Questions about vouchers: those of a shop, and what stands behind the codes of an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, false, func, or_, select

from commensal import OrderDraft, Transaction

from .tables import vouchers_movement, vouchers_use, vouchers_voucher
from .voucher import Voucher, voucher_from
from .who import holder_of

_voucher, _use, _movement = vouchers_voucher.c, vouchers_use.c, vouchers_movement.c


@dataclass(frozen=True, kw_only=True)
class Found:
    """What stands behind a code of an order.

    held:  the order has a use of it already
    taken: by the order from the card, in minor units
    mine:  another order of the same customer has used it; only told of vouchers that each customer has once
    """

    voucher: Voucher
    held: bool
    taken: int
    mine: bool


@dataclass(frozen=True, kw_only=True)
class Movement:
    """Money onto a gift card (positive) or off it, minor units. `order_id` is the order that it paid for."""

    id: str
    voucher_id: str
    order_id: str | None
    amount: int
    note: str
    person_id: str | None
    at: datetime


def found_for(tx: Transaction, order: OrderDraft, codes: Sequence[str]) -> dict[str, Found]:
    """By code and in their order, those that the shop has; by one statement."""
    mine = and_(_use.voucher_id == _voucher.id, _use.order_id == order.id)
    held = select(_use.order_id).where(mine).exists()
    spent = select(func.coalesce(func.sum(-_movement.amount), 0)).where(
        _movement.voucher_id == _voucher.id, _movement.order_id == order.id
    )
    before = select(_use.order_id).where(_use.voucher_id == _voucher.id, _use.order_id != order.id, _same(order))
    rows = tx.all(
        select(
            *_voucher,
            held.label("held"),
            spent.scalar_subquery().label("taken"),
            before.exists().label("mine"),
        ).where(
            _voucher.enterprise_id == order.enterprise_id,
            _voucher.currency == order.currency,
            _voucher.code.in_(codes),
        )
    )
    by_code = {
        row["code"]: Found(
            voucher=voucher_from(row), held=bool(row["held"]), taken=int(row["taken"]), mine=bool(row["mine"])
        )
        for row in rows
    }
    return {code: by_code[code] for code in codes if code in by_code}


def voucher_by_id(tx: Transaction, enterprise_id: str, voucher_id: str) -> Voucher:
    """Raises `NotFound`, for a voucher of another enterprise too."""
    mine = select(vouchers_voucher).where(_voucher.id == voucher_id, _voucher.enterprise_id == enterprise_id)
    return voucher_from(tx.one(mine))


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
    """By id, those that are not archived, or those that are; `code` and `batch_id` narrow it down."""
    put_away = _voucher.archived_at.is_not(None) if archived else _voucher.archived_at.is_(None)
    wanted = select(vouchers_voucher).where(_voucher.enterprise_id == enterprise_id, put_away, _voucher.id > after)
    if code:
        wanted = wanted.where(_voucher.code == code.strip().upper())
    if batch_id:
        wanted = wanted.where(_voucher.batch_id == batch_id)
    return [voucher_from(row) for row in tx.all(wanted.order_by(_voucher.id).limit(limit))]


def movements_of(
    tx: Transaction, enterprise_id: str, voucher_id: str, *, after: str = "", limit: int = 50
) -> Sequence[Movement]:
    """Of a gift card, the first one first. Raises `NotFound`."""
    card = voucher_by_id(tx, enterprise_id, voucher_id)
    theirs = select(vouchers_movement).where(_movement.voucher_id == card.id, _movement.id > after)
    return [Movement(**row) for row in tx.all(theirs.order_by(_movement.id).limit(limit))]


def _same(order: OrderDraft) -> ColumnElement[bool]:
    """Uses of this customer, as far as it is known who they are."""
    known = [_use[column] == value for column, value in holder_of(order).items() if value is not None]
    return or_(*known) if known else false()
