"""Moves the hand-out of a sale with orders to another day: shows whom it concerns, and then does it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from commensal import SaleSession, Transaction
from commensal.pages import Visit
from commensal.parts.supply import MovedDistribution, MovedOrder, move_distribution
from commensal.sale_sessions import Coordination

from ..frame.confirm import is_sure
from ..frame.desk import Desk
from .confirmation import Confirmation
from .planned import at_fields_of_times, read_times

HAND_OUT = ("begins_at", "ends_at")
REASON = "move_reason"


@dataclass(frozen=True, kw_only=True)
class MovedSlot:
    """A slot with orders, or the hand-out for those without one (no label), before and after; moments are UTC."""

    label: str
    before: tuple[datetime, datetime]
    after: tuple[datetime, datetime]
    orders: int


def move_hand_out(
    tx: Transaction, visit: Visit, desk: Desk, session: SaleSession, sale: Coordination
) -> str | Confirmation:
    """Moves the hand-out that the page has shown; a form sent twice moves it once. Raises what `move_distribution`
    raises, also instead of the question."""
    times = read_times(visit, desk, session, HAND_OUT)
    moved_url = f"{desk.address}/sale/{session.id}?done=moved_orders"
    if is_sure(visit) and _is_moved(session, times):
        return moved_url
    with at_fields_of_times({"/reason": f"/{REASON}"}), tx.attempt() as attempt:
        moved = move_distribution(
            tx,
            visit.instance.hooks,
            session.id,
            desk.enterprise.id,
            visit.form_version,
            times["begins_at"],
            ends_at=times["ends_at"],
            reason=visit.form.get(REASON, ""),
        )
        if not is_sure(visit):
            attempt.rollback()
    return moved_url if is_sure(visit) else Confirmation(what="other day", values=_concerned(moved))


def _is_moved(session: SaleSession, times: Mapping[str, datetime]) -> bool:
    return all(getattr(session, name) == moment for name, moment in times.items())


def _concerned(moved: MovedDistribution) -> Mapping[str, object]:
    """Whom and what the move concerns, for the words of the question."""
    return {
        "begins_at": moved.session.begins_at,
        "ends_at": moved.session.ends_at,
        "orders": len(moved.orders),
        "people": len({order.email or f"{order.name} {order.phone}" for order in moved.orders}),
        "slots": _slots(moved.orders),
        "call": [order for order in moved.orders if not order.email],
        "suppliers": moved.suppliers,
    }


def _slots(orders: Sequence[MovedOrder]) -> list[MovedSlot]:
    slots = Counter((order.label_before, order.before, order.after) for order in orders)
    return [
        MovedSlot(label=label, before=before, after=after, orders=number)
        for (label, before, after), number in slots.items()
    ]
