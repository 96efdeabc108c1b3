"""Looks for damaged pages of tables and indexes: in a file of SQLite, and where PostgreSQL's extension ``amcheck`` may
be used.

Without checksums a damaged page can look like a good one, and a damaged index hides rows without an error:
https://www.postgresql.org/docs/current/amcheck.html, https://www.sqlite.org/pragma.html#pragma_integrity_check
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError

from ...base.errors import Problem, Several, Unavailable
from ...storage.database import Store, Transaction
from ...storage.database.errors import DAMAGED_FILE, shows_damage

_MAY_LOOK = text("""
SELECT bool_and(coalesce(has_function_privilege(to_regprocedure(name), 'EXECUTE'), false)) FROM unnest(ARRAY[
    'bt_index_check(regclass, boolean)', 'verify_heapam(regclass, boolean, boolean, text, bigint, bigint)']) AS name
""")
_TABLES = text("""
SELECT oid, oid::regclass::text AS name FROM pg_class
WHERE relnamespace IN (current_schema()::regnamespace, 'pg_toast'::regnamespace) AND relpersistence = 'p'
AND relkind IN ('r', 't') ORDER BY name
""")
_INDEXES = text("""
SELECT pg_class.oid, pg_class.oid::regclass::text AS name, indrelid AS table
FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid JOIN pg_am ON pg_am.oid = relam AND amname = 'btree'
WHERE relnamespace IN (current_schema()::regnamespace, 'pg_toast'::regnamespace) AND relpersistence = 'p'
AND indisvalid ORDER BY name
""")
_IN_FILE = text("PRAGMA integrity_check(5)")
_IN_TABLE = text("SELECT blkno, msg FROM verify_heapam(:oid, check_toast => true) LIMIT 1")
# Looks also whether every row of the table is in the index, and raises what it finds.
_IN_INDEX = text("SELECT bt_index_check(:oid, true), '' AS msg")


def damaged_pages(store: Store) -> Iterator[Problem]:
    """The first damage of each table and index, with what to do. Reads the whole database, beside which others may
    write. Nothing on PostgreSQL where this user may not use ``amcheck``."""
    with store.read() as tx:
        if not tx.postgresql:
            yield from _damaged_file(tx)
            return
        if not tx.value(_MAY_LOOK):
            return
        tables, indexes = tx.all(_TABLES), tx.all(_INDEXES)
    damaged_tables = set[int]()
    for table in tables:
        if damage := _first_damage(store, _IN_TABLE, table["oid"]):
            damaged_tables.add(table["oid"])
            message = (
                "The table {name} is damaged: {damage}. Look at the disk of PostgreSQL, keep its data, and restore the "
                "newest backup into a new database (`commensal restore`)."
            )
            yield Problem("damaged_table", message, values={"name": table["name"], "damage": damage})
    for index in indexes:  # of a damaged table there is none to compare with
        if index["table"] not in damaged_tables and (damage := _first_damage(store, _IN_INDEX, index["oid"])):
            message = (
                "The index {name} is damaged: {damage}. Look at the disk of PostgreSQL; `REINDEX INDEX {name}` in psql "
                "makes the index anew."
            )
            yield Problem("damaged_index", message, values={"name": index["name"], "damage": damage})


def _damaged_file(tx: Transaction) -> Iterator[Problem]:
    try:
        damages = [str(row["integrity_check"]) for row in tx.all(_IN_FILE)]
    except DBAPIError as error:
        if not shows_damage(error):
            raise
        damages = [str(error.orig)]
    if damages != ["ok"]:
        values = {"damage": Several(damages), "advice": DAMAGED_FILE}
        yield Problem("damaged_file", "Damaged pages: {damage}. {advice}", values=values)


def _first_damage(store: Store, statement: TextClause, oid: int) -> str:
    """What PostgreSQL says of it; "" if all is well."""
    try:
        with store.read() as tx:
            damage = tx.first(statement, {"oid": oid})
    except Unavailable as error:
        if not shows_damage(error):
            raise
        return str(error.values["why"])
    return f"{damage['msg']} (block {damage['blkno']})" if damage and damage["msg"] else ""
