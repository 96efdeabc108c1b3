"""Things that are named on the command line: enterprises by id or slug, moments by the clock on their wall."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select

from ..enterprises.enterprises import Enterprise, enterprise_by_id
from ..enterprises.tables import enterprise
from ..errors import Invalid, NotFound, Problem
from ..store import Transaction


def named_enterprise(tx: Transaction, named: str) -> Enterprise:
    """The enterprise of this id or slug, hidden ones too. Raises `NotFound` that names it."""
    found = tx.first(select(enterprise.c.id).where(or_(enterprise.c.id == named, enterprise.c.slug == named)))
    if found is None:
        raise NotFound("no_enterprise", "There is no enterprise {name}.", name=named)
    return enterprise_by_id(tx, found["id"])


def moment(text: str, timezone: str, option: str) -> datetime:
    """ "2026-06-06 20:00" by the clocks of an IANA time zone. Raises `Invalid` that names the option."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(timezone))
    except ValueError:
        said = "{text} is no moment; write it like 2026-06-06 20:00."
        raise Invalid([Problem("moment", said, option, {"text": text[:40]})]) from None
