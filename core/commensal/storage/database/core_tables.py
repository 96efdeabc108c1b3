"""The names of the core's tables, which no plugin may claim."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Table


@cache
def core_tables() -> frozenset[str]:
    """Read from the rooms when it is first asked: they all stand above the store."""
    from ...schema import ROOMS

    return frozenset(one.name for room in ROOMS for one in vars(room).values() if isinstance(one, Table))
