"""Pages that answered a form, kept for a while so that going back and reloading show them without sending it again."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, PrimaryKeyConstraint, Text

from commensal.storage.database.types import Time

revision = "0025_shown_pages"
down_revision = "0024_identity"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shown_page",
        Column("id_hash", Text(), nullable=False),
        Column("sealed", Text(), nullable=False),
        Column("expires_at", Time(), nullable=False),
        PrimaryKeyConstraint("id_hash", name=op.f("pk_shown_page")),
        sqlite_strict=True,
    )
    op.create_index("ix_shown_page_expires_at", "shown_page", ["expires_at"])
