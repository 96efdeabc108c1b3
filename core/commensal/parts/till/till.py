"""The till: what was counted in it against what the journal says should lie there.

A count covers the journal from the last count on, so every entry is in exactly one count, whatever the hour of the
hand-out. Counts only follow each other. A wrong one is taken back by a counter-entry: what it covered is counted anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import and_, exists, func, insert, select

from ...base.errors import Conflict, Invalid, NotFound, Problem
from ...base.money import LARGEST, Money
from ...base.texts import read_text
from ...enterprises.counters import next_number
from ...orders.tables import customer_order
from ...payments.tables import counted_till, payment_journal, taken_back_count
from ...storage.database import Row, Transaction

_entry, _count, _back = payment_journal.c, counted_till.c, taken_back_count.c


@dataclass(frozen=True, kw_only=True)
class CountTakenBack:
    """The counter-entry of a count; `number` is in the same series as those of counts."""

    number: int
    reason: str
    at: datetime
    person_id: str


@dataclass(frozen=True, kw_only=True)
class TillCount:
    """A count of one way to pay ("plugin:method"); amounts in minor units of `currency`.

    until:        the sequence of the last journal entry that it covers
    float_before: what the count before had left in the till; `taken` by the journal since; together they are expected
    float_after:  what stays in the till; the rest was taken out
    reason:       of the difference; "" if there is none
    taken_back:   when a counter-entry took the count back; None: it stands
    """

    id: str
    enterprise_id: str
    number: int
    method: str
    currency: str
    until: int
    float_before: int
    taken: int
    counted: int
    float_after: int
    reason: str
    at: datetime
    person_id: str
    taken_back: CountTakenBack | None = None

    @property
    def expected(self) -> int:
        return self.float_before + self.taken

    @property
    def difference(self) -> int:
        """Negative: money is missing."""
        return self.counted - self.expected


@dataclass(frozen=True, kw_only=True)
class TakenAt:
    """What was taken in by one way to pay at one slot (its label; "" without one), in minor units."""

    slot: str
    orders: int
    amount: int


@dataclass(frozen=True, kw_only=True)
class Till:
    """What should lie in the till now: `float_before`, and what was taken since the last count, slot by slot.

    since, until: the sequences of the last journal entry that the last count covers, and that a count now would cover
    """

    method: str
    float_before: int
    since: int
    until: int
    taken: tuple[TakenAt, ...]

    @property
    def expected(self) -> int:
        return self.float_before + sum(part.amount for part in self.taken)


def till_of(tx: Transaction, enterprise_id: str, method: str) -> Till:
    """Returns what should lie in a shop's till by one way to pay, in two statements."""
    last = _last(tx, enterprise_id, method)
    order = customer_order.c
    statement = (
        select(
            order.shipping_label.label("slot"),
            func.count(order.id.distinct()).label("orders"),
            func.sum(_entry.amount).label("amount"),
            func.max(_entry.sequence).label("until"),
        )
        .join_from(payment_journal, customer_order, order.id == _entry.order_id)
        .where(_entry.enterprise_id == enterprise_id, _entry.method == method)
        .where(_entry.sequence > (last.until if last else 0))
        .group_by(order.shipping_label)
        .order_by(order.shipping_label)
    )
    rows = tx.all(statement)
    since = last.until if last else 0
    return Till(
        method=method,
        float_before=last.float_after if last else 0,
        since=since,
        until=max([row["until"] for row in rows], default=since),
        taken=tuple(TakenAt(slot=row["slot"], orders=row["orders"], amount=int(row["amount"])) for row in rows),
    )


def uncounted_of(tx: Transaction, enterprise_id: str, session_id: str, method: str) -> int:
    """Returns how many entries of a session's orders by one way to pay no count of the till covers yet.

    It reads the session's entries, and not those of other sales that nobody has counted. Two statements.
    """
    last = _last(tx, enterprise_id, method)
    order = customer_order.c
    of_session = select(order.id).where(order.session_id == session_id, order.enterprise_id == enterprise_id)
    # As conditions of the statement, these would lead SQLite through the journal instead of through the session.
    is_uncounted = and_(_entry.method == method, _entry.sequence > (last.until if last else 0))
    entries = select(func.count().filter(is_uncounted)).where(_entry.order_id.in_(of_session))
    return int(tx.value(entries))


