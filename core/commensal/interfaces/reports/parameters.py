"""Parameters that many reports ask for, and how what was given is read: strictly, with every mistake named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from ...base.errors import Invalid, Problem
from ...base.languages.catalogs import translate
from ...storage.database import Transaction
from ...trade.enterprises.enterprises import Enterprise
from ...trade.sale_sessions.tables import coordination, sale_session
from .values import Parameter, Query

SALE, SINCE, UNTIL = "sale", "since", "until"
_LONGEST_TEXT = 200  # characters


def one_sale(language: str) -> Sequence[Parameter]:
    """The sale session of the report; the one that is distributed next, unless another is named."""
    return [Parameter(name=SALE, label=translate(language, "Sale"), kind="sale", default="current")]


def a_period(language: str) -> Sequence[Parameter]:
    """Days from and to, both included, in the enterprise's time zone: the last month, unless others are named.

    A sale may be named instead; then the days do not count.
    """
    return [
        Parameter(name=SINCE, label=translate(language, "From the day"), kind="day", default="month_begins"),
        Parameter(name=UNTIL, label=translate(language, "To the day"), kind="day", default="month_ends"),
        Parameter(name=SALE, label=translate(language, "Only the sale"), kind="sale"),
    ]


def own_pages(language: str, default: bool = False) -> Parameter:
    """Whether each group begins a page of its own."""
    return Parameter(name="pages", label=translate(language, "A page for each"), kind="flag", default=default)


@dataclass(frozen=True)
class Period:
    """From a moment until before another; UTC."""

    begins_at: datetime
    ends_at: datetime


def period_of(query: Query) -> Period | None:
    """The period that was given, where a sale was not."""
    since, until = query.given.get(SINCE), query.given.get(UNTIL)
    if query.given.get(SALE) or since is None or until is None:
        return None
    zone = ZoneInfo(query.timezone)
    begin, end = (datetime.combine(day, time(), tzinfo=zone) for day in (since, until + timedelta(days=1)))
    return Period(begin.astimezone(UTC), end.astimezone(UTC))


def read_parameters(
    tx: Transaction, shop: Enterprise, parameters: Sequence[Parameter], given: Mapping[str, str]
) -> dict[str, Any]:
    """Values by name, defaults filled in. Raises `Invalid` with every mistake, `where` being the parameter's name."""
    known = {one.name: one for one in parameters}
    problems = [
        Problem("no_parameter", "This report has no parameter {name}.", name, {"name": name[:40]})
        for name in given
        if name not in known
    ]
    values: dict[str, Any] = {}
    for one in parameters:
        text = given.get(one.name, "")
        value = _READERS[one.kind](tx, shop, one, text) if text else _default(tx, shop, one)
        if isinstance(value, Problem):
            problems.append(value)
        values[one.name] = value
    since, until = values.get(SINCE), values.get(UNTIL)
    if isinstance(since, date) and isinstance(until, date) and since > until:
        problems.append(Problem("period", "The period ends before it begins.", UNTIL))
    if problems:
        raise Invalid(problems)
    return values


def default_text(tx: Transaction, shop: Enterprise, parameter: Parameter) -> str:
    """What stands in the parameter when nothing is given, as it would be given."""
    value = _default(tx, shop, parameter)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _default(tx: Transaction, shop: Enterprise, one: Parameter) -> Any:
    today = tx.now.astimezone(ZoneInfo(shop.timezone)).date()
    month_ends = today.replace(day=1) - timedelta(days=1)
    if one.kind == "day":
        days = {"today": today, "month_begins": month_ends.replace(day=1), "month_ends": month_ends}
        return days[str(one.default)] if one.default in days else one.default
    if one.kind == "sale" and one.default == "current":
        return current_sale(tx, shop.id)
    return one.default


def current_sale(tx: Transaction, enterprise_id: str) -> str | None:
    """The session whose distribution is under way or comes next; else the one that was last; None: there was none.

    A sale that is open already for the week after does not push aside the one whose goods are packed today.
    """
    row = sale_session.c
    mine = select(row.id).join(coordination, coordination.c.id == row.coordination_id)
    mine = mine.where(row.enterprise_id == enterprise_id, coordination.c.cancelled_at.is_(None)).limit(1)
    coming = mine.where(row.ends_at >= tx.now).order_by(row.ends_at, row.id).subquery()
    past = mine.where(row.ends_at < tx.now).order_by(row.ends_at.desc(), row.id).subquery()
    found = select(func.coalesce(select(coming.c.id).scalar_subquery(), select(past.c.id).scalar_subquery()))
    chosen: str | None = tx.value(found)
    return chosen


def _day(tx: Transaction, shop: Enterprise, one: Parameter, text: str) -> date | Problem:
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        day = None
    if day is None or not 2000 <= day.year < 2200:
        return Problem("day", "{text} is no day; write it like 2026-06-04.", one.name, {"text": text[:40]})
    return day


def _sale(tx: Transaction, shop: Enterprise, one: Parameter, text: str) -> str | Problem:
    if text == "current" and one.default == "current":
        return current_sale(tx, shop.id) or Problem("no_sale", "There has been no sale yet.", one.name)
    row = sale_session.c
    if tx.first(select(row.id).where(row.enterprise_id == shop.id, row.id == text)) is None:
        return Problem("no_sale", "This enterprise has no such sale.", one.name)
    return text


def _text(tx: Transaction, shop: Enterprise, one: Parameter, text: str) -> str | Problem:
    if len(text) > _LONGEST_TEXT:
        return Problem("too_long", "This is longer than {most} characters.", one.name, {"most": _LONGEST_TEXT})
    return text


def _whole(tx: Transaction, shop: Enterprise, one: Parameter, text: str) -> int | Problem:
    if text.isascii() and text.isdigit() and len(text) < 10 and one.least <= int(text) <= one.most:
        return int(text)
    said = "Give a whole number from {least} to {most}."
    return Problem("whole", said, one.name, {"least": one.least, "most": one.most})


def _flag(tx: Transaction, shop: Enterprise, one: Parameter, text: str) -> bool | Problem:
    if text in ("true", "false"):
        return text == "true"
    return Problem("flag", "Give true or false.", one.name)


def _choice(tx: Transaction, shop: Enterprise, one: Parameter, text: str) -> str | Problem:
    values = [choice.value for choice in one.choices]
    if text in values:
        return text
    return Problem("choice", "Choose one of: {values}.", one.name, {"values": ", ".join(values)[:500]})


_READERS: dict[str, Callable[[Transaction, Enterprise, Parameter, str], Any]] = {
    "day": _day, "sale": _sale, "text": _text, "whole": _whole, "flag": _flag, "choice": _choice,
}  # fmt: skip
