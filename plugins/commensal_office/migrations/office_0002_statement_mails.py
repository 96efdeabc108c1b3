"""Statements that suppliers were mailed."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal import Time, Whole

revision = "office_0002_statement_mails"
down_revision = "office_0001_conflicts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "office_statement_mail",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("session_id", Text(), nullable=False),
        Column("supplier_id", Text(), nullable=False),
        Column("owed", Whole, nullable=False),
        Column("paid", Whole, nullable=False),
        Column("at", Time(), nullable=False),
        Column("person_id", Text(), nullable=False),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_office_statement_mail_enterprise_id")),
        ForeignKeyConstraint(["session_id"], ["sale_session.id"], name=op.f("fk_office_statement_mail_session_id")),
        ForeignKeyConstraint(["supplier_id"], ["enterprise.id"], name=op.f("fk_office_statement_mail_supplier_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_office_statement_mail")),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_office_statement_mail_session", "office_statement_mail", ["enterprise_id", "session_id", "supplier_id"]
    )
