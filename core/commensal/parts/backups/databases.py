"""Runs ``pg_dump`` and ``pg_restore``, which alone copy a database of any size quickly and completely."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, ProgrammingError

from ...base.errors import Problem, SettingsError, Several, StoreError
from ...storage.database import Store, Transaction
from ...storage.database.state_mark import OpenDatabase


def dump(tx: Transaction, url: str, file: Path) -> None:
    """Writes the snapshot of `tx`, a reading transaction, in the custom format of ``pg_dump``; others may write on.

    Raises `SettingsError` if the tool is missing, and `StoreError` with the tool's message if it fails.
    """
    tx.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))  # it is idle while pg_dump runs
    snapshot = tx.value(text("SELECT pg_export_snapshot()"))
    _run("pg_dump", url, "--format=custom", f"--snapshot={snapshot}", f"--file={file}")


def load(url: str, file: Path) -> None:
    """Loads a dump into an empty database, in one transaction."""
    with _own_entries(file) as listed:
        _run(
            "pg_restore",
            url,
            "--single-transaction",
            "--exit-on-error",
            "--no-owner",
            "--no-privileges",
            f"--use-list={listed}",
            str(file),
        )


def replace(url: str, file: Path) -> None:
    """Replaces all tables and functions of the database by those of a dump, in one transaction: where it fails or is
    killed, nothing has changed. A script is written beside the dump for a while.

    Raises `SettingsError` if a tool is missing, and `StoreError` with the tool's message.
    """
    script = file.with_suffix(".sql")
    with _own_entries(file) as listed:
        _run("pg_restore", "", "--no-owner", "--no-privileges", f"--use-list={listed}", f"--file={script}", str(file))
    _run(
        "psql",
        url,
        "--no-psqlrc",
        "--quiet",
        "--single-transaction",
        "--set=ON_ERROR_STOP=1",
        f"--command={_DROP}",
        f"--file={script}",
    )
    script.unlink()


@contextmanager
def _own_entries(dump: Path) -> Iterator[Path]:
    """A file that names what is to be restored: all but the extensions, which Commensal needs none of. An administrator
    has made those (amcheck, pg_stat_statements), and the user of an instance may not."""
    entries = _run("pg_restore", "", "--list", str(dump)).splitlines()
    with NamedTemporaryFile("w", encoding="utf-8", prefix=f"{dump.name}.", dir=dump.parent) as listed:
        listed.writelines(f"{entry}\n" for entry in entries if not _OF_EXTENSION.match(entry))
        listed.flush()
        yield Path(listed.name)


_OF_EXTENSION = re.compile(r"\d+; \d+ \d+ (EXTENSION - |COMMENT - EXTENSION )")


# What an extension brought belongs to the extension, and stays.
_DROP = """
DO $$ DECLARE statement text; BEGIN
    FOR statement IN
        SELECT format('DROP TABLE %s CASCADE', oid::regclass) FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
        UNION ALL
        SELECT format('DROP FUNCTION %s CASCADE', oid::regprocedure) FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
    LOOP EXECUTE statement; END LOOP;
END $$"""


def refuse_unreadable(file: Path) -> None:
    """Raises `StoreError` if ``pg_restore`` cannot read the dump's table of contents."""
    _run("pg_restore", "", "--list", str(file))


def require_tools() -> None:
    """Raises `SettingsError` if ``pg_dump``, ``pg_restore`` or ``psql`` is not installed."""
    for program in ("pg_dump", "pg_restore", "psql"):
        if shutil.which(program) is None:
            text = (
                "{program} is not installed; on Debian it is in the package postgresql-client "
                "(the same major version as the server, or a later one)."
            )
            raise SettingsError(text, program=program)


