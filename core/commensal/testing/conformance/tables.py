"""Checks the tables of a plugin: they are its own, as declared, and can be dropped and made again."""

from __future__ import annotations

from sqlalchemy import inspect

from ...hooks.loading import migration_folders
from ...storage.database import metadata
from ...storage.database.migrate import drop_tables, migrate, missing_revisions, tables_of
from .check import Subject, check, demand


@check("migrations")
def its_tables_are_its_own_and_as_declared(subject: Subject) -> None:
    """Named after it (a revision that touches others is refused), with the columns that its code knows."""
    with subject.instance() as opened, opened.store.read() as tx:
        table_names = set(tables_of(tx, subject.plugin)) - {f"{subject.plugin}_revision"}
        demand(table_names, "its revisions make no tables")
        inspector = inspect(tx.connection)
        columns = {name: {column["name"] for column in inspector.get_columns(name)} for name in table_names}
    for name, table in metadata.tables.items():
        if name.startswith(f"{subject.plugin}_") and table.name in columns:
            declared = {column.name for column in table.columns}
            differ = sorted(declared ^ columns[name])
            demand(not differ, f"{name}: the code and the database disagree about {', '.join(differ)}")
    undeclared = sorted(table_names - set(metadata.tables))
    demand(not undeclared, f"its code declares no {', '.join(undeclared)}")


@check("migrations")
def its_tables_come_and_go(subject: Subject) -> None:
    """Dropped with the plugin, and made anew when it comes back."""
    with subject.instance() as opened:
        with opened.store.write() as tx:
            drop_tables(tx, subject.plugin)
            demand(not tables_of(tx, subject.plugin), "some of its tables stay when it is dropped")
        folders = migration_folders(opened.hooks)
        migrate(opened.store, folders)
        demand(not missing_revisions(opened.store, folders), "its revisions do not run a second time")
