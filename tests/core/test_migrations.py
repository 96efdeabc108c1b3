"""Migrations make exactly the tables that the code declares, on both databases, one revision at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import bindparam, inspect, select, text

from commensal.base.clock import ManualClock
from commensal.base.errors import StoreError
from commensal.base.ids import SeededIds
from commensal.schema import metadata
from commensal.storage.database import Store
from commensal.storage.database.migrate import migrate, missing_revisions
from commensal.storage.database.revisions import core_tables, is_current

NOON = datetime(2026, 6, 4, 10, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock, ids: SeededIds) -> Iterator[Store]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        make: Callable[[str], str] = request.getfixturevalue("new_postgresql")
        url = make("template0")
    store = Store(url, clock=clock, ids=ids)
    yield store
    store.close()


def test_migrations_make_what_the_tables_declare(empty: Store) -> None:
    migrate(empty, {})
    with empty.read() as tx:
        opts = {"include_object": _of_the_core, "compare_type": True}
        context = MigrationContext.configure(tx.connection, opts=opts)
        assert compare_metadata(context, metadata) == []


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("order_line", "substitutes_id"),
        ("adjustment", "line_id"),
        ("customer_order", "person_id"),
        ("customer", "person_id"),
    ],
)
def test_an_index_holds_only_the_rows_that_refer_to_something_and_finds_them(
    store: Store, table: str, column: str
) -> None:
    """Most orders belong to no account, and their lines replace nothing: each full index costs an order a page."""
    with store.read() as tx:
        (index,) = (row for row in inspect(tx.connection).get_indexes(table) if row["column_names"][0] == column)
        assert f"{column} IS NOT NULL" in str(index["dialect_options"][f"{tx.connection.dialect.name}_where"])
        if tx.postgresql:
            tx.execute(text("SET LOCAL enable_seqscan = off"))
        query = select(metadata.tables[table].c.id).where(metadata.tables[table].c[column] == bindparam("id"))
        explain = "EXPLAIN" if tx.postgresql else "EXPLAIN QUERY PLAN"
        plan = tx.execute(text(f"{explain} {query}"), {"id": "x"}).all()
        assert str(index["name"]) in str(plan)


def test_every_table_of_the_core_is_known_to_export_and_erasure(empty: Store) -> None:
    migrate(empty, {})
    tables = set(inspect(empty.engine).get_table_names())
    assert tables - core_tables() == {"alembic_version"}


def _of_the_core(thing: object, name: str | None, kind: str, *_: object) -> bool:
    """Leaves out tables of plugins, which are in the same metadata."""
    return kind != "table" or name in core_tables()


def test_a_second_migration_has_nothing_to_do(empty: Store) -> None:
    assert migrate(empty, {}) != []
    assert migrate(empty, {}) == []
    assert missing_revisions(empty, {}) == []
    assert is_current(empty, {})


NOTES_ITS_READS = """
from pathlib import Path
revision, down_revision, branch_labels, depends_on = "probe_{number}", {previous!r}, None, None
with Path(__file__).with_suffix(".reads").open("a") as reads:
    reads.write("x")
def upgrade(): ...
"""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_however_many_revisions_run_each_file_is_read_once(store: Store, tmp_path: Path) -> None:
    """Reading all files again for each revision took most of the time of creating an instance."""
    folder = tmp_path / "probe"
    folder.mkdir()
    for number, previous in enumerate((None, "probe_0", "probe_1")):
        revision = NOTES_ITS_READS.format(number=number, previous=previous)
        (folder / f"probe_{number}.py").write_text(revision, encoding="utf-8")
    assert migrate(store, {"probe": folder}) == ["probe_0", "probe_1", "probe_2"]
    assert [file.read_text() for file in folder.glob("*.reads")] == ["x", "x", "x"]


def test_a_database_of_a_newer_version_is_refused(empty: Store) -> None:
    migrate(empty, {})
    with empty.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999_future'"))
    assert not is_current(empty, {})
    with pytest.raises(StoreError, match="9999_future"):
        migrate(empty, {})


def test_tables_of_sqlite_are_strict_and_journals_only_grow(empty: Store) -> None:
    migrate(empty, {})
    if empty.engine.dialect.name == "sqlite":
        with empty.read() as tx:
            not_strict = tx.all(
                text("SELECT name FROM pragma_table_list WHERE strict = 0 AND name NOT LIKE 'sqlite_%'")
            )
        assert [row["name"] for row in not_strict] == ["alembic_version"]
    assert {"stock_movement", "payment_journal"} <= set(inspect(empty.engine).get_table_names())
    with empty.read() as tx:
        source = "sqlite_master WHERE type = 'trigger'" if not tx.postgresql else "pg_trigger WHERE NOT tgisinternal"
        name = "name" if not tx.postgresql else "tgname AS name"
        triggers = {row["name"] for row in tx.all(text(f"SELECT {name} FROM {source}"))}  # noqa: S608
    for table in ("stock_movement", "payment_journal"):
        assert any(trigger.startswith(table) for trigger in triggers)
