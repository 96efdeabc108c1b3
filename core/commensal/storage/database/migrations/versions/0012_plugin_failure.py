"""Failures of plugins are counted."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, PrimaryKeyConstraint, Text

from commensal.storage.database.types import Time, Whole

revision = "0012_plugin_failure"
down_revision = "0011_codes_and_address"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plugin_failure",
        Column("plugin", Text(), nullable=False),
        Column("hook", Text(), nullable=False),
        Column("count", Whole, nullable=False),
        Column("what", Text(), nullable=False),
        Column("last_at", Time(), nullable=False),
        PrimaryKeyConstraint("plugin", "hook", name=op.f("pk_plugin_failure")),
        sqlite_strict=True,
    )
