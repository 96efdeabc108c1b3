"""An edit of a versioned row, decided by the database in one guarded UPDATE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Table, select, update

from ...base.errors import Stale
from .statement_cache import Row
from .transaction import Transaction


def edit_row(
    tx: Transaction, table: Table, *where: ColumnElement[bool], version: int, values: Mapping[str, Any]
) -> Row:
    """Sets `values` and raises `version` by one. Returns the whole row as it is afterwards.

    `where` names one row, by its id and by whose it is. Raises `NotFound` where there is none, `Stale` where somebody
    else has edited it since `version`.
    """
    guarded = update(table).where(*where, table.c.version == version)
    row = tx.first(guarded.values({**values, "version": table.c.version + 1}).returning(*table.c))
    if row is not None:
        return row
    tx.one(select(table.c.version).where(*where))
    raise Stale
