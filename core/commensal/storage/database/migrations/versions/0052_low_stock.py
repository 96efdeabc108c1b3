"""The free level at which a lot's owner is told that it runs low, and the lots of which they were told."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, text

from commensal.storage.database.types import Time

revision = "0052_low_stock"
down_revision = "0051_guest_order_index"
branch_labels = None
depends_on = None


def upgrade() -> None:
    whole = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(
        f"ALTER TABLE stock_lot ADD COLUMN low_level {whole}"
        " CONSTRAINT ck_stock_lot_low_level_not_negative CHECK (low_level >= 0)"  # SQLite adds it with its column alone
    )
    watched = text("low_level IS NOT NULL")
    op.create_index(
        "ix_stock_lot_watched", "stock_lot", ["enterprise_id"], sqlite_where=watched, postgresql_where=watched
    )
    op.create_table(
        "low_stock_notice",
        Column("lot_id", Text(), nullable=False),
        Column("told_at", Time(), nullable=False),
        ForeignKeyConstraint(["lot_id"], ["stock_lot.id"], name=op.f("fk_low_stock_notice_lot_id")),
        PrimaryKeyConstraint("lot_id", name=op.f("pk_low_stock_notice")),
        sqlite_strict=True,
    )
