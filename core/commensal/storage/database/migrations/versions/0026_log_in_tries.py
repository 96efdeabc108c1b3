"""Tries to log in counted by account and network, and browsers that have a count of their own.

What was counted before is forgotten: it lasts for a day at most.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal.storage.database.types import Time, Whole

revision = "0026_log_in_tries"
down_revision = "0025_shown_pages"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("log_in_failure")
    op.create_table(
        "log_in_failure",
        Column("email_hash", Text(), nullable=False),
        Column("source", Text(), nullable=False),
        Column("failures", Whole, nullable=False),
        Column("last_at", Time(), nullable=False),
        Column("next_at", Time(), nullable=False),
        PrimaryKeyConstraint("email_hash", "source", name=op.f("pk_log_in_failure")),
        sqlite_strict=True,
    )
    op.create_index("ix_log_in_failure_last_at", "log_in_failure", ["last_at"])
    op.create_table(
        "known_browser",
        Column("hash", Text(), nullable=False),
        Column("person_id", Text(), nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("expires_at", Time(), nullable=False),
        ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_known_browser_person_id_person")),
        PrimaryKeyConstraint("hash", name=op.f("pk_known_browser")),
        sqlite_strict=True,
    )
    op.create_index("ix_known_browser_person_id", "known_browser", ["person_id"])
    op.create_index("ix_known_browser_expires_at", "known_browser", ["expires_at"])
