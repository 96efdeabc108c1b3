"""Prices from elsewhere are followed near what a person has accepted; others wait for an answer."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, PrimaryKeyConstraint, Text

from commensal import Flag, Json, Time, Whole

revision = "federation_0040_followed_prices"
down_revision = "federation_0039_prices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "federation_followed_price",
        Column("enterprise_id", Text(), nullable=False),
        Column("product_id", Text(), nullable=False),
        Column("source_id", Text(), nullable=False),
        Column("accepted_price", Whole, nullable=False),
        Column("accepted_categories", Json, nullable=False),
        Column("price", Whole, nullable=False),
        Column("asked_price", Whole, nullable=True),
        Column("asked_selling", Whole, nullable=True),
        Column("asked_categories", Json, nullable=False),
        Column("reason", Text(), nullable=False),
        Column("asked_at", Time, nullable=True),
        Column("kept_off", Flag, nullable=False),
        Column("hidden_items", Json, nullable=False),
        CheckConstraint(
            "reason IN ('', 'band', 'cost', 'allowance')", name=op.f("ck_federation_followed_price_reason_known")
        ),
        PrimaryKeyConstraint("enterprise_id", "product_id", name=op.f("pk_federation_followed_price")),
        sqlite_strict=True,
    )
