"""Migrates a database to the schema of this version and its plugins, one revision in one transaction at a time.

The core's revisions form one line, and each plugin's a line of its own with its own table of versions
(``<id>_revision``), so that plugins can be added and removed independently. The core goes first: tables of plugins may
refer to tables of the core, never the other way round.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import MetaData, inspect, text

from ...base.errors import PluginError, StoreError
from ...base.failpoints import failpoint
from .revisions import CORE, MIGRATIONS, NewerDatabase, OlderDatabase, core_tables, table_of
from .store import Store
from .transaction import Transaction
from .types import metadata


def migrate(
    store: Store, plugins: Mapping[str, Path], *, on_revision: Callable[[str], None] = lambda revision: None
) -> list[str]:
    """Runs the missing revisions and returns their ids. `plugins` maps an id to its folder of revisions; `on_revision`
    is called with each id after its commit.

    Raises `NewerDatabase` if a newer version has written the database, `OlderDatabase` if only one before 0.2.0 has;
    `PluginError` if the revision of a plugin fails
    or changes a table that is not named after the plugin: then nothing of that revision stays.
    """
    ran: list[str] = []
    for line, scripts in _scripts_by_line(plugins).items():
        for revision in _missing(store, line, scripts):
            with store.write() as tx:
                if line == CORE:
                    _upgrade(tx, scripts, line, revision)
                else:
                    _upgrade_plugin(tx, scripts, line, revision)
                failpoint("migration.before_commit")
            failpoint("migration.committed")
            ran.append(revision)
            on_revision(revision)
    return ran


_BEFORE_BASELINE = (
    "The database has had no revision after {found}: a version before 0.2.0 has written it. Restore or upgrade it once "
    "with Commensal 0.2.0, then use this version. Nothing was changed."
)


def _upgrade(tx: Transaction, scripts: ScriptDirectory, line: str, revision: str) -> None:
    """Runs one revision. Alembic's command `upgrade` would read all files of the line again for each of them."""
    context = _migration_context(tx, line)
    with Operations.context(context):
        scripts.get_revision(revision).module.upgrade()
    context.stamp(scripts, revision)


def _migration_context(tx: Transaction, line: str) -> MigrationContext:
    options = {"version_table": table_of(line), "target_metadata": metadata}
    return MigrationContext.configure(tx.connection, opts=options)


def _upgrade_plugin(tx: Transaction, scripts: ScriptDirectory, plugin: str, revision: str) -> None:
    before = _table_shapes(tx)
    try:
        _upgrade(tx, scripts, plugin, revision)
    except Exception as error:  # whatever a revision raises, the operator must read which plugin it belongs to
        raise PluginError(plugin, "migrations", f"{revision}: {type(error).__name__}: {error}") from error
    _refuse_foreign(plugin, revision, before, _table_shapes(tx))


def missing_revisions(store: Store, plugins: Mapping[str, Path]) -> list[str]:
    """Revisions that the database has not had. Raises `NewerDatabase` or `OlderDatabase` if it has had unknown ones."""
    return [
        revision for line, scripts in _scripts_by_line(plugins).items() for revision in _missing(store, line, scripts)
    ]


def tables_of(tx: Transaction, plugin: str) -> list[str]:
    """The names of the plugin's tables, with its table of versions, whether or not the plugin is still installed."""
    names = inspect(tx.connection).get_table_names()
    others = [name.removesuffix("revision") for name in names if name.endswith("_revision")]
    longer = [prefix for prefix in others if prefix.startswith(f"{plugin}_") and prefix != f"{plugin}_"]
    own_names = [name for name in names if name.startswith(f"{plugin}_") and name not in core_tables()]
    return [name for name in own_names if not name.startswith(tuple(longer))]


def drop_tables(tx: Transaction, plugin: str) -> list[str]:
    """Drops all tables of the plugin, for good. Returns their names."""
    names = tables_of(tx, plugin)
    reflected = MetaData()
    reflected.reflect(bind=tx.connection, only=names)  # also reads the core's tables that they refer to, which stay
    reflected.drop_all(bind=tx.connection, tables=[reflected.tables[name] for name in names])
    return names


def _scripts_by_line(plugins: Mapping[str, Path]) -> dict[str, ScriptDirectory]:
    folders = {CORE: MIGRATIONS / "versions", **plugins}
    return {line: ScriptDirectory(MIGRATIONS, version_locations=[folder]) for line, folder in folders.items()}


def _missing(store: Store, line: str, scripts: ScriptDirectory) -> list[str]:
    with store.read() as tx:
        applied = _migration_context(tx, line).get_current_heads()
    known_revisions = {script.revision: script for script in scripts.walk_revisions()}
    unknown = [revision for revision in applied if revision not in known_revisions]
    if unknown and _precede(unknown, known_revisions):
        raise OlderDatabase(_BEFORE_BASELINE, found=", ".join(unknown))
    if unknown:
        text = (
            "The database has had {unknown}, which this version of Commensal does not know. "
            "Install the version that wrote it."
        )
        if line:
            text = (
                "The database has had {unknown}, which this version of the plugin {line!r} does not know. "
                "Install the version that wrote it."
            )
        raise NewerDatabase(text, unknown=", ".join(unknown), line=line)
    try:
        applied_revisions = {script.revision for head in applied for script in scripts.iterate_revisions(head, "base")}
    except CommandError as error:
        raise StoreError(str(error)) from error
    return [revision for revision in reversed(list(known_revisions)) if revision not in applied_revisions]


_NUMBER = re.compile(r"(\d{4})_")


def _precede(unknown: Collection[str], known: Collection[str]) -> bool:
    """Whether all unknown revisions are older than the oldest known one, the baseline: revisions are numbered within
    their line. False for a revision without a number."""
    numbers = [_NUMBER.search(revision) for revision in (min(known, default=""), *unknown)]
    baseline, *others = (int(number[1]) if number else None for number in numbers)
    return baseline is not None and all(number is not None and number < baseline for number in others)


_SHAPES = {
    "sqlite": "SELECT tbl_name AS name, coalesce(sql, name) AS definition FROM sqlite_master",
    "postgresql": """
        SELECT table_name AS name, concat_ws(' ', column_name, data_type, is_nullable, column_default) AS definition
          FROM information_schema.columns WHERE table_schema = current_schema()
        UNION ALL SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = current_schema()
        UNION ALL SELECT c.relname, pg_get_constraintdef(k.oid) FROM pg_constraint k
          JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = current_schema()""",
}


def _table_shapes(tx: Transaction) -> dict[str, list[str]]:
    """Columns, indexes and constraints of every table, as the database describes them: what a revision can change.

    One query for all: one per table took most of the time of creating an instance.
    """
    shapes: dict[str, list[str]] = {}
    for row in tx.all(text(_SHAPES[tx.connection.dialect.name])):
        shapes.setdefault(row["name"], []).append(row["definition"])
    return {name: sorted(definitions) for name, definitions in shapes.items()}


def _refuse_foreign(plugin: str, revision: str, before: Mapping[str, object], after: Mapping[str, object]) -> None:
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    foreign = sorted(name for name in changed if not name.startswith(f"{plugin}_"))
    if foreign:
        raise PluginError(
            plugin, "migrations", f"{revision} touches {', '.join(foreign)}; its tables are named {plugin}_…"
        )
