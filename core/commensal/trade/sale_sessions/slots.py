"""Slots of a sale that take so many orders: the rules and the guarded steps that every way to receive goods shares.

A plugin keeps its slots in a table of its own, with at least the columns id, session_id, capacity, taken and version.
`mine` are the conditions that say whose slot is meant. The database decides: a count never passes what it may be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, func, select, update

from ...base.errors import Conflict, NotFound, Problem, Stale
from ...storage.database import Row, Transaction, edit_row

MOST_SLOTS = 200  # of one sale session, in one table
MOST_ORDERS = 100_000  # in one slot
_LONGEST = timedelta(days=7)

Mine = Sequence[ColumnElement[bool]]


def slot_problems(begins_at: datetime, ends_at: datetime, capacity: int | None) -> list[Problem]:
    """What is wrong with a slot's times, or with how many orders it takes (None: any number)."""
    found = []
    if not timedelta(0) < ends_at - begins_at <= _LONGEST:
        text = "A slot ends after it begins, and within {days} days."
        found.append(Problem("slot_times", text, "/ends_at", {"days": _LONGEST.days}))
    return [*found, *capacity_problems(capacity)]


def capacity_problems(capacity: int | None) -> list[Problem]:
    """The same for the capacity alone."""
    if capacity is None or 0 <= capacity <= MOST_ORDERS:
        return []
    return [Problem("capacity", "A slot takes between 0 and {most} orders.", "/capacity", {"most": MOST_ORDERS})]


def refuse_too_many_slots(tx: Transaction, table: Table, session_id: str, more: int = 1) -> None:
    """Raises `Conflict` where a sale would have more slots than anybody looks through."""
    there = select(func.count()).where(table.c.session_id == session_id)
    if tx.value(there) + more > MOST_SLOTS:
        raise Conflict("too_many_slots", "A sale has at most {most} slots.", most=MOST_SLOTS)


def edit_slot(
    tx: Transaction, table: Table, mine: Mine, *, capacity: int | None, version: int, values: Mapping[str, Any]
) -> Row:
    """Writes the values if the slot's new `capacity` is no less than what is taken. Returns its row.

    Raises `NotFound`, `Stale`, and `Conflict` for a capacity below what is taken already.
    """
    enough = table.c.taken <= (MOST_ORDERS if capacity is None else capacity)
    try:
        return edit_row(tx, table, *mine, enough, version=version, values=values)
    except NotFound:
        raise _overbooked(_taken(tx, table, mine)) from None


def remove_free_slot(tx: Transaction, table: Table, mine: Mine, version: int) -> None:
    """Raises `NotFound`, `Stale`, and `Conflict` where somebody has chosen the slot."""
    gone = delete(table).where(*mine, table.c.version == version, table.c.taken == 0)
    if tx.execute(gone).rowcount != 1:
        taken = _taken(tx, table, mine)
        raise _overbooked(taken) if taken else Stale()


def give_slot_back(tx: Transaction, table: Table, slot_id: str) -> bool:
    """One order fewer. The core releases an order's slot once, under the order's version, so a count is enough."""
    back = update(table).where(table.c.id == slot_id, table.c.taken > 0).values(taken=table.c.taken - 1)
    return tx.execute(back).rowcount == 1


def moved_span(
    move: Callable[[datetime], datetime], begins_at: datetime, ends_at: datetime
) -> tuple[datetime, datetime]:
    """A slot's times where its sale was moved. A change of clocks must not swallow it: then it is as long as it was."""
    begins, ends = move(begins_at), move(ends_at)
    return begins, ends if ends > begins else begins + (ends_at - begins_at)


def _taken(tx: Transaction, table: Table, mine: Mine) -> int:
    return int(tx.one(select(table.c.taken).where(*mine))["taken"])


def _overbooked(taken: int) -> Conflict:
    return Conflict("taken", "{taken} orders have chosen this slot already.", taken=taken)
