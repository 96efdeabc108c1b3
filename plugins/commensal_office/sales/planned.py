"""What a coordinator does with a sale in which nobody has ordered yet: gives it other times, or calls it off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from commensal import Conflict, Invalid, Problem, SaleSession, Transaction, read_moment, sale_by_id
from commensal.orders import cancel_coordination
from commensal.pages import Visit
from commensal.parts.distribution import summaries_of_session
from commensal.parts.sale_calendar import correct_next, is_repeated
from commensal.parts.supply import MovedDistribution, MovedOrder, move_distribution
from commensal.sale_sessions import Coordination, change_coordination, change_session

from ..frame.desk import Desk
from ..frame.fields import is_sure

# What the page of a sale asks before it does an act.


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """What the page asks before it does an act, instead of doing it; `values` are for its words."""

    what: str
    values: Mapping[str, object]


MOMENTS = ("opens_at", "closes_at", "begins_at", "ends_at")


def times_as_typed(session: SaleSession, zone: ZoneInfo) -> dict[str, str]:
    """The values of the fields `when/…` for the times of a sale, as the clock on the wall of `zone` shows them."""
    return {f"when/{name}": f"{getattr(session, name).astimezone(zone):%Y-%m-%dT%H:%M}" for name in MOMENTS}


SERIES, ONCE, ALWAYS = "series", "once", "always"  # a field of a correction, and what it says
SHORT = timedelta(hours=3)  # a sale that is open for less is rarely meant


def asks_series(tx: Transaction, visit: Visit, sale: Coordination) -> bool:
    """Whether the page has to ask if a correction holds once, or from now on."""
    return visit.form.get(SERIES, "") not in (ONCE, ALWAYS) and is_repeated(tx, sale)


def is_once(visit: Visit) -> bool:
    return visit.form.get(SERIES) == ONCE


def pass_on(tx: Transaction, visit: Visit, session: SaleSession, sale: Coordination) -> str:
    """Corrects the next sale too, where that was asked for; `session` and `sale` are those from before. Returns what
    the address of the page says of it."""
    if visit.form.get(SERIES) != ALWAYS:
        return ""
    return "&series=always" if correct_next(tx, visit.instance.hooks, sale, session) else "&series=look"


def is_short(opens_at: datetime, closes_at: datetime, now: datetime) -> bool:
    return closes_at - max(opens_at, now) < SHORT


def change_times(
    tx: Transaction, visit: Visit, desk: Desk, session: SaleSession, sale: Coordination
) -> str | Confirmation:
    """Moves opening, closing and hand-out. Sessions of other shops follow the opening and the closing."""
    times = read_times(visit, desk, session, MOMENTS)
    _refuse_ordered(tx, desk, session)
    if times["closes_at"] <= tx.now:
        text = "This moment has passed. To close the sale at once, use “Close now”."
        raise Invalid([Problem("passed", text, "/when/closes_at")])
    short = is_short(times["opens_at"], times["closes_at"], tx.now)
    in_series = asks_series(tx, visit, sale)
    if all(getattr(session, name) == times[name] for name in MOMENTS):
        in_series = short = False
    if in_series or (short and not is_sure(visit)):
        return Confirmation(what="times", values={**times, "short": short, "series": in_series})
    once = is_once(visit)
    with at_fields_of_times():
        opens_at, closes_at = times["opens_at"], times["closes_at"]
        if (opens_at, closes_at) != (session.opens_at, session.closes_at):
            change_coordination(
                tx, sale.id, desk.enterprise.id, sale.version, once=once, opens_at=opens_at, closes_at=closes_at
            )
        moved = sale_by_id(tx, session.id).session
        change_session(
            tx,
            visit.instance.hooks,
            session.id,
            desk.enterprise.id,
            moved.version,
            once=once,
            opens_at=opens_at,
            closes_at=closes_at,
            begins_at=times["begins_at"],
            ends_at=times["ends_at"],
        )
    followed = pass_on(tx, visit, session, sale)
    handed_out = (times["begins_at"], times["ends_at"]) != (session.begins_at, session.ends_at)
    return f"{desk.address}/sale/{session.id}?done={'moved' if handed_out else 'times'}{followed}"


@contextmanager
def at_fields_of_times(others: Mapping[str, str] = MappingProxyType({})) -> Iterator[None]:
    """Raises an `Invalid` of the block at the fields `when/…`; at `others`, by where it was found, where named."""
    try:
        yield
    except Invalid as error:
        raise Invalid(
            [replace(problem, where=others.get(problem.where, f"/when{problem.where}")) for problem in error.problems]
        ) from None


def read_times(visit: Visit, desk: Desk, session: SaleSession, names: Sequence[str]) -> dict[str, datetime]:
    """The typed moments of these names, meant in the time zone of the enterprise; one left as it was keeps its seconds,
    which no field shows. Raises `Invalid` with every mistake."""
    zone, problems = desk.enterprise.zone, list[Problem]()
    shown, times = times_as_typed(session, zone), dict[str, datetime]()
    for name in names:
        text = visit.form.get(f"when/{name}", "")
        try:
            times[name] = (
                getattr(session, name) if text == shown[f"when/{name}"] else read_moment(text).replace(tzinfo=zone)
            )
        except ValueError:
            problems.append(Problem("moment", "Give a day and a time, like 2026-06-04 18:00.", f"/when/{name}"))
    if problems:
        raise Invalid(problems)
    return times


def _refuse_ordered(tx: Transaction, desk: Desk, session: SaleSession) -> None:
    if any(order.state != "Cancelled" for order in summaries_of_session(tx, desk.enterprise.id, session.id)):
        text = "Customers have ordered for these times: move the hand-out, or change the closing."
        raise Conflict("has_orders", text)


def call_off(tx: Transaction, visit: Visit, desk: Desk, session: SaleSession, sale: Coordination) -> str:
    """Cancels the sale; with `series` none follows by its rhythm. Raises `Conflict` if somebody has ordered."""
    cancel_coordination(tx, sale.id, desk.enterprise.id, sale.version, series="series" in visit.form)
    return f"{desk.address}/sale/{session.id}?done=cancelled"


# Moves the hand-out of a sale with orders to another day: shows whom it concerns, and then does it.

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
