"""Marks of tables and columns, for the audit trail, for the erasure of personal data, and for a clock that was wrong.

    Column("email", Text, nullable=False, info=PERSONAL)
    Table("cart_line", metadata, …, info=untraced("what lies in a cart is a wish"))

A table without marks is traced with all its columns, so that nothing new is left out by oversight.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import DDL, Column, Table, event

# Personal data: it identifies somebody, or was written by or about them. Never copied into the audit trail; blanked
# when the person is forgotten.
PERSONAL: dict[str, object] = {"personal": True}

# A credential. Never copied anywhere.
SECRET: dict[str, object] = {"secret": True}

# Follows from other columns or from a journal, where its changes are recorded.
DERIVED: dict[str, object] = {"derived": True}

# Only changes on behalf of an enterprise, or from the shell, are traced. Customers' own changes are none of an audit
# trail's business, and must cost them no statement.
ON_BEHALF: dict[str, object] = {"on_behalf": True}

# Rows hold settings of the plugin that their column `plugin` names; some of them are secret.
PLUGIN_SETTINGS: dict[str, object] = {"plugin_settings": True}


def untraced(reason: str) -> dict[str, object]:
    """Marks a table whose changes are not traced; `reason` says why, in a sentence."""
    return {"untraced": reason}


def at_most_ahead(longest: timedelta) -> dict[str, object]:
    """Marks a moment, such as that of the next try, that is never written further ahead of the clock than `longest`.

    One that lies further ahead was written by a clock that was wrong: see `jobs.bringing_forward`.
    """
    return {"at_most_ahead": longest}


def most_ahead(column: Column[object]) -> timedelta | None:
    """The longest time that the column's moments may lie ahead of the clock; None: any."""
    longest = column.info.get("at_most_ahead")
    return longest if isinstance(longest, timedelta) else None


def is_personal(column: Column[object]) -> bool:
    return bool(column.info.get("personal"))


def is_hidden(column: Column[object]) -> bool:
    """Whether an audit trail notes only that the column changed, and not its values."""
    return is_personal(column) or bool(column.info.get("secret"))


def is_derived(column: Column[object]) -> bool:
    return bool(column.info.get("derived")) or column.name in ("version", "search")


def why_untraced(table: Table) -> str:
    return str(table.info.get("untraced", ""))


def is_on_behalf(table: Table) -> bool:
    return bool(table.info.get("on_behalf"))


def holds_plugin_settings(table: Table) -> bool:
    return bool(table.info.get("plugin_settings"))


# Append-only tables: triggers of the database refuse to change or delete their rows.

# One function serves all such tables of a PostgreSQL database.
_FUNCTION = """CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% only grows', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$"""

# Entries of the audit trail may be deleted once their expiry was recorded.
_TRAIL_FUNCTION = """CREATE OR REPLACE FUNCTION keep_audit_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF EXISTS (SELECT 1 FROM audit_expiry WHERE audit_expiry.before > OLD.at) THEN RETURN OLD; END IF;
  END IF;
  RAISE EXCEPTION 'audit_entry only grows' USING ERRCODE = 'restrict_violation';
END $$"""


def append_only(table: Table, *, blanked: str = "") -> Table:
    """Makes `table` append-only when it is created from its metadata, and returns it. Migrations run `append_only_ddl`.

    `blanked` names a text column that may still be set to "", so that a person's data can be erased.
    """
    others = [column.name for column in table.c if column.name != blanked]
    for dialect in ("sqlite", "postgresql"):
        for statement in append_only_ddl(table.name, dialect, blanked=blanked, others=others):
            ddl = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]
            event.listen(table, "after_create", ddl.execute_if(dialect=dialect))
    return table


def append_only_ddl(table: str, dialect: str, *, blanked: str = "", others: Sequence[str] = ()) -> tuple[str, ...]:
    """The statements that make `table` append-only, for ``sqlite`` or ``postgresql``.

    `blanked` names a text column that may still be set to ""; then `others` are the names of all other columns.
    """
    update_columns = f" OF {', '.join(others)}" if blanked else ""
    if dialect == "sqlite":
        refuse = f"BEGIN SELECT RAISE(ABORT, '{table} only grows'); END"
        only_blanks = (
            f"CREATE TRIGGER {table}_only_blanks BEFORE UPDATE OF {blanked} ON {table} WHEN NEW.{blanked} <> ''"
        )
        return (
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE{update_columns} ON {table} {refuse}",
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}",
            *([f"{only_blanks} {refuse}"] if blanked else []),
        )
    refuse = "EXECUTE FUNCTION refuse_change()"
    only_blanks = f"CREATE TRIGGER {table}_only_blanks BEFORE UPDATE OF {blanked} ON {table} FOR EACH ROW"
    return (
        _FUNCTION,
        f"CREATE TRIGGER {table}_only_grows BEFORE UPDATE{update_columns} OR DELETE ON {table} FOR EACH ROW {refuse}",
        f"CREATE TRIGGER {table}_not_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {refuse}",
        *([f"{only_blanks} WHEN (NEW.{blanked} <> '') {refuse}"] if blanked else []),
    )


def trail_ddl(dialect: str) -> tuple[str, ...]:
    """Returns the statements that make the database refuse changes of `audit_entry`, for ``sqlite`` or
    ``postgresql``."""
    if dialect == "sqlite":
        refuse = "BEGIN SELECT RAISE(ABORT, 'audit_entry only grows'); END"
        expired = "EXISTS (SELECT 1 FROM audit_expiry WHERE audit_expiry.before > OLD.at)"
        return (
            f"CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry {refuse}",
            f"CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry WHEN NOT {expired} {refuse}",
        )
    return (
        _TRAIL_FUNCTION,
        "CREATE TRIGGER audit_entry_only_grows BEFORE UPDATE OR DELETE ON audit_entry "
        "FOR EACH ROW EXECUTE FUNCTION keep_audit_entry()",
        "CREATE TRIGGER audit_entry_not_emptied BEFORE TRUNCATE ON audit_entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION keep_audit_entry()",
    )
