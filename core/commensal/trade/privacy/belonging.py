"""Which rows are about a person: those whose foreign keys lead to them, to their orders or to their payments.

So a new table, of the core or of a plugin, is handed over and forgotten without anybody having to remember it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import ColumnElement, Table, or_

from ...operations.backups.rows import tables_of
from ..audit.tables import audit_entry
from ..orders.tables import customer_order
from .values import DataSubject

Belonging = tuple[Table, ColumnElement[bool]]
_ROOTS = ("person", "customer", "customer_order", "payment")


def rows_about(subject: DataSubject, plugins: Iterable[str]) -> Iterator[Belonging]:
    """Every table that may hold rows about the person, with the condition that finds them.

    `plugins` are those that are loaded: tables of others are not known.
    """
    ids = _ids(subject)
    for table in tables_of(plugins):
        conditions = list(_own(table, ids)) + list(_keys(table, ids))
        if conditions:
            yield table, or_(*conditions)


def _ids(subject: DataSubject) -> dict[str, Sequence[str]]:
    people = (subject.person_id,) if subject.person_id is not None else ()
    return dict(zip(_ROOTS, (people, subject.customer_ids, subject.order_ids, subject.payment_ids), strict=True))


def _own(table: Table, ids: dict[str, Sequence[str]]) -> Iterator[ColumnElement[bool]]:
    """A root's own rows; and what the trail says they did, and what was done to their account."""
    if ids.get(table.name):
        yield table.c.id.in_(ids[table.name])
    if table is audit_entry and ids["person"]:
        yield table.c.person_id.in_(ids["person"])
        yield (table.c.object_kind == "person") & table.c.object_id.in_(ids["person"])


def _keys(table: Table, ids: dict[str, Sequence[str]]) -> Iterator[ColumnElement[bool]]:
    """Orders are found by the subject alone: somebody may have ordered for another, whose order is not theirs."""
    if table is customer_order:
        return
    for column in table.c:
        for key in column.foreign_keys:
            wanted = ids.get(key.column.table.name)
            if wanted:
                yield column.in_(wanted)
