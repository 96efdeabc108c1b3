"""Slots of a sale with a limited number of orders: rules and guarded updates that all shipping plugins share.

A plugin stores its slots in its own table, with at least the columns id, session_id, capacity, taken and version.
`mine` are the conditions that select the slot. The database guards the limit: `taken` never exceeds the capacity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import ColumnElement, Table, delete, func, select, update

from ...base.errors import Conflict, NotFound, Problem, Stale
from ...sale_sessions.rhythm import shifted
from ...sale_sessions.tables import sale_session
from ...sale_sessions.values import SaleSession
from ...storage.database import Row, Transaction, edit_row

MOST_SLOTS = 200  # of one sale session, in one table
MOST_ORDERS = 100_000  # in one slot
_LONGEST = timedelta(days=7)

Conditions = Sequence[ColumnElement[bool]]
Span = tuple[datetime, datetime]  # of a slot


def slot_problems(begins_at: datetime, ends_at: datetime, capacity: int | None) -> list[Problem]:
    """Returns the problems with a slot's times and with its capacity in orders (None: unlimited)."""
    problems = []
    if not timedelta(0) < ends_at - begins_at <= _LONGEST:
        text = "A slot ends after it begins, and within {days} days."
        problems.append(Problem("slot_times", text, "/ends_at", {"days": _LONGEST.days}))
    return [*problems, *capacity_problems(capacity)]


def capacity_problems(capacity: int | None) -> list[Problem]:
    """Returns the problems with a slot's capacity."""
    if capacity is None or 0 <= capacity <= MOST_ORDERS:
        return []
    return [Problem("capacity", "A slot takes between 0 and {most} orders.", "/capacity", {"most": MOST_ORDERS})]


def refuse_too_many_slots(tx: Transaction, table: Table, session_id: str, more: int = 1) -> None:
    """Raises `Conflict` if a sale would have more than `MOST_SLOTS` slots."""
    slots = select(func.count()).where(table.c.session_id == session_id)
    if tx.value(slots) + more > MOST_SLOTS:
        raise Conflict("too_many_slots", "A sale has at most {most} slots.", most=MOST_SLOTS)


def edit_slot(
    tx: Transaction, table: Table, mine: Conditions, *, capacity: int | None, version: int, values: Mapping[str, object]
) -> Row:
    """Writes the values if the slot's new `capacity` is not below its number of orders. Returns its row.

    Raises `NotFound`, `Stale`, and `Conflict` for a capacity below the number of orders.
    """
    is_enough = table.c.taken <= (MOST_ORDERS if capacity is None else capacity)
    try:
        return edit_row(tx, table, *mine, is_enough, version=version, values=values)
    except NotFound:
        raise _overbooked(_taken(tx, table, mine)) from None


def remove_free_slot(tx: Transaction, table: Table, mine: Conditions, version: int) -> None:
    """Deletes a slot without orders. Raises `NotFound`, `Stale`, and `Conflict` if an order has chosen the slot."""
    removal = delete(table).where(*mine, table.c.version == version, table.c.taken == 0)
    if tx.execute(removal).rowcount != 1:
        taken = _taken(tx, table, mine)
        raise _overbooked(taken) if taken else Stale()


def give_slot_back(tx: Transaction, table: Table, slot_id: str) -> bool:
    """Lowers the slot's number of orders by one. Returns whether it was above zero.

    The core releases an order's slot only once, under the order's version, so a counter is enough.
    """
    change = update(table).where(table.c.id == slot_id, table.c.taken > 0).values(taken=table.c.taken - 1)
    return tx.execute(change).rowcount == 1


def moved_span(
    move: Callable[[datetime], datetime], begins_at: datetime, ends_at: datetime
) -> tuple[datetime, datetime]:
    """Returns a slot's times after its sale was moved; it keeps its length if a change of clocks would swallow it."""
    begins, ends = move(begins_at), move(ends_at)
    return begins, ends if ends > begins else begins + (ends_at - begins_at)


def in_distribution(table: Table) -> ColumnElement[bool]:
    """Returns the condition that a slot lies within the distribution of its sale. Customers can choose no other: the
    goods are not there. `table` has also the columns begins_at and ends_at."""
    return (
        select(sale_session.c.id)
        .where(sale_session.c.id == table.c.session_id, sale_session.c.begins_at <= table.c.begins_at)
        .where(sale_session.c.ends_at >= table.c.ends_at)
        .correlate(table)
        .exists()
    )


def lies_outside(begins_at: datetime, ends_at: datetime, session: SaleSession) -> bool:
    """Whether a slot does not lie within the distribution, for example because the sale was given other days."""
    return begins_at < session.begins_at or ends_at > session.ends_at


def moved_along(
    slots: Mapping[str, Span], before: SaleSession, session: SaleSession, timezone: str, *, orders_follow: bool = False
) -> dict[str, Span]:
    """Returns the new times of slots, by id, after the distribution was moved: all those that lay within it keep their
    distance to its beginning, in local time. Nothing moves as long as all of them still lie within it; if
    `orders_follow`, every slot moves, since customers are told of another day."""
    own = {slot: span for slot, span in slots.items() if orders_follow or not lies_outside(*span, before)}
    stay = not orders_follow and not any(lies_outside(*span, session) for span in own.values())
    if before.begins_at == session.begins_at or stay:
        return {}
    move = partial(shifted, timezone=timezone, start=before.begins_at, new_start=session.begins_at)
    return {slot: moved_span(move, *span) for slot, span in own.items()}


def moved_to_distribution(slots: Mapping[str, Span], session: SaleSession, timezone: str) -> dict[str, Span]:
    """Returns new times for those of the slots, by id, that lie outside the distribution: the first of them begins with
    it, and the others keep their distance in local time. Raises `Conflict` if there are none."""
    outside = {slot: span for slot, span in slots.items() if lies_outside(*span, session)}
    if not outside:
        raise Conflict("no_slots", "No slot without orders lies outside the hand-out.")
    first = min(begins_at for begins_at, _ in outside.values())
    move = partial(shifted, timezone=timezone, start=first, new_start=session.begins_at)
    return {slot: moved_span(move, *span) for slot, span in outside.items()}


def write_moved(tx: Transaction, table: Table, moved: Mapping[str, Span], *, orders_follow: bool = False) -> None:
    """Gives these slots their new times; unless `orders_follow`, not those that an order has chosen meanwhile."""
    free = () if orders_follow else (table.c.taken == 0,)
    for slot, (begins_at, ends_at) in moved.items():
        values = {"begins_at": begins_at, "ends_at": ends_at, "version": table.c.version + 1}
        tx.execute(update(table).where(table.c.id == slot, *free).values(values))


def _taken(tx: Transaction, table: Table, mine: Conditions) -> int:
    return int(tx.one(select(table.c.taken).where(*mine))["taken"])


def _overbooked(taken: int) -> Conflict:
    return Conflict("taken", "{taken} orders have chosen this slot already.", taken=taken)
