"""Parameters that many reports share, and the strict validation of all parameters, which reports every mistake."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, func, select

from ...base.converting import read_whole
from ...base.errors import Invalid, Problem
from ...base.languages.catalogs import translate
from ...enterprises.enterprises import Enterprise
from ...sale_sessions.tables import coordination, sale_session
from ...storage.database import Transaction
from .values import Parameter, Query

SALE, SINCE, UNTIL = "sale", "since", "until"
_LONGEST_TEXT = 200  # characters


def one_sale(language: str) -> Sequence[Parameter]:
    """A parameter for the sale session of the report; by default the one that is distributed next."""
    return [Parameter(name=SALE, label=translate(language, "Sale"), kind="sale", default="current")]


def a_period(language: str) -> Sequence[Parameter]:
    """Parameters for a first and a last day, both included, in the enterprise's time zone; by default the last month.

    A sale may be named instead; then the days are ignored.
    """
    return [
        Parameter(name=SINCE, label=translate(language, "From the day"), kind="day", default="month_begins"),
        Parameter(name=UNTIL, label=translate(language, "To the day"), kind="day", default="month_ends"),
        Parameter(name=SALE, label=translate(language, "Only the sale"), kind="sale"),
    ]


def own_pages(language: str, default: bool = False) -> Parameter:
    """A parameter for whether each group begins a new page."""
    return Parameter(name="pages", label=translate(language, "A page for each"), kind="flag", default=default)


@dataclass(frozen=True)
class Period:
    """From `begins_at` until just before `ends_at`; both in UTC."""

    begins_at: datetime
    ends_at: datetime

    def contains(self, at: ColumnElement[datetime]) -> ColumnElement[bool]:
        """The condition that a moment lies in the period."""
        return and_(at >= self.begins_at, at < self.ends_at)


def period_of(query: Query) -> Period | None:
    """The period of the query; None if it names a sale or has no period."""
    since, until = query.given.get(SINCE), query.given.get(UNTIL)
    if query.given.get(SALE) or since is None or until is None:
        return None
    zone = ZoneInfo(query.timezone)
    begins_at, ends_at = (datetime.combine(day, time(), tzinfo=zone) for day in (since, until + timedelta(days=1)))
    return Period(begins_at.astimezone(UTC), ends_at.astimezone(UTC))


def read_parameters(
    tx: Transaction, shop: Enterprise, parameters: Sequence[Parameter], texts: Mapping[str, str]
) -> dict[str, object]:
    """Values by name, with defaults. Raises `Invalid` with every mistake; `where` is the name of the parameter."""
    by_name = {parameter.name: parameter for parameter in parameters}
    problems = [
        Problem("no_parameter", "This report has no parameter {name}.", name, {"name": name[:40]})
        for name in texts
        if name not in by_name
    ]
    values: dict[str, object] = {}
    for parameter in parameters:
        text = texts.get(parameter.name, "")
        value = _READERS[parameter.kind](tx, shop, parameter, text) if text else _default_value(tx, shop, parameter)
        if isinstance(value, Problem):
            problems.append(value)
        values[parameter.name] = value
    since, until = values.get(SINCE), values.get(UNTIL)
    if isinstance(since, date) and isinstance(until, date) and since > until:
        problems.append(Problem("period", "The period ends before it begins.", UNTIL))
    if problems:
        raise Invalid(problems)
    return values


def default_text(tx: Transaction, shop: Enterprise, parameter: Parameter) -> str:
    """The default of the parameter, written as a caller would write it."""
    value = _default_value(tx, shop, parameter)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _default_value(tx: Transaction, shop: Enterprise, parameter: Parameter) -> object:
    today = shop.date_at(tx.now)
    month_ends = today.replace(day=1) - timedelta(days=1)
    if parameter.kind == "day":
        days = {"today": today, "month_begins": month_ends.replace(day=1), "month_ends": month_ends}
        return days[str(parameter.default)] if parameter.default in days else parameter.default
    if parameter.kind == "sale" and parameter.default == "current":
        return current_sale(tx, shop.id)
    return parameter.default


def current_sale(tx: Transaction, enterprise_id: str) -> str | None:
    """The id of the session whose distribution is under way or comes next; else of the last one; None without any.

    A sale that is already open for next week does not come before the one whose goods are packed today.
    """
    row = sale_session.c
    own_sales = select(row.id).join(coordination, coordination.c.id == row.coordination_id)
    own_sales = own_sales.where(row.enterprise_id == enterprise_id, coordination.c.cancelled_at.is_(None)).limit(1)
    next_sale = own_sales.where(row.ends_at >= tx.now).order_by(row.ends_at, row.id).subquery()
    last_sale = own_sales.where(row.ends_at < tx.now).order_by(row.ends_at.desc(), row.id).subquery()
    statement = select(
        func.coalesce(select(next_sale.c.id).scalar_subquery(), select(last_sale.c.id).scalar_subquery())
    )
    session_id: str | None = tx.value(statement)
    return session_id


def _read_day(tx: Transaction, shop: Enterprise, parameter: Parameter, text: str) -> date | Problem:
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        day = None
    if day is None or not 2000 <= day.year < 2200:
        return Problem("day", "{text} is not a day; write it like 2026-06-04.", parameter.name, {"text": text[:40]})
    return day


def _read_sale(tx: Transaction, shop: Enterprise, parameter: Parameter, text: str) -> str | Problem:
    if text == "current" and parameter.default == "current":
        return current_sale(tx, shop.id) or Problem("no_sale", "There has been no sale yet.", parameter.name)
    row = sale_session.c
    if tx.first(select(row.id).where(row.enterprise_id == shop.id, row.id == text)) is None:
        return Problem("no_sale", "This enterprise has no such sale.", parameter.name)
    return text


def _read_text(tx: Transaction, shop: Enterprise, parameter: Parameter, text: str) -> str | Problem:
    if len(text) > _LONGEST_TEXT:
        return Problem("too_long", "This is longer than {most} characters.", parameter.name, {"most": _LONGEST_TEXT})
    return text


def _read_whole(tx: Transaction, shop: Enterprise, parameter: Parameter, text: str) -> int | Problem:
    number = read_whole(text)
    if number is not None and parameter.least <= number <= parameter.most:
        return number
    message = "Give a whole number from {least} to {most}."
    return Problem("whole", message, parameter.name, {"least": parameter.least, "most": parameter.most})


def _read_flag(tx: Transaction, shop: Enterprise, parameter: Parameter, text: str) -> bool | Problem:
    if text in ("true", "false"):
        return text == "true"
    return Problem("flag", "Give true or false.", parameter.name)


def _read_choice(tx: Transaction, shop: Enterprise, parameter: Parameter, text: str) -> str | Problem:
    values = [choice.value for choice in parameter.choices]
    if text in values:
        return text
    return Problem("choice", "Choose one of: {values}.", parameter.name, {"values": ", ".join(values)[:500]})


_READERS: dict[str, Callable[[Transaction, Enterprise, Parameter, str], object]] = {
    "day": _read_day,
    "sale": _read_sale,
    "text": _read_text,
    "whole": _read_whole,
    "flag": _read_flag,
    "choice": _read_choice,
}
