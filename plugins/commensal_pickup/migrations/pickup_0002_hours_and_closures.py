"""Opening hours, closures, and calendars of places."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal import Json

revision = "pickup_0002_hours_and_closures"
down_revision = "pickup_0001_first"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("pickup_place", Column("hours", Json(), server_default="[]", nullable=False))
    op.create_table(
        "pickup_closure",
        Column("id", Text(), nullable=False),
        Column("place_id", Text(), nullable=False),
        Column("first_day", Text(), nullable=False),
        Column("last_day", Text(), nullable=False),
        Column("reason", Text(), nullable=False),
        CheckConstraint("last_day >= first_day", name=op.f("ck_pickup_closure_ends_after_beginning")),
        ForeignKeyConstraint(["place_id"], ["pickup_place.id"], name=op.f("fk_pickup_closure_place_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_pickup_closure")),
        sqlite_strict=True,
    )
    op.create_index("ix_pickup_closure_place", "pickup_closure", ["place_id", "last_day"], unique=False)
    op.create_table(
        "pickup_calendar",
        Column("place_id", Text(), nullable=False),
        Column("secret_hash", Text(), nullable=False),
        ForeignKeyConstraint(["place_id"], ["pickup_place.id"], name=op.f("fk_pickup_calendar_place_id")),
        PrimaryKeyConstraint("place_id", name=op.f("pk_pickup_calendar")),
        UniqueConstraint("secret_hash", name=op.f("uq_pickup_calendar_secret_hash")),
        sqlite_strict=True,
    )
    # In one piece: SQLite adds a column with what it refers to, but no constraint to a table that is there.
    op.execute(
        "ALTER TABLE pickup_slot ADD COLUMN closure_id TEXT"
        " CONSTRAINT fk_pickup_slot_closure_id REFERENCES pickup_closure (id)"
    )
    op.create_index(op.f("ix_pickup_slot_closure_id"), "pickup_slot", ["closure_id"], unique=False)
