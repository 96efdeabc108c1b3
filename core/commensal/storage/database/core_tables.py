"""The tables of the core and of plugins; no plugin may claim one of the core."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from sqlalchemy import Table

from .types import metadata


@cache
def core_tables() -> frozenset[str]:
    """The import is late because the rooms that define the tables stand above the store."""
    from ...schema import ROOMS

    return frozenset(value.name for room in ROOMS for value in vars(room).values() if isinstance(value, Table))


def tables_of(plugins: Iterable[str]) -> list[Table]:
    """The tables of the core and of the loaded `plugins`; a table comes after those that its foreign keys refer to."""
    prefixes = tuple(f"{plugin}_" for plugin in plugins)
    core = core_tables()
    return [table for table in metadata.sorted_tables if table.name in core or table.name.startswith(prefixes)]
