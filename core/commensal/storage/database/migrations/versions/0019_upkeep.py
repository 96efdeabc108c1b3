"""When an instance was to back itself up, and when it had."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, PrimaryKeyConstraint, Text

from commensal.storage.database.types import Time

revision = "0019_upkeep"
down_revision = "0018_travelling"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "upkeep",
        Column("kind", Text(), nullable=False),
        Column("due_at", Time(), nullable=False),
        Column("promised_at", Time(), nullable=False),
        Column("job_id", Text(), nullable=False),
        Column("done_at", Time(), nullable=True),
        CheckConstraint("kind IN ('backup', 'backup_trial')", name=op.f("ck_upkeep_kind_known")),
        PrimaryKeyConstraint("kind", "due_at", name=op.f("pk_upkeep")),
        sqlite_strict=True,
    )
