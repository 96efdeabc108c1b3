"""The hour and the day of a mailbox stand in one row. Counts are of one day at most, so they begin anew."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, PrimaryKeyConstraint, Text

from commensal.storage.database.types import Time, Whole

revision = "0035_mailbox_windows"
down_revision = "0034_plugin_fields"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("mailbox_count")
    op.create_table(
        "mailbox_count",
        Column("mailbox", Text(), nullable=False),
        Column("about", Text(), nullable=False),
        Column("hour_began_at", Time(), nullable=False),
        Column("hour_sent", Whole, nullable=False),
        Column("day_began_at", Time(), nullable=False),
        Column("day_sent", Whole, nullable=False),
        PrimaryKeyConstraint("mailbox", "about", name=op.f("pk_mailbox_count")),
        sqlite_strict=True,
    )
    op.create_index("ix_mailbox_count_day_began_at", "mailbox_count", ["day_began_at"])
