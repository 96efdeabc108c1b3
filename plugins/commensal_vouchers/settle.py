"""Records what an order uses of its vouchers and cards, and releases it again; the database guards the limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import delete, func, or_, select, update

from commensal import Adjustment, Conflict, OrderDraft, Transaction, hookimpl, insert_once

from .codes import holder_of, is_card
from .issuing import spend
from .sold_cards import KIND, bind_sales, release_sales
from .tables import vouchers_movement, vouchers_use, vouchers_voucher

_voucher, _use, _movement = vouchers_voucher.c, vouchers_use.c, vouchers_movement.c


@hookimpl
def settle_adjustments(
    tx: Transaction, order: OrderDraft, before: Sequence[Adjustment], after: Sequence[Adjustment]
) -> None:
    """Records the changes of uses and card movements of an order.

    The earlier uses are read from the tables, not from `before`, because the order may have changed while the plugin
    was off. Codes are processed in sorted order, so that two orders never deadlock. Raises `Conflict` if another order
    used up a voucher or card since this one was priced.
    """
    bought_before, bought_now = _bought(before), _bought(after)
    bind_sales(tx, order, bought_now - bought_before)
    used_before = _recorded_uses(tx, order) if before or order.codes_before else {}
    used_now = _amounts_by_code(adjustment for adjustment in after if adjustment.kind != KIND)
    for code in sorted({*used_before, *used_now}):
        if is_card(code):
            difference = used_now.get(code, 0) - used_before.get(code, 0)
            if difference:
                spend(tx, order.enterprise_id, order.id, code, difference)
        elif code not in used_before:
            _take_use(tx, order, code)
        elif code not in used_now:
            _release_use(tx, order, code)
    release_sales(tx, order, bought_before - bought_now)


def _bought(adjustments: Sequence[Adjustment]) -> set[str]:
    """Returns the codes with which the order buys gift cards."""
    return {adjustment.code for adjustment in adjustments if adjustment.kind == KIND}


def _amounts_by_code(adjustments: Iterable[Adjustment]) -> dict[str, int]:
    """Returns by how much each code reduces the order, in minor units."""
    sums: dict[str, int] = {}
    for adjustment in adjustments:
        sums[adjustment.code] = sums.get(adjustment.code, 0) - adjustment.amount
    return sums


def _recorded_uses(tx: Transaction, order: OrderDraft) -> Mapping[str, int]:
    """Returns the codes that the order uses, and what it has spent of each card, with one statement."""
    spent = (
        select(func.sum(-_movement.amount))
        .where(_movement.voucher_id == _voucher.id, _movement.order_id == order.id)
        .scalar_subquery()
    )
    uses = select(_use.voucher_id).where(_use.order_id == order.id)
    cards = select(_movement.voucher_id).where(_movement.order_id == order.id)
    statement = select(_voucher.code, func.coalesce(spent, 0).label("spent")).where(
        or_(_voucher.id.in_(uses), _voucher.id.in_(cards))
    )
    return {row["code"]: int(row["spent"]) for row in tx.all(statement)}


def _take_use(tx: Transaction, order: OrderDraft, code: str) -> None:
    change = update(vouchers_voucher).where(
        _voucher.enterprise_id == order.enterprise_id,
        _voucher.code == code,
        or_(_voucher.most_uses.is_(None), _voucher.used < _voucher.most_uses),
    )
    row = tx.first(change.values(used=_voucher.used + 1).returning(_voucher.id, _voucher.once))
    if row is None:
        raise Conflict("code_used_up", "The code {voucher} is used up.", voucher=code)
    holder = holder_of(order) if row["once"] else {}
    use = {"voucher_id": row["id"], "order_id": order.id, "mailbox": None, "person_id": None, "at": tx.now, **holder}
    if not insert_once(tx, vouchers_use, use):
        raise Conflict("code_used_by_you", "You have used the code {voucher} already.", voucher=code)


def _release_use(tx: Transaction, order: OrderDraft, code: str) -> None:
    voucher_ids = select(_voucher.id).where(_voucher.enterprise_id == order.enterprise_id, _voucher.code == code)
    removal = delete(vouchers_use).where(_use.order_id == order.id, _use.voucher_id == voucher_ids.scalar_subquery())
    voucher_id = tx.value(removal.returning(_use.voucher_id))
    if voucher_id is not None:
        tx.execute(update(vouchers_voucher).where(_voucher.id == voucher_id).values(used=_voucher.used - 1))
