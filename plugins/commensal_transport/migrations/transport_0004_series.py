"""Trips that come back."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal import Time, Whole

revision = "transport_0004_series"
down_revision = "transport_0003_contacts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "transport_series",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("rhythm", Text(), nullable=False),
        Column("vehicle_id", Text(), nullable=False),
        Column("basis", Text(), nullable=False),
        Column("rule", Text(), nullable=False),
        Column("toll", Whole, nullable=False),
        Column("stop_price", Whole, nullable=False),
        Column("crate_price", Whole, nullable=False),
        Column("starts_at", Time(), nullable=False),
        Column("ends_at", Time(), nullable=False),
        Column("book_until", Time(), nullable=False),
        Column("missed_at", Time(), nullable=True),
        Column("reason", Text(), nullable=False),
        Column("ended_at", Time(), nullable=True),
        CheckConstraint("ends_at > starts_at", name=op.f("ck_transport_series_ends_after_start")),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_transport_series_enterprise_id")),
        ForeignKeyConstraint(["vehicle_id"], ["transport_vehicle.id"], name=op.f("fk_transport_series_vehicle_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_transport_series")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_transport_series_enterprise_id"), "transport_series", ["enterprise_id"], unique=False)
    op.create_index(op.f("ix_transport_series_vehicle_id"), "transport_series", ["vehicle_id"], unique=False)
