"""The audit trail."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, PrimaryKeyConstraint, Text

from commensal.storage.database.append_only import append_only_ddl, trail_ddl
from commensal.storage.database.types import Json, Time, Whole

revision = "0015_audit"
down_revision = "0014_sale_opening"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        Column("id", Text(), nullable=False),
        Column("at", Time(), nullable=False),
        Column("enterprise_id", Text(), nullable=True),
        Column("actor", Text(), nullable=False),
        Column("person_id", Text(), nullable=True),
        Column("token_id", Text(), nullable=True),
        Column("request_id", Text(), nullable=False),
        Column("command", Text(), nullable=False),
        Column("action", Text(), nullable=False),
        Column("object_kind", Text(), nullable=False),
        Column("object_id", Text(), nullable=False),
        Column("rows", Whole, nullable=False),
        Column("fields", Json(), nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        sqlite_strict=True,
    )
    op.create_index("ix_audit_entry_enterprise", "audit_entry", ["enterprise_id", "id"], unique=False)
    op.create_index("ix_audit_entry_person", "audit_entry", ["person_id", "id"], unique=False)
    op.create_index("ix_audit_entry_object", "audit_entry", ["object_kind", "object_id", "id"], unique=False)
    op.create_table(
        "audit_expiry",
        Column("id", Text(), nullable=False),
        Column("at", Time(), nullable=False),
        Column("before", Time(), nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_audit_expiry")),
        sqlite_strict=True,
    )
    dialect = op.get_bind().dialect.name
    for statement in (*append_only_ddl("audit_expiry", dialect), *trail_ddl(dialect)):
        op.execute(statement)
