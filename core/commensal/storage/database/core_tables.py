"""The names of the core's tables, which no plugin may claim."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Table


@cache
def core_tables() -> frozenset[str]:
    """The import is late because the rooms that define the tables stand above the store."""
    from ...schema import ROOMS

    return frozenset(value.name for room in ROOMS for value in vars(room).values() if isinstance(value, Table))
