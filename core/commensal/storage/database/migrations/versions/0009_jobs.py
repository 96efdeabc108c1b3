"""First tables of jobs."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, PrimaryKeyConstraint, Text

from commensal.storage.database.types import Json, Time, Whole

revision = "0009_jobs"
down_revision = "0008_payments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job",
        Column("id", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("payload", Json(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("due_at", Time(), nullable=False),
        Column("attempts", Whole, nullable=False),
        Column("claimed_until", Time(), nullable=True),
        Column("error", Text(), nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("finished_at", Time(), nullable=True),
        CheckConstraint("state IN ('waiting', 'running', 'done', 'parked')", name=op.f("ck_job_state_known")),
        PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sqlite_strict=True,
    )
    op.create_index("ix_job_due", "job", ["state", "due_at"], unique=False)
    op.create_table(
        "job_slot",
        Column("name", Text(), nullable=False),
        Column("slot", Time(), nullable=False),
        PrimaryKeyConstraint("name", "slot", name=op.f("pk_job_slot")),
        sqlite_strict=True,
    )
