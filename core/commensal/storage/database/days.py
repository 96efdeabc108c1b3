"""Days in a time zone, computed by the database: PostgreSQL does it itself, SQLite calls a Python function."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class local_day(FunctionElement[str]):
    """The day, as ISO 8601 text, on which a moment falls in an IANA time zone: ``local_day(moment, zone)``."""

    type = Text()
    inherit_cache = True

    def __init__(self, moment: ColumnElement[datetime], timezone: ColumnElement[str]) -> None:
        super().__init__(moment, timezone)


@compiles(local_day, "postgresql")
def _postgresql(element: local_day, compiler: SQLCompiler, **more: object) -> str:
    moment, timezone = (compiler.process(clause, **more) for clause in element.clauses)
    return f"to_char({moment} AT TIME ZONE {timezone}, 'YYYY-MM-DD')"


@compiles(local_day, "sqlite")
def _sqlite(element: local_day, compiler: SQLCompiler, **more: object) -> str:
    moment, timezone = (compiler.process(clause, **more) for clause in element.clauses)
    return f"local_day({moment}, {timezone})"


@lru_cache(maxsize=1024)
def day_of(moment: str | None, timezone: str | None) -> str | None:
    """Implements `local_day` for SQLite; `moment` is text as `Time` stores it."""
    if moment is None or timezone is None:
        return None
    return datetime.fromisoformat(moment).astimezone(ZoneInfo(timezone)).date().isoformat()
