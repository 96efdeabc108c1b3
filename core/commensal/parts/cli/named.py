"""Reads arguments of the command line: enterprises by id or slug, and moments in an enterprise's time zone."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from sqlalchemy import or_, select

from ...base.converting import read_moment
from ...base.errors import Invalid, NotFound, Problem
from ...enterprises.enterprises import Enterprise, enterprise_by_id
from ...enterprises.tables import enterprise
from ...storage.database import Transaction


def named_enterprise(tx: Transaction, named: str) -> Enterprise:
    """The enterprise with this id or slug, also a hidden one. Raises `NotFound` with the name."""
    row = tx.first(select(enterprise.c.id).where(or_(enterprise.c.id == named, enterprise.c.slug == named)))
    if row is None:
        raise NotFound("no_enterprise", "There is no enterprise {name}.", name=named)
    return enterprise_by_id(tx, row["id"])


_DAYS = {
    name: number
    for number, names in enumerate(
        (
            "monday lundi",
            "tuesday mardi",
            "wednesday mercredi",
            "thursday jeudi",
            "friday vendredi",
            "saturday samedi",
            "sunday dimanche",
        )
    )
    for name in names.split()
}


def moment(text: str, timezone: str, option: str, *, after: datetime) -> datetime:
    """An aware datetime from a local time in the IANA `timezone`: "2026-06-06 20:00", or the first "thursday 20:00" or
    "20:00" after the moment `after`. Days may be French. Raises `Invalid` with the name of the `option`.
    """
    zone = ZoneInfo(timezone)
    day, _, hour = text.strip().lower().rpartition(" ")
    try:
        if day and day not in _DAYS:
            return read_moment(text).replace(tzinfo=zone)
        at = time.fromisoformat(hour)
    except ValueError:
        message = "{text} is not a moment; write it like 2026-06-06 20:00, or thursday 20:00."
        raise Invalid([Problem("moment", message, option, {"text": text[:40]})]) from None
    first_day = after.astimezone(zone).date()
    candidates = (datetime.combine(first_day + timedelta(days=days), at, tzinfo=zone) for days in range(9))
    return next(
        candidate for candidate in candidates if candidate > after and (not day or candidate.weekday() == _DAYS[day])
    )


# Options that many commands have.

Folder = Annotated[Path, typer.Option("--instance", help="The folder of the instance.", file_okay=False)]
HERE = Path(".")
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
