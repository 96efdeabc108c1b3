"""Finds out whether a database is up to date without importing a revision, because every start and command needs it.

The core's revisions form one line, and each plugin's a line of its own with its own table of versions. `migrate.py`
runs them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from pathlib import Path

from sqlalchemy import Table, column, inspect, select, table

from ...base.errors import StoreError
from .store import Store
from .transaction import Transaction
from .types import metadata

CORE = ""  # the line of the core
MIGRATIONS = Path(__file__).parent / "migrations"
_VERSIONS = {CORE: "alembic_version"}
_ASSIGNMENT = re.compile(r'^(revision|down_revision)\b[^=\n]*=\s*(?:"([^"\n]+)"|None)\s*$', re.MULTILINE)


class NewerDatabase(StoreError):
    """The database has had revisions that this version does not have."""


class OlderDatabase(StoreError):
    """The database lacks the baseline, the first revision of this version: only an older version can upgrade it."""


def is_empty(store: Store) -> bool:
    """Whether no revision of the core has ever run on the database."""
    with store.read() as tx:
        return not inspect(tx.connection).has_table(_VERSIONS[CORE])


def missing(store: Store, plugins: Mapping[str, Path]) -> list[str]:
    """Revisions that the database has not had. `plugins` maps an id to its folder of revisions.

    Raises `NewerDatabase` if the database has had unknown ones.
    """
    if is_current(store, plugins):
        return []
    from .migrate import missing_revisions  # imports Alembic, which takes long and is hardly ever needed

    return missing_revisions(store, plugins)


def is_current(store: Store, plugins: Mapping[str, Path]) -> bool:
    """Whether the database has had the last revision of every line, and no other.

    Also False if a file does not name its revisions in plain lines: only running it would tell.
    """
    folders = {CORE: MIGRATIONS / "versions", **plugins}
    with store.read() as tx:
        table_names = inspect(tx.connection).get_table_names()
        return all(
            _applied_revisions(tx, table_of(line), table_names) == _head_revisions(folder)
            for line, folder in folders.items()
        )


def table_of(line: str) -> str:
    """The name of the table of versions of a line."""
    return _VERSIONS.get(line, f"{line}_revision")


def _applied_revisions(tx: Transaction, version_table: str, table_names: Collection[str]) -> set[str]:
    if version_table not in table_names:
        return set()
    return {row["version_num"] for row in tx.all(select(column("version_num")).select_from(table(version_table)))}


def _head_revisions(folder: Path) -> set[str] | None:
    """The revisions that no other one follows; None if a file does not name its revisions in plain lines."""
    assignments = [
        dict(_ASSIGNMENT.findall(file.read_text("utf-8"))) for file in folder.glob("*.py") if file.stem != "__init__"
    ]
    if any(len(assignment) < 2 or not assignment["revision"] for assignment in assignments):
        return None
    return {assignment["revision"] for assignment in assignments} - {
        assignment["down_revision"] for assignment in assignments
    }


# The tables of the core and of plugins; no plugin may claim one of the core.


@cache
def core_tables() -> frozenset[str]:
    """The import is late because the rooms that define the tables stand above the store."""
    from ...schema import ROOMS

    return frozenset(value.name for room in ROOMS for value in vars(room).values() if isinstance(value, Table))


def tables_of(plugins: Iterable[str]) -> list[Table]:
    """The tables of the core and of the loaded `plugins`; a table comes after those that its foreign keys refer to."""
    prefixes = tuple(f"{plugin}_" for plugin in plugins)
    core = core_tables()
    return [table for table in metadata.sorted_tables if table.name in core or table.name.startswith(prefixes)]
