"""Counts in the database what may happen only so often, before it happens, so that all processes share the count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Table, and_, case, false, or_
from sqlalchemy.sql.dml import ReturningInsert

from .conflict import insert_on


@dataclass(frozen=True)
class Window:
    """A period of a counter, by conditions on its stored row.

    over:    it has ended, so that the next count begins it anew
    below:   one more may be counted; never, where a window allows only the count that begins it
    counted: its columns, with their values after one more
    """

    over: ColumnElement[bool]
    counted: Mapping[str, ColumnElement[int] | ColumnElement[datetime]]
    below: ColumnElement[bool] = field(default_factory=false)


def count_within(on_postgresql: bool, table: Table, *windows: Window) -> ReturningInsert[*tuple[object, ...]]:
    """A statement that counts once in all `windows` of a row, or in none: then it returns no row.

    Its values are those of a new row. Concurrent transactions wait for each other at the row, so that none exceeds a
    limit.
    """
    new = insert_on(on_postgresql, table)
    values = {
        name: case((window.over, new.excluded[name]), else_=value)
        for window in windows
        for name, value in window.counted.items()
    }
    allowed = and_(*(or_(window.over, window.below) for window in windows))
    counted = new.on_conflict_do_update(index_elements=list(table.primary_key), set_=values, where=allowed)
    return counted.returning(*table.primary_key)
