"""Names that accounts must keep of people who were forgotten; e-mail addresses that wait to be proved."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal.storage.database.types import Json, Time

revision = "0016_privacy"
down_revision = "0015_audit"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "retained_identity",
        Column("order_id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("email", Text(), nullable=False),
        Column("address", Json(), nullable=True),
        Column("forgotten_at", Time(), nullable=False),
        Column("keep_until", Time(), nullable=False),
        ForeignKeyConstraint(["order_id"], ["customer_order.id"], name=op.f("fk_retained_identity_order_id")),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_retained_identity_enterprise_id")),
        PrimaryKeyConstraint("order_id", name=op.f("pk_retained_identity")),
        sqlite_strict=True,
    )
    op.create_index("ix_retained_identity_keep_until", "retained_identity", ["keep_until"], unique=False)
    op.create_index("ix_retained_identity_enterprise", "retained_identity", ["enterprise_id"], unique=False)
    op.create_table(
        "email_change",
        Column("person_id", Text(), nullable=False),
        Column("email", Text(), nullable=False),
        Column("hash", Text(), nullable=False),
        Column("asked_at", Time(), nullable=False),
        Column("expires_at", Time(), nullable=False),
        ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_email_change_person_id")),
        PrimaryKeyConstraint("person_id", name=op.f("pk_email_change")),
        sqlite_strict=True,
    )
    op.create_index("ix_email_change_expires_at", "email_change", ["expires_at"], unique=False)
