"""Which revisions a database has had, asked without loading or running one: every start and every command asks it.

The core's revisions form one line, and each plugin's a line of its own with its own table of versions. How they are
run, and which are missing, `migrate.py` knows.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from sqlalchemy import column, inspect, select, table

from ...base.errors import StoreError
from .store import Store
from .transaction import Transaction

CORE = ""  # the line of the core
MIGRATIONS = Path(__file__).parent / "migrations"
_VERSIONS = {CORE: "alembic_version"}
_SAID = re.compile(r'^(revision|down_revision)\b[^=\n]*=\s*(?:"([^"\n]+)"|None)\s*$', re.MULTILINE)


class Newer(StoreError):
    """The database has had revisions that this version does not know."""


def is_empty(store: Store) -> bool:
    """No revision of the core has ever run on the database."""
    with store.read() as tx:
        return not inspect(tx.connection).has_table(_VERSIONS[CORE])


def missing(store: Store, plugins: Mapping[str, Path]) -> list[str]:
    """Revisions that this version knows and the database has not had. `plugins` maps an id to its folder of revisions.

    Raises `Newer` where the database is newer.
    """
    if is_current(store, plugins):
        return []
    from .migrate import missing_revisions  # what runs revisions takes long to load, and is hardly ever needed

    return missing_revisions(store, plugins)


def is_current(store: Store, plugins: Mapping[str, Path]) -> bool:
    """Whether the database has had the last revision of every line, and no other.

    False also where a file does not say in a plain line what it is: then only running it would tell.
    """
    folders = {CORE: MIGRATIONS / "versions", **plugins}
    with store.read() as tx:
        there = inspect(tx.connection).get_table_names()
        return all(_had(tx, table_of(line), there) == _last(folder) for line, folder in folders.items())


def table_of(line: str) -> str:
    """The table of versions of a line."""
    return _VERSIONS.get(line, f"{line}_revision")


def _had(tx: Transaction, name: str, there: Collection[str]) -> set[str]:
    if name not in there:
        return set()
    return {row["version_num"] for row in tx.all(select(column("version_num")).select_from(table(name)))}


def _last(folder: Path) -> set[str] | None:
    """The revisions that no other one follows; None where a file does not say it plainly."""
    said = [dict(_SAID.findall(file.read_text("utf-8"))) for file in folder.glob("*.py") if file.stem != "__init__"]
    if any(len(one) < 2 or not one["revision"] for one in said):
        return None
    return {one["revision"] for one in said} - {one["down_revision"] for one in said}
