"""What drivers note on a telephone: when, and what contradicts what is known."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal import Exact, Time, Whole

revision = "transport_0005_noted"
down_revision = "transport_0004_series"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("transport_event", Column("noted_at", Time(), nullable=True))
    op.create_table(
        "transport_conflict",
        Column("id", Text(), nullable=False),
        Column("booking_id", Text(), nullable=False),
        Column("event", Text(), nullable=False),
        Column("crates", Whole, nullable=True),
        Column("celsius", Exact(), nullable=True),
        Column("note", Text(), nullable=False),
        Column("noted_at", Time(), nullable=False),
        Column("recorded_at", Time(), nullable=False),
        Column("person_id", Text(), nullable=False),
        Column("settled_at", Time(), nullable=True),
        Column("settled_by", Text(), nullable=True),
        ForeignKeyConstraint(["booking_id"], ["transport_booking.id"], name=op.f("fk_transport_conflict_booking_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_transport_conflict")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_transport_conflict_booking_id"), "transport_conflict", ["booking_id"], unique=False)
