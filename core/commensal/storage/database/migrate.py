"""Brings a database to the shape this version and its plugins expect, one revision and one transaction at a time.

The core's revisions form one line, and each plugin's a line of its own with its own table of versions
(``<id>_revision``), so that a plugin can come and go without the others noticing. The core goes first: tables of
plugins may refer to the core's, never the other way round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import MetaData, inspect, text

from ...base.errors import PluginError, StoreError
from ...base.failpoints import failpoint
from .core_tables import core_tables
from .revisions import CORE, MIGRATIONS, Newer, table_of
from .store import Store
from .transaction import Transaction


def migrate(
    store: Store, plugins: Mapping[str, Path], *, told: Callable[[str], None] = lambda revision: None
) -> list[str]:
    """Runs what is missing and returns the revisions that ran. `plugins` maps an id to its folder of revisions; `told`
    hears of each once it is committed.

    Raises `Newer` for a database that a newer version has written; `PluginError` for a plugin whose revision fails
    or touches a table that is not named after it: then nothing of that revision stays.
    """
    ran: list[str] = []
    for line, config in _lines(plugins).items():
        for revision in _missing(store, line, config):
            with store.write() as tx:
                config.attributes["connection"] = tx.connection
                if line == CORE:
                    command.upgrade(config, revision)
                else:
                    _upgrade_plugin(tx, config, line, revision)
                failpoint("migration.before_commit")
            failpoint("migration.committed")
            ran.append(revision)
            told(revision)
    return ran


def _upgrade_plugin(tx: Transaction, config: Config, plugin: str, revision: str) -> None:
    before = _shape(tx)
    try:
        command.upgrade(config, revision)
    except Exception as error:  # whatever a revision raises, the operator must read whose it is
        raise PluginError(plugin, "migrations", f"{revision}: {type(error).__name__}: {error}") from error
    _refuse_foreign(plugin, revision, before, _shape(tx))


def missing_revisions(store: Store, plugins: Mapping[str, Path]) -> list[str]:
    """Revisions that this version knows and the database has not had. Raises `Newer` where it is newer."""
    return [one for line, config in _lines(plugins).items() for one in _missing(store, line, config)]


def tables_of(tx: Transaction, plugin: str) -> list[str]:
    """The plugin's tables in the database, its table of versions too, whether or not the plugin is still installed."""
    names = inspect(tx.connection).get_table_names()
    others = [name.removesuffix("revision") for name in names if name.endswith("_revision")]
    longer = [prefix for prefix in others if prefix.startswith(f"{plugin}_") and prefix != f"{plugin}_"]
    mine = [name for name in names if name.startswith(f"{plugin}_") and name not in core_tables()]
    return [name for name in mine if not name.startswith(tuple(longer))]


def drop_tables(tx: Transaction, plugin: str) -> list[str]:
    """Drops all that the plugin has kept, for good. Returns the names of the tables."""
    names = tables_of(tx, plugin)
    found = MetaData()
    found.reflect(bind=tx.connection, only=names)  # with the core's tables that they refer to, which stay
    found.drop_all(bind=tx.connection, tables=[found.tables[name] for name in names])
    return names


def _lines(plugins: Mapping[str, Path]) -> dict[str, Config]:
    return {CORE: _config(CORE, MIGRATIONS / "versions"), **{id: _config(id, folder) for id, folder in plugins.items()}}


def _config(line: str, folder: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(folder))
    config.attributes["version_table"] = table_of(line)
    return config


def _missing(store: Store, line: str, config: Config) -> list[str]:
    scripts = ScriptDirectory.from_config(config)
    with store.read() as tx:
        context = MigrationContext.configure(tx.connection, opts={"version_table": table_of(line)})
        had = context.get_current_heads()
    known = {script.revision: script for script in scripts.walk_revisions()}
    unknown = [revision for revision in had if revision not in known]
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
        raise Newer(text, unknown=", ".join(unknown), line=line)
    try:
        done = {script.revision for head in had for script in scripts.iterate_revisions(head, "base")}
    except CommandError as error:
        raise StoreError(str(error)) from error
    return [revision for revision in reversed(list(known)) if revision not in done]


_SHAPES = {
    "sqlite": "SELECT tbl_name AS name, coalesce(sql, name) AS said FROM sqlite_master",
    "postgresql": """
        SELECT table_name AS name, concat_ws(' ', column_name, data_type, is_nullable, column_default) AS said
          FROM information_schema.columns WHERE table_schema = current_schema()
        UNION ALL SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = current_schema()
        UNION ALL SELECT c.relname, pg_get_constraintdef(k.oid) FROM pg_constraint k
          JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = current_schema()""",
}


def _shape(tx: Transaction) -> dict[str, list[str]]:
    """Every table with its columns, indexes and constraints, as the database tells them: what a revision can change.

    One question: asking table by table took most of the time of making an instance.
    """
    found: dict[str, list[str]] = {}
    for row in tx.all(text(_SHAPES[tx.connection.dialect.name])):
        found.setdefault(row["name"], []).append(row["said"])
    return {name: sorted(said) for name, said in found.items()}


def _refuse_foreign(plugin: str, revision: str, before: Mapping[str, object], after: Mapping[str, object]) -> None:
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    foreign = sorted(name for name in changed if not name.startswith(f"{plugin}_"))
    if foreign:
        raise PluginError(
            plugin, "migrations", f"{revision} touches {', '.join(foreign)}; its tables are named {plugin}_…"
        )
