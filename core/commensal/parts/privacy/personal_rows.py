"""Finds the rows about a person: those with foreign keys to the person, their customers, orders or payments.

So export and erasure cover every new table, of the core or of a plugin, without further code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Table, or_

from ...instance.tables import audit_entry
from ...orders.tables import customer_order
from ...storage.database import Row
from ...storage.database.revisions import tables_of

# Values of privacy: a person over all enterprises of the instance, and the outcome of an erasure.


@dataclass(frozen=True, kw_only=True)
class DataSubject:
    """All records of one person: with an account or without, as a customer of any enterprise.

    `email` is their address in lower case. `person_id` is None for a person without an account.
    """

    email: str
    person_id: str | None
    language: str
    customer_ids: Sequence[str]
    order_ids: Sequence[str]
    payment_ids: Sequence[str]

    @property
    def known(self) -> bool:
        return self.person_id is not None or bool(self.customer_ids) or bool(self.order_ids)


@dataclass(frozen=True, kw_only=True)
class KeptRows:
    """Rows that a plugin keeps about a person; `name` comes after the plugin's id in their file name."""

    name: str
    rows: Sequence[Row]


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    """The effect of an erasure or dry run: numbers of rows by table.

    `kept_until` is when the last kept name on an order is deleted; None if none is kept.
    """

    pseudonym: str
    removed: Mapping[str, int]
    blanked: Mapping[str, int]
    identities: int
    kept_until: datetime | None


Belonging = tuple[Table, ColumnElement[bool]]
_ROOTS = ("person", "customer", "customer_order", "payment")


def rows_about(subject: DataSubject, plugins: Iterable[str]) -> Iterator[Belonging]:
    """Yields every table that may hold rows about the person, with the condition that selects them.

    `plugins` are the loaded ones; tables of others are left out.
    """
    ids = _ids(subject)
    for table in tables_of(plugins):
        conditions = list(_own_rows(table, ids)) + list(_references(table, ids))
        if conditions:
            yield table, or_(*conditions)


def _ids(subject: DataSubject) -> dict[str, Sequence[str]]:
    people = (subject.person_id,) if subject.person_id is not None else ()
    return dict(zip(_ROOTS, (people, subject.customer_ids, subject.order_ids, subject.payment_ids), strict=True))


def _own_rows(table: Table, ids: dict[str, Sequence[str]]) -> Iterator[ColumnElement[bool]]:
    """Conditions for the rows of a root table by id, and for audit entries by the person or about their account."""
    if ids.get(table.name):
        yield table.c.id.in_(ids[table.name])
    if table is audit_entry and ids["person"]:
        yield table.c.person_id.in_(ids["person"])
        yield (table.c.object_kind == "person") & table.c.object_id.in_(ids["person"])


def _references(table: Table, ids: dict[str, Sequence[str]]) -> Iterator[ColumnElement[bool]]:
    """Conditions by foreign key. Orders are selected by their ids alone: a person may place another person's order."""
    if table is customer_order:
        return
    for column in table.c:
        for key in column.foreign_keys:
            subject_ids = ids.get(key.column.table.name)
            if subject_ids:
                yield column.in_(subject_ids)
