"""Stored instances of earlier releases, for tests of upgrades."""

from __future__ import annotations

import gzip
import json
import re
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from commensal.base.clock import SystemClock
from commensal.base.ids import RandomIds
from commensal.instance.instance import DATABASE
from commensal.parts.backups.manifest import Manifest
from commensal.parts.backups.settings import with_database
from commensal.parts.backups.verify import OF_SQLITE
from commensal.storage.database import Store, Transaction

FOLDER = Path(__file__).parent / "releases"
FIRST = "0.2.0"  # whose tables are the baseline
BASELINE = "0078_planned_distribution"  # the newest revision of the core in that release
BEFORE_BASELINE = "0.1.0"  # which 0.2.0 alone can upgrade
RELEASES = sorted(
    folder.name for folder in FOLDER.iterdir() if (folder / "sqlite.zip").exists() and folder.name != BEFORE_BASELINE
)
REWRITTEN: dict[str, set[str]] = {}
"""Columns by table that a revision rewrites."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "val"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty PostgreSQL database; empty for the SQLite file in the instance's folder."""
    if request.param == "sqlite":
        return ""
    database: str = request.getfixturevalue("new_postgresql")("template0")
    return database


def unpack(release: str, folder: Path, url: str = "") -> Manifest:
    """Creates the folder of an instance of the release, with its database: the SQLite file in it, or the empty database
    of PostgreSQL that `url` names. No code of today's version touches it."""
    with zipfile.ZipFile(FOLDER / release / "sqlite.zip") as archive:
        for name in archive.namelist():
            if name not in ("manifest.json", OF_SQLITE):
                archive.extract(name, folder)
        manifest = Manifest.read(archive.read("manifest.json"))
        if not url:
            (folder / DATABASE).write_bytes(archive.read(OF_SQLITE))
            (folder / DATABASE).chmod(0o600)
    settings = folder / "instance.toml"
    settings.write_text(with_database(settings.read_text(encoding="utf-8"), url), encoding="utf-8")
    settings.chmod(0o600)
    if url:
        _load(FOLDER / release / "postgresql.sql.gz", url)
    return manifest


def _load(file: Path, url: str) -> None:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute(gzip.decompress(file.read_bytes()))
    engine.dispose()


def store_of(folder: Path, url: str = "") -> Store:
    """Returns the instance's store, whatever its revisions are."""
    return Store(url or f"sqlite:///{folder / DATABASE}", clock=SystemClock(), ids=RandomIds())


def kept_rows(tx: Transaction) -> dict[str, list[dict[str, Any]]]:
    """Returns every row of every table as JSON values, without the tables of versions."""
    names = [str(row["name"]) for row in tx.all(text(_TABLES_POSTGRESQL if tx.postgresql else _TABLES_SQLITE))]
    return {
        name: [json.loads(json.dumps(dict(row), default=str)) for row in tx.all(text(f'SELECT * FROM "{name}"'))]  # noqa: S608
        for name in names
        if name != "alembic_version" and not name.endswith("_revision")
    }


_TABLES_SQLITE = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
_TABLES_POSTGRESQL = "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"


def tables_with_lost_rows(before: dict[str, list[dict[str, Any]]], after: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Returns the tables that lost a row; new columns, and those that a revision
    rewrites, do not count."""
    return [
        name for name, rows in before.items() if not _contains(rows, after.get(name, []), REWRITTEN.get(name, set()))
    ]


def _contains(rows: list[dict[str, Any]], rows_after: list[dict[str, Any]], rewritten: set[str]) -> bool:
    columns = [name for name in rows[0] if name not in rewritten] if rows else []

    def count(counted: list[dict[str, Any]]) -> Counter[str]:
        return Counter(json.dumps({name: row.get(name) for name in columns}, sort_keys=True) for row in counted)

    return not count(rows) - count(rows_after)


def shape(tx: Transaction) -> list[tuple[Any, ...]]:
    """Returns the schema of the database, as the database describes it."""
    queries = _SHAPE_POSTGRESQL if tx.postgresql else (_SHAPE_SQLITE,)
    return sorted(tuple(map(_folded, row.values())) for query in queries for row in tx.all(text(query)))


def _folded(value: object) -> str:
    """The value without the white space that SQLite keeps of the statement that made a table."""
    return re.sub(r"\s*([()])\s*", r"\1", " ".join(str(value).split()))


_SHAPE_SQLITE = "SELECT type, name, tbl_name, coalesce(sql, '') AS made FROM sqlite_master"
_SHAPE_POSTGRESQL = (
    "SELECT 'column', table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns "
    "WHERE table_schema = 'public'",
    "SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace",
    "SELECT 'trigger', pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "SELECT 'function', proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
)