def may_make_databases(store: Store) -> bool:
    """Whether this user may create a temporary database, into which a dump is loaded to check it."""
    with store.read() as tx:
        query = text("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
        return bool(tx.value(query))


@contextmanager
def temporary_database(url: str, name: str) -> Iterator[str]:
    """Creates an empty database on the server of `url`, and drops it at the end of the block. Yields its URL.

    Raises `StoreError` if this user has no permission.
    """
    address = make_url(url).set(drivername="postgresql+psycopg")
    engine = create_engine(address, isolation_level="AUTOCOMMIT", hide_parameters=True)
    try:
        with engine.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE template0'))
        try:
            yield address.set(database=name).render_as_string(hide_password=False)
        finally:
            with engine.connect() as connection:
                connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", "") != "42501":
            raise
        raise StoreError(
            "The test restores into a temporary database, and this user may make none: "
            "ALTER USER {user} CREATEDB allows it.",
            user=address.username,
        ) from error
    except DBAPIError as error:
        raise StoreError("PostgreSQL: {error}", error=error.orig) from error
    finally:
        engine.dispose()


def split_password(address: URL) -> tuple[URL, str]:
    """The address as libpq reads it, without its password, and the password; "" if there is none."""
    query_password = address.query.get("password", "")
    bare = URL.create(
        "postgresql",
        username=address.username,
        host=address.host,
        port=address.port,
        database=address.database,
        query={key: value for key, value in address.query.items() if key not in ("password", "sslpassword")},
    )
    return bare, str(address.password or "") or (
        query_password if isinstance(query_password, str) else query_password[-1]
    )


def _run(program: str, url: str, *arguments: str) -> str:
    """Runs a tool, and returns what it printed. Its password is passed in the environment, because other users can
    read command lines."""
    require_tools()
    environment = dict(os.environ)
    if url:
        bare, password = split_password(make_url(url))
        if password:
            environment["PGPASSWORD"] = password
        arguments = ("--no-password", f"--dbname={bare.render_as_string()}", *arguments)
    command = [str(shutil.which(program)), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)  # noqa: S603
    if result.returncode != 0:
        message = result.stderr.strip()[-2000:]
        text = "{program} failed: {said}"
        if "mismatch" in message:
            text = "{program} failed: {said} Install the package postgresql-client of the server's major version."
        raise StoreError(text, program=program, said=message)
    return result.stdout


# Copies and checks SQLite databases. To copy only the file would lose the transactions in its journal.


def snapshot(file: Path, copy: Path) -> None:
    """Writes a consistent copy of the database in `file` (mode 0600), while others write on. Raises `StoreError`,
    and `Unavailable` while others have a write-ahead log open that was deleted: the copy would lack what is in it, and
    make a new one, by which nobody notices that any more.

    ``VACUUM INTO`` reads one snapshot and waits for no writer.
    """
    if not file.exists():
        raise StoreError("There is no database {file}.", file=file)
    OpenDatabase(file).refuse_if_others_have_a_deleted_log()
    os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # SQLite accepts an empty file
    try:
        with closing(sqlite3.connect(file, isolation_level=None, timeout=10)) as source:
            source.execute("VACUUM INTO ?", (str(copy),))
    except sqlite3.Error as error:
        raise StoreError("{file} cannot be copied: {error}", file=file, error=error) from error


def refuse_damaged(file: Path) -> None:
    """Raises `StoreError` with SQLite's messages if the database is damaged or has dangling foreign keys."""
    try:
        with closing(sqlite3.connect(file, isolation_level=None)) as database:
            messages: list[object] = [row[0] for row in database.execute("PRAGMA integrity_check")]
            messages += _orphans(database)
    except sqlite3.Error as error:
        raise StoreError("The database is damaged: {error}", error=error) from error
    if messages != ["ok"]:
        raise StoreError("The database is damaged: {error}", error=Several(messages[:5]))


def _orphans(database: sqlite3.Connection) -> list[Problem]:
    text = "{table} refers to a {other} that is not there"
    orphans = database.execute("PRAGMA foreign_key_check").fetchmany(5)
    return [Problem("orphan", text, values={"table": table, "other": other}) for table, _, other, _ in orphans]
