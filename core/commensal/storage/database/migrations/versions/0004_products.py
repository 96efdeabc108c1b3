"""First tables of products."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal.storage.database.types import Exact, Flag, Json, Time, Whole

revision = "0004_products"
down_revision = "0003_stock"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "image",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("sha256", Text(), nullable=False),
        Column("width", Whole, nullable=False),
        Column("height", Whole, nullable=False),
        Column("bytes", Whole, nullable=False),
        Column("alt", Text(), nullable=False),
        Column("created_at", Time(), nullable=False),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_image_enterprise_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_image")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_image_enterprise_id"), "image", ["enterprise_id"], unique=False)
    op.create_table(
        "supplied_product",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("lot_id", Text(), nullable=False),
        Column("lot_quantity", Whole, nullable=False),
        Column("name", Text(), nullable=False),
        Column("description", Text(), nullable=False),
        Column("product_type", Text(), nullable=False),
        Column("sku", Text(), nullable=True),
        Column("quantity", Exact(), nullable=False),
        Column("unit", Text(), nullable=False),
        Column("weighed", Flag(), nullable=False),
        Column("labels", Json(), nullable=False),
        Column("allergens", Json(), nullable=False),
        Column("deposit", Whole, nullable=False),
        Column("image_id", Text(), nullable=True),
        Column("search", Text(), nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("archived_at", Time(), nullable=True),
        Column("version", Whole, nullable=False),
        CheckConstraint("deposit >= 0", name=op.f("ck_supplied_product_deposit_not_negative")),
        CheckConstraint("lot_quantity > 0", name=op.f("ck_supplied_product_lot_quantity_positive")),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_supplied_product_enterprise_id")),
        ForeignKeyConstraint(["image_id"], ["image.id"], name=op.f("fk_supplied_product_image_id")),
        ForeignKeyConstraint(["lot_id"], ["stock_lot.id"], name=op.f("fk_supplied_product_lot_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_supplied_product")),
        UniqueConstraint("enterprise_id", "sku", name=op.f("uq_supplied_product_enterprise_id_sku")),
        sqlite_strict=True,
    )
    op.create_index("ix_supplied_product_enterprise", "supplied_product", ["enterprise_id", "id"], unique=False)
    op.create_index(op.f("ix_supplied_product_lot_id"), "supplied_product", ["lot_id"], unique=False)
    op.create_table(
        "product_vat",
        Column("product_id", Text(), nullable=False),
        Column("valid_from", Text(), nullable=False),
        Column("rate", Exact(), nullable=False),
        ForeignKeyConstraint(["product_id"], ["supplied_product.id"], name=op.f("fk_product_vat_product_id")),
        PrimaryKeyConstraint("product_id", "valid_from", name=op.f("pk_product_vat")),
        sqlite_strict=True,
    )
