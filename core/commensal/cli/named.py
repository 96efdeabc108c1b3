"""Things that are named on the command line: enterprises by id or slug, moments by the clock on their wall."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select

from ..base.errors import Invalid, NotFound, Problem
from ..storage.database import Transaction
from ..trade.enterprises.enterprises import Enterprise, enterprise_by_id
from ..trade.enterprises.tables import enterprise


def named_enterprise(tx: Transaction, named: str) -> Enterprise:
    """The enterprise of this id or slug, hidden ones too. Raises `NotFound` that names it."""
    found = tx.first(select(enterprise.c.id).where(or_(enterprise.c.id == named, enterprise.c.slug == named)))
    if found is None:
        raise NotFound("no_enterprise", "There is no enterprise {name}.", name=named)
    return enterprise_by_id(tx, found["id"])


_DAYS = {
    name: number
    for number, names in enumerate(
        ("monday lundi", "tuesday mardi", "wednesday mercredi", "thursday jeudi", "friday vendredi", "saturday samedi",
         "sunday dimanche")
    )
    for name in names.split()
}  # fmt: skip


def moment(text: str, timezone: str, option: str, *, after: datetime) -> datetime:
    """A moment by the clocks of an IANA time zone: "2026-06-06 20:00", or the first "thursday 20:00" or "20:00" that
    comes `after` another moment. Days may be French. Raises `Invalid` that names the option.
    """
    zone = ZoneInfo(timezone)
    day, _, hour = text.strip().lower().rpartition(" ")
    try:
        if day and day not in _DAYS:
            return datetime.fromisoformat(text).replace(tzinfo=zone)
        at = time.fromisoformat(hour)
    except ValueError:
        said = "{text} is no moment; write it like 2026-06-06 20:00, or thursday 20:00."
        raise Invalid([Problem("moment", said, option, {"text": text[:40]})]) from None
    begin = after.astimezone(zone).date()
    coming = (datetime.combine(begin + timedelta(days=days), at, tzinfo=zone) for days in range(9))
    return next(one for one in coming if one > after and (not day or one.weekday() == _DAYS[day]))