def count_till(
    tx: Transaction,
    enterprise_id: str,
    *,
    method: str,
    currency: str,
    counted: int,
    float_after: int,
    expected: int,
    reason: str,
    person_id: str,
) -> TillCount:
    """Records what was counted. `expected` is what the person was shown: money that came meanwhile is counted anew.

    Raises `Conflict` if another amount is expected by now; `Invalid` for impossible amounts, and for a difference
    without a reason.
    """
    number = next_number(tx, enterprise_id, "till_count")  # counts of one shop wait for each other here
    till = till_of(tx, enterprise_id, method)
    if till.expected != expected:
        text = "{expected} should be in the till by now: money came, or somebody has counted. Count again."
        raise Conflict("till_changed", text, expected=Money(till.expected, currency))
    problems: list[Problem] = []
    if not 0 <= counted <= LARGEST:
        problems.append(Problem("counted", "Write what lies in the till, and not less than nothing.", "/counted"))
    if not 0 <= float_after <= counted:
        problems.append(Problem("float", "Not more can stay in the till than was counted.", "/float_after"))
    reason = read_text(reason, "/reason", problems, most=500)
    if counted != expected and not reason:
        problems.append(Problem("reason", "Say what the difference comes from, as far as you know.", "/reason"))
    if problems:
        raise Invalid(problems)
    count = TillCount(
        id=tx.new_id(),
        enterprise_id=enterprise_id,
        number=number,
        method=method,
        currency=currency,
        until=till.until,
        float_before=till.float_before,
        taken=till.expected - till.float_before,
        counted=counted,
        float_after=float_after,
        reason=reason,
        at=tx.now,
        person_id=person_id,
    )
    row = asdict(count)
    del row["taken_back"]
    tx.execute(insert(counted_till).values(row))
    return count


def take_back_count(tx: Transaction, enterprise_id: str, count_id: str, *, reason: str, person_id: str) -> None:
    """Takes the last count of a way to pay back, for a reason that stays on record: what it covered is to be counted.

    Only the last count that stands: those after one begin with what it left in the till. Raises `NotFound`; `Conflict`
    for an earlier count, and for one that was taken back; `Invalid` without a reason.
    """
    number = next_number(tx, enterprise_id, "till_count")  # after whoever counts now
    row = tx.first(select(_count.method).where(_count.id == count_id, _count.enterprise_id == enterprise_id))
    if row is None:
        raise NotFound("no_count", "There is no such count.")
    last = _last(tx, enterprise_id, row["method"])
    if last is None or last.id != count_id:
        raise Conflict("not_last_count", "Only the last count that stands can be taken back. Look again.")
    problems: list[Problem] = []
    reason = read_text(reason, "/why", problems, most=500)
    if not reason:
        problems.append(Problem("reason", "Say why the count is taken back.", "/why"))
    if problems:
        raise Invalid(problems)
    values = {"count_id": count_id, "enterprise_id": enterprise_id, "number": number, "reason": reason}
    tx.execute(insert(taken_back_count).values(**values, at=tx.now, person_id=person_id))


def till_counts(tx: Transaction, enterprise_id: str, *, limit: int = 50) -> Sequence[TillCount]:
    """Returns a shop's latest counts, the newest first, with those that were taken back."""
    columns = [_back[name].label(f"back_{name}") for name in _OF_BACK]
    statement = select(counted_till, *columns).outerjoin_from(counted_till, taken_back_count)
    statement = statement.where(_count.enterprise_id == enterprise_id).order_by(_count.number.desc()).limit(limit)
    return [_with_back(row) for row in tx.all(statement)]


_OF_BACK = ("number", "reason", "at", "person_id")


def _with_back(row: Row) -> TillCount:
    back = {name: row[f"back_{name}"] for name in _OF_BACK}
    taken_back = None if back["at"] is None else CountTakenBack(**back)
    return TillCount(**{column.name: row[column.name] for column in _count}, taken_back=taken_back)


def _last(tx: Transaction, enterprise_id: str, method: str) -> TillCount | None:
    """The last count that was not taken back."""
    statement = select(counted_till).where(_count.enterprise_id == enterprise_id, _count.method == method)
    statement = statement.where(~exists().where(_back.count_id == _count.id))
    row = tx.first(statement.order_by(_count.number.desc()).limit(1))
    return None if row is None else TillCount(**row)
