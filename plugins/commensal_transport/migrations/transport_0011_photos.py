"""Photographs at a hand-over."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal import Time

revision = "transport_0011_photos"
down_revision = "transport_0010_codes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "transport_photo",
        Column("booking_id", Text(), nullable=False),
        Column("digest", Text(), nullable=False),
        Column("content", Text(), nullable=False),
        Column("kept_at", Time(), nullable=False),
        ForeignKeyConstraint(["booking_id"], ["transport_booking.id"], name=op.f("fk_transport_photo_booking_id")),
        PrimaryKeyConstraint("booking_id", "digest", name=op.f("pk_transport_photo")),
        sqlite_strict=True,
    )
    op.add_column("transport_event", Column("photo", Text, nullable=True))
