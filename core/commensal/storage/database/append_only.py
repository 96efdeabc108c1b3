"""Append-only tables: triggers of the database refuse to change or delete their rows."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import DDL, Table, event

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
