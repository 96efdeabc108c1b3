"""The rides of each sale, and the places that orders have on them."""

from alembic import op
from commensal import Whole
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

revision = "cargo_bike_0001_first"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "cargo_bike_ride",
        Column("session_id", Text(), nullable=False),
        Column("option", Text(), nullable=False),
        Column("orders", Whole, nullable=False),
        ForeignKeyConstraint(["session_id"], ["sale_session.id"], name=op.f("fk_cargo_bike_ride_session_id")),
        PrimaryKeyConstraint("session_id", "option", name=op.f("pk_cargo_bike_ride")),
        sqlite_strict=True,
    )
    op.create_table(
        "cargo_bike_place",
        Column("order_id", Text(), nullable=False),
        Column("session_id", Text(), nullable=False),
        Column("option", Text(), nullable=False),
        PrimaryKeyConstraint("order_id", name=op.f("pk_cargo_bike_place")),
        sqlite_strict=True,
    )
