"""First tables of catalogs."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint, text

from commensal.storage.database.types import Flag, Time, Whole

revision = "0005_catalogs"
down_revision = "0004_products"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "catalog",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("version", Whole, nullable=False),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_catalog_enterprise_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_catalog")),
        UniqueConstraint("enterprise_id", "name", name=op.f("uq_catalog_enterprise_id_name")),
        sqlite_strict=True,
    )
    op.create_table(
        "catalog_item",
        Column("id", Text(), nullable=False),
        Column("catalog_id", Text(), nullable=False),
        Column("product_id", Text(), nullable=False),
        Column("name", Text(), nullable=True),
        Column("position", Whole, nullable=False),
        Column("hidden", Flag(), nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("version", Whole, nullable=False),
        ForeignKeyConstraint(["catalog_id"], ["catalog.id"], name=op.f("fk_catalog_item_catalog_id")),
        ForeignKeyConstraint(["product_id"], ["supplied_product.id"], name=op.f("fk_catalog_item_product_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_catalog_item")),
        UniqueConstraint("catalog_id", "product_id", name=op.f("uq_catalog_item_catalog_id_product_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_catalog_item_product_id"), "catalog_item", ["product_id"], unique=False)
    op.create_table(
        "item_shown_to",
        Column("item_id", Text(), nullable=False),
        Column("category_id", Text(), nullable=False),
        ForeignKeyConstraint(["category_id"], ["customer_category.id"], name=op.f("fk_item_shown_to_category_id")),
        ForeignKeyConstraint(["item_id"], ["catalog_item.id"], name=op.f("fk_item_shown_to_item_id")),
        PrimaryKeyConstraint("item_id", "category_id", name=op.f("pk_item_shown_to")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_item_shown_to_category_id"), "item_shown_to", ["category_id"], unique=False)
    op.create_table(
        "offer",
        Column("id", Text(), nullable=False),
        Column("item_id", Text(), nullable=False),
        Column("category_id", Text(), nullable=True),
        Column("price", Whole, nullable=False),
        Column("version", Whole, nullable=False),
        CheckConstraint("price >= 0", name=op.f("ck_offer_price_not_negative")),
        ForeignKeyConstraint(["category_id"], ["customer_category.id"], name=op.f("fk_offer_category_id")),
        ForeignKeyConstraint(["item_id"], ["catalog_item.id"], name=op.f("fk_offer_item_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_offer")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_offer_category_id"), "offer", ["category_id"], unique=False)
    op.create_index(
        "uq_offer_item",
        "offer",
        ["item_id"],
        unique=True,
        sqlite_where=text("category_id IS NULL"),
        postgresql_where=text("category_id IS NULL"),
    )
    op.create_index("uq_offer_item_category", "offer", ["item_id", "category_id"], unique=True)
