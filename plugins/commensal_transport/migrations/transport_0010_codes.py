"""Codes that prove a hand-over."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

revision = "transport_0010_codes"
down_revision = "transport_0009_empties"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "transport_code",
        Column("booking_id", Text(), nullable=False),
        Column("step", Text(), nullable=False),
        Column("digest", Text(), nullable=False),
        Column("secret", Text(), nullable=True),
        ForeignKeyConstraint(["booking_id"], ["transport_booking.id"], name=op.f("fk_transport_code_booking_id")),
        PrimaryKeyConstraint("booking_id", "step", name=op.f("pk_transport_code")),
        CheckConstraint("step IN ('pick_up', 'deliver')", name=op.f("ck_transport_code_known_step")),
        sqlite_strict=True,
    )
    for table in ("transport_event", "transport_conflict"):
        op.add_column(table, Column("code", Text, nullable=True))
