"""Places and slots."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal import Exact, Time, Whole

revision = "pickup_0001_first"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pickup_place",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("street", Text(), nullable=False),
        Column("postcode", Text(), nullable=False),
        Column("city", Text(), nullable=False),
        Column("note", Text(), nullable=False),
        Column("timezone", Text(), nullable=False),
        Column("price", Whole, nullable=False),
        Column("vat_rate", Exact(), nullable=True),
        Column("archived_at", Time(), nullable=True),
        Column("version", Whole, nullable=False),
        CheckConstraint("price >= 0", name=op.f("ck_pickup_place_price_not_negative")),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_pickup_place_enterprise_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_pickup_place")),
        sqlite_strict=True,
    )
    op.create_index("ix_pickup_place_enterprise", "pickup_place", ["enterprise_id", "id"], unique=False)
    op.create_table(
        "pickup_slot",
        Column("id", Text(), nullable=False),
        Column("place_id", Text(), nullable=False),
        Column("session_id", Text(), nullable=False),
        Column("begins_at", Time(), nullable=False),
        Column("ends_at", Time(), nullable=False),
        Column("capacity", Whole, nullable=True),
        Column("taken", Whole, nullable=False),
        Column("version", Whole, nullable=False),
        CheckConstraint("ends_at > begins_at", name=op.f("ck_pickup_slot_ends_after_beginning")),
        CheckConstraint(
            "taken >= 0 AND (capacity IS NULL OR taken <= capacity)", name=op.f("ck_pickup_slot_not_overbooked")
        ),
        ForeignKeyConstraint(["place_id"], ["pickup_place.id"], name=op.f("fk_pickup_slot_place_id")),
        ForeignKeyConstraint(["session_id"], ["sale_session.id"], name=op.f("fk_pickup_slot_session_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_pickup_slot")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_pickup_slot_place_id"), "pickup_slot", ["place_id"], unique=False)
    op.create_index("ix_pickup_slot_session", "pickup_slot", ["session_id", "begins_at"], unique=False)
