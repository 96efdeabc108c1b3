"""Tables that only grow: the database itself refuses to change or delete their rows."""

from __future__ import annotations

from sqlalchemy import DDL, Table, event

# One function serves all such tables of a PostgreSQL database.
_FUNCTION = """CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% only grows', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$"""


def append_only(table: Table) -> Table:
    """Makes `table` append-only wherever it is created from its metadata. Migrations run `append_only_ddl`."""
    for dialect in ("sqlite", "postgresql"):
        for statement in append_only_ddl(table.name, dialect):
            ddl = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]
            event.listen(table, "after_create", ddl.execute_if(dialect=dialect))
    return table


def append_only_ddl(table: str, dialect: str) -> tuple[str, ...]:
    """The statements that make `table` append-only, for ``sqlite`` or ``postgresql``."""
    if dialect == "sqlite":
        return tuple(
            f"CREATE TRIGGER {table}_no_{change} BEFORE {change.upper()} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} only grows'); END"
            for change in ("update", "delete")
        )
    return (
        _FUNCTION,
        f"CREATE TRIGGER {table}_only_grows BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        f"CREATE TRIGGER {table}_not_emptied BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    )
