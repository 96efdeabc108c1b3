"""Optimistic locking: an edit of a versioned row in one guarded UPDATE."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, Table, select, update

from ...base.errors import Stale
from .statement_cache import Row
from .transaction import Transaction


def edit_row(
    tx: Transaction, table: Table, *where: ColumnElement[bool], version: int, values: Mapping[str, object]
) -> Row:
    """Sets `values`, increments `version`, and returns the whole row as it is afterwards.

    `where` selects one row, by its id and its owner. Raises `NotFound` if there is none, and `Stale` if it has another
    version than `version` because somebody else has edited it.
    """
    guarded = update(table).where(*where, table.c.version == version)
    row = tx.first(guarded.values({**values, "version": table.c.version + 1}).returning(*table.c))
    if row is not None:
        return row
    tx.one(select(table.c.version).where(*where))
    raise Stale
