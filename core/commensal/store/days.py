"""Days in a time zone, worked out by the database: PostgreSQL knows how, SQLite asks Python."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Text, func

from .transaction import Transaction


def local_day(tx: Transaction, moment: ColumnElement[datetime], timezone: ColumnElement[str]) -> ColumnElement[str]:
    """The day, as ISO 8601 text, on which a moment falls in an IANA time zone."""
    if tx.postgresql:
        return func.to_char(func.timezone(timezone, moment), "YYYY-MM-DD", type_=Text)
    return func.local_day(moment, timezone, type_=Text)


@lru_cache(maxsize=1024)
def day_of(moment: str | None, timezone: str | None) -> str | None:
    """SQLite's `local_day`, on moments as `Time` stores them."""
    if moment is None or timezone is None:
        return None
    return datetime.fromisoformat(moment).astimezone(ZoneInfo(timezone)).date().isoformat()
