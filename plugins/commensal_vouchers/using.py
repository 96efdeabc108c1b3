"""Takes what an order uses of its vouchers and cards, and gives it back: the database decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, func, or_, select, update

from commensal import Adjustment, Conflict, OrderDraft, Transaction, hookimpl, insert_once

from .cards import spend
from .codes import is_card
from .tables import vouchers_movement, vouchers_use, vouchers_voucher
from .who import holder_of

_voucher, _use, _movement = vouchers_voucher.c, vouchers_use.c, vouchers_movement.c


@hookimpl
def settle_adjustments(
    tx: Transaction, order: OrderDraft, before: Sequence[Adjustment], after: Sequence[Adjustment]
) -> None:
    """What an order has is read from the books and not from `before`: it may have changed while the plugin was off.

    Codes are gone through in one order, so that two orders never wait for each other. Raises `Conflict` where somebody
    else was faster since the order was priced.
    """
    had = _books(tx, order) if before or order.codes_before else {}
    has = _used(after)
    for code in sorted({*had, *has}):
        if is_card(code):
            more = has.get(code, 0) - had.get(code, 0)
            if more:
                spend(tx, order.enterprise_id, order.id, code, more)
        elif code not in had:
            _take(tx, order, code)
        elif code not in has:
            _give_back(tx, order, code)


def _used(adjustments: Sequence[Adjustment]) -> dict[str, int]:
    """What each code spares, in minor units."""
    sums: dict[str, int] = {}
    for one in adjustments:
        sums[one.code] = sums.get(one.code, 0) - one.amount
    return sums


def _books(tx: Transaction, order: OrderDraft) -> Mapping[str, int]:
    """The codes of which the order has a use, and what it has of cards; by one statement."""
    spent = (
        select(func.sum(-_movement.amount))
        .where(_movement.voucher_id == _voucher.id, _movement.order_id == order.id)
        .scalar_subquery()
    )
    uses = select(_use.voucher_id).where(_use.order_id == order.id)
    cards = select(_movement.voucher_id).where(_movement.order_id == order.id)
    wanted = select(_voucher.code, func.coalesce(spent, 0).label("spent")).where(
        or_(_voucher.id.in_(uses), _voucher.id.in_(cards))
    )
    return {row["code"]: int(row["spent"]) for row in tx.all(wanted)}


def _take(tx: Transaction, order: OrderDraft, code: str) -> None:
    taking = update(vouchers_voucher).where(
        _voucher.enterprise_id == order.enterprise_id,
        _voucher.code == code,
        or_(_voucher.most_uses.is_(None), _voucher.used < _voucher.most_uses),
    )
    taken = tx.first(taking.values(used=_voucher.used + 1).returning(_voucher.id, _voucher.once))
    if taken is None:
        raise Conflict("code_used_up", "The code {voucher} is used up.", voucher=code)
    who = holder_of(order) if taken["once"] else {}
    use = {"voucher_id": taken["id"], "order_id": order.id, "mailbox": None, "person_id": None, "at": tx.now, **who}
    if not insert_once(tx, vouchers_use, use):
        raise Conflict("code_used_by_you", "You have used the code {voucher} already.", voucher=code)


def _give_back(tx: Transaction, order: OrderDraft, code: str) -> None:
    theirs = select(_voucher.id).where(_voucher.enterprise_id == order.enterprise_id, _voucher.code == code)
    gone = delete(vouchers_use).where(_use.order_id == order.id, _use.voucher_id == theirs.scalar_subquery())
    voucher_id = tx.value(gone.returning(_use.voucher_id))
    if voucher_id is not None:
        tx.execute(update(vouchers_voucher).where(_voucher.id == voucher_id).values(used=_voucher.used - 1))
