"""Brings a database to the shape this version and its plugins expect, one revision and one transaction at a time.

The core's revisions and each plugin's form branches of their own (Alembic: one label for each), so that a plugin can
come and go without the others noticing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy.engine import Connection

from ..errors import StoreError
from .store import Store

_HERE = Path(__file__).parent / "migrations"


def migrate(store: Store, plugins: Mapping[str, Path]) -> list[str]:
    """Runs what is missing and returns the revisions that ran. `plugins` maps an id to its folder of revisions.

    Raises `StoreError` for a database that a newer version has written.
    """
    ran: list[str] = []
    config = _config(plugins)
    for revision in _missing(store, config):
        with store.write() as tx:
            config.attributes["connection"] = tx.connection
            command.upgrade(config, revision)
        ran.append(revision)
    return ran


def missing_revisions(store: Store, plugins: Mapping[str, Path]) -> list[str]:
    """Revisions that this version knows and the database has not had. Raises `StoreError` where it is newer."""
    return _missing(store, _config(plugins))


def _config(plugins: Mapping[str, Path]) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    folders = [_HERE / "versions", *plugins.values()]
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(map(str, folders)))
    return config


def _missing(store: Store, config: Config) -> list[str]:
    scripts = ScriptDirectory.from_config(config)
    with store.read() as tx:
        had = _had(tx.connection)
    known = {script.revision: script for script in scripts.walk_revisions()}
    unknown = [revision for revision in had if revision not in known]
    if unknown:
        raise StoreError(
            f"The database has had {', '.join(unknown)}, which this version or its plugins do not know. "
            "Install the version that wrote it, or enable the plugin again."
        )
    try:
        done = {script.revision for head in had for script in scripts.iterate_revisions(head, "base")}
    except CommandError as error:
        raise StoreError(str(error)) from error
    return [revision for revision in reversed(list(known)) if revision not in done]


def _had(connection: Connection) -> tuple[str, ...]:
    return MigrationContext.configure(connection).get_current_heads()
