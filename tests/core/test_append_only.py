"""Tables that only grow refuse every other change, on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Column, Executable, MetaData, Table, Text, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from commensal.storage.database import Store, append_only
from commensal.storage.database.marks import append_only_ddl
from commensal.storage.database.revisions import core_tables


@pytest.fixture
def diary(store: Store) -> Iterator[Table]:
    table = append_only(Table("diary", MetaData(), Column("id", Text, primary_key=True), sqlite_strict=True))
    table.create(store.engine)
    with store.write() as tx:
        tx.execute(insert(table).values(id="a"))
    yield table
    table.drop(store.engine)


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_a_row_of_an_append_only_table_stays_as_it_is(store: Store, diary: Table, verb: str) -> None:
    change: Executable = update(diary).values(id="b") if verb == "update" else delete(diary)
    with pytest.raises(DBAPIError, match="diary only grows"), store.write() as tx:
        tx.execute(change)
    with store.write() as tx:
        tx.execute(insert(diary).values(id="c"))
        assert [row["id"] for row in tx.all(select(diary).order_by(diary.c.id))] == ["a", "c"]


def test_an_append_only_table_cannot_be_emptied(store: Store, diary: Table) -> None:
    if store.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has no TRUNCATE")
    with pytest.raises(DBAPIError, match="diary only grows"), store.write() as tx:
        tx.execute(text("TRUNCATE diary"))


def test_a_migration_can_make_a_table_append_only(store: Store) -> None:
    with store.write() as tx:
        tx.execute(text("CREATE TABLE chronicle (id TEXT PRIMARY KEY)"))
        for statement in append_only_ddl("chronicle", store.engine.dialect.name):
            tx.execute(text(statement))
        tx.execute(text("INSERT INTO chronicle VALUES ('a')"))
    with pytest.raises(DBAPIError, match="chronicle only grows"), store.write() as tx:
        tx.execute(text("DELETE FROM chronicle"))


def test_the_journals_of_the_core_only_grow(store: Store) -> None:
    triggers = "SELECT DISTINCT tbl_name FROM sqlite_master WHERE type = 'trigger'"
    if store.engine.dialect.name == "postgresql":
        triggers = "SELECT DISTINCT event_object_table FROM information_schema.triggers"
    with store.read() as tx:
        assert core_tables() & {*tx.execute(text(triggers)).scalars()} == {
            "stock_movement",
            "payment_journal",
            "audit_entry",
            "audit_expiry",
            "container_return",
            "order_change",
            "counted_till",
            "taken_back_count",
            "supplier_payment",
            "stock_purchase",
            "session_books",
        }
