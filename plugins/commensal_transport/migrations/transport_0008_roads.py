"""Distances by road, as they were measured, and by what those of a trip were."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, PrimaryKeyConstraint, Text

from commensal import Time, Whole

revision = "transport_0008_roads"
down_revision = "transport_0007_most"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("transport_trip", Column("measured", Text(), nullable=False, server_default="great-circle-1.3"))
    op.create_table(
        "transport_road",
        Column("origin", Text(), nullable=False),
        Column("destination", Text(), nullable=False),
        Column("metres", Whole, nullable=True),
        Column("seconds", Whole, nullable=True),
        Column("source", Text(), nullable=False),
        Column("measured_at", Time(), nullable=False),
        PrimaryKeyConstraint("origin", "destination", name=op.f("pk_transport_road")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_transport_road_destination"), "transport_road", ["destination"], unique=False)
