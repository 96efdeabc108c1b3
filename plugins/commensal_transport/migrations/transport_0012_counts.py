"""What each side says where counts differ, and how many prices a peer asks for in a day."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal import Time, Whole, append_only_ddl

revision = "transport_0012_counts"
down_revision = "transport_0011_photos"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "transport_count",
        Column("id", Text(), nullable=False),
        Column("booking_id", Text(), nullable=False),
        Column("side", Text(), nullable=False),
        Column("number", Whole, nullable=False),
        Column("loaded", Whole, nullable=True),
        Column("unloaded", Whole, nullable=True),
        Column("reason", Text(), nullable=False),
        Column("at", Time, nullable=False),
        ForeignKeyConstraint(["booking_id"], ["transport_booking.id"], name=op.f("fk_transport_count_booking_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_transport_count")),
        CheckConstraint("side IN ('carrier', 'sender', 'receiver')", name=op.f("ck_transport_count_known_side")),
        CheckConstraint("loaded IS NOT NULL OR unloaded IS NOT NULL", name=op.f("ck_transport_count_says_something")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_transport_count_booking_id"), "transport_count", ["booking_id"])
    for statement in append_only_ddl("transport_count", op.get_bind().dialect.name):
        op.execute(statement)
    op.create_table(
        "transport_asked",
        Column("peer_id", Text(), nullable=False),
        Column("day", Text(), nullable=False),
        Column("number", Whole, nullable=False),
        PrimaryKeyConstraint("peer_id", name=op.f("pk_transport_asked")),
        sqlite_strict=True,
    )
