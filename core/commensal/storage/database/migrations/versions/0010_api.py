"""First tables of api."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, PrimaryKeyConstraint, Text

from commensal.storage.database.types import Json, Time, Whole

revision = "0010_api"
down_revision = "0009_jobs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "idempotent_answer",
        Column("actor", Text(), nullable=False),
        Column("key", Text(), nullable=False),
        Column("request_hash", Text(), nullable=False),
        Column("status", Whole, nullable=True),
        Column("headers", Json(), nullable=True),
        Column("body", Text(), nullable=True),
        Column("created_at", Time(), nullable=False),
        PrimaryKeyConstraint("actor", "key", name=op.f("pk_idempotent_answer")),
        sqlite_strict=True,
    )
    op.create_index("ix_idempotent_answer_created", "idempotent_answer", ["created_at"], unique=False)
