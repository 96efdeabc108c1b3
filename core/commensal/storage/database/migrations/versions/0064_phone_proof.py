"""Telephone numbers that a code proves, before short messages go there."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal.storage.database.types import Time, Whole

revision = "0064_phone_proof"
down_revision = "0063_provider_sessions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "phone_proof",
        Column("person_id", Text(), nullable=False),
        Column("plugin", Text(), nullable=False),
        Column("phone", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("code_hash", Text(), nullable=True),
        Column("tries", Whole, nullable=False),
        Column("asked_at", Time(), nullable=False),
        Column("proven_at", Time(), nullable=True),
        ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_phone_proof_person_id_person")),
        ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_phone_proof_enterprise_id_enterprise")
        ),
        PrimaryKeyConstraint("person_id", "plugin", "phone", name=op.f("pk_phone_proof")),
        sqlite_strict=True,
    )
    op.create_index("ix_phone_proof_phone", "phone_proof", ["phone", "asked_at"])
    op.create_index("ix_phone_proof_enterprise", "phone_proof", ["enterprise_id", "asked_at"])
