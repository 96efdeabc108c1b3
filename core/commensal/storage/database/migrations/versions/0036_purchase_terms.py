"""What enterprises pay for the items that they sell: each change is a new row."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal.storage.database.types import Time, Whole

revision = "0036_purchase_terms"
down_revision = "0035_mailbox_windows"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "purchase_terms",
        Column("id", Text(), nullable=False),
        Column("item_id", Text(), nullable=False),
        Column("price", Whole, nullable=True),
        Column("margin", Whole, nullable=True),
        Column("set_at", Time(), nullable=False),
        CheckConstraint("price IS NULL OR margin IS NULL", name=op.f("ck_purchase_terms_price_or_margin")),
        CheckConstraint("price >= 0", name=op.f("ck_purchase_terms_price_not_negative")),
        CheckConstraint("margin BETWEEN 0 AND 10000", name=op.f("ck_purchase_terms_margin_in_percent")),
        ForeignKeyConstraint(["item_id"], ["catalog_item.id"], name=op.f("fk_purchase_terms_item_id_catalog_item")),
        PrimaryKeyConstraint("id", name=op.f("pk_purchase_terms")),
        sqlite_strict=True,
    )
    op.create_index("ix_purchase_terms_item", "purchase_terms", ["item_id", "id"])
