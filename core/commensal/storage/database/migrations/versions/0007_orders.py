"""First tables of orders."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint, text

from commensal.storage.database.types import Exact, Flag, Time, Whole

revision = "0007_orders"
down_revision = "0006_sale_sessions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "customer_order",
        Column("id", Text(), nullable=False),
        Column("session_id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("customer_id", Text(), nullable=True),
        Column("person_id", Text(), nullable=True),
        Column("secret_hash", Text(), nullable=True),
        Column("number", Whole, nullable=True),
        Column("state", Text(), nullable=False),
        Column("payment_state", Text(), nullable=False),
        Column("fulfilment_state", Text(), nullable=False),
        Column("currency", Text(), nullable=False),
        Column("prices_include_vat", Flag(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("email", Text(), nullable=False),
        Column("phone", Text(), nullable=False),
        Column("language", Text(), nullable=False),
        Column("note", Text(), nullable=False),
        Column("shipping", Text(), nullable=False),
        Column("shipping_label", Text(), nullable=False),
        Column("payment_method", Text(), nullable=False),
        Column("products_total", Whole, nullable=False),
        Column("deposits_total", Whole, nullable=False),
        Column("adjustments_total", Whole, nullable=False),
        Column("vat_total", Whole, nullable=False),
        Column("total", Whole, nullable=False),
        Column("paid_total", Whole, nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("placed_at", Time(), nullable=True),
        Column("changed_at", Time(), nullable=False),
        Column("cancelled_at", Time(), nullable=True),
        Column("fulfilled_at", Time(), nullable=True),
        Column("version", Whole, nullable=False),
        CheckConstraint(
            "fulfilment_state IN ('Unfulfilled', 'Held', 'Fulfilled', 'Cancelled')",
            name=op.f("ck_customer_order_fulfilment_state_known"),
        ),
        CheckConstraint(
            "payment_state IN ('Unpaid', 'Paid', 'Cancelled')", name=op.f("ck_customer_order_payment_state_known")
        ),
        CheckConstraint(
            "state = 'Draft' OR (number IS NOT NULL AND placed_at IS NOT NULL)",
            name=op.f("ck_customer_order_placed_has_number"),
        ),
        CheckConstraint(
            "state IN ('Draft', 'Held', 'Complete', 'Cancelled')", name=op.f("ck_customer_order_state_known")
        ),
        CheckConstraint("total >= 0", name=op.f("ck_customer_order_total_not_negative")),
        ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_customer_order_customer_id")),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_customer_order_enterprise_id")),
        ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_customer_order_person_id")),
        ForeignKeyConstraint(["session_id"], ["sale_session.id"], name=op.f("fk_customer_order_session_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_customer_order")),
        UniqueConstraint("enterprise_id", "number", name=op.f("uq_customer_order_enterprise_id_number")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_customer_order_customer_id"), "customer_order", ["customer_id"], unique=False)
    op.create_index("ix_customer_order_person", "customer_order", ["person_id", "id"], unique=False)
    op.create_index("ix_customer_order_session", "customer_order", ["session_id", "state", "id"], unique=False)
    op.create_index(
        "uq_customer_order_cart",
        "customer_order",
        ["session_id", "person_id"],
        unique=True,
        sqlite_where=text("state = 'Draft' AND person_id IS NOT NULL"),
        postgresql_where=text("state = 'Draft' AND person_id IS NOT NULL"),
    )
    op.create_index("uq_customer_order_secret", "customer_order", ["secret_hash"], unique=True)
    op.create_table(
        "cart_line",
        Column("order_id", Text(), nullable=False),
        Column("item_id", Text(), nullable=False),
        Column("quantity", Whole, nullable=False),
        CheckConstraint("quantity > 0", name=op.f("ck_cart_line_quantity_positive")),
        ForeignKeyConstraint(["item_id"], ["catalog_item.id"], name=op.f("fk_cart_line_item_id")),
        ForeignKeyConstraint(
            ["order_id"], ["customer_order.id"], name=op.f("fk_cart_line_order_id"), ondelete="CASCADE"
        ),
        PrimaryKeyConstraint("order_id", "item_id", name=op.f("pk_cart_line")),
        sqlite_strict=True,
    )
    op.create_table(
        "order_line",
        Column("id", Text(), nullable=False),
        Column("order_id", Text(), nullable=False),
        Column("position", Whole, nullable=False),
        Column("item_id", Text(), nullable=False),
        Column("product_id", Text(), nullable=False),
        Column("supplier_id", Text(), nullable=False),
        Column("lot_id", Text(), nullable=False),
        Column("lot_quantity", Whole, nullable=False),
        Column("name", Text(), nullable=False),
        Column("unit_quantity", Exact(), nullable=False),
        Column("unit", Text(), nullable=False),
        Column("price", Whole, nullable=False),
        Column("deposit", Whole, nullable=False),
        Column("vat_rate", Exact(), nullable=False),
        Column("weighed", Flag(), nullable=False),
        Column("quantity", Whole, nullable=False),
        Column("final_quantity", Exact(), nullable=True),
        Column("amount", Whole, nullable=False),
        Column("substitutes_id", Text(), nullable=True),
        CheckConstraint("quantity >= 0", name=op.f("ck_order_line_quantity_not_negative")),
        ForeignKeyConstraint(["item_id"], ["catalog_item.id"], name=op.f("fk_order_line_item_id")),
        ForeignKeyConstraint(["lot_id"], ["stock_lot.id"], name=op.f("fk_order_line_lot_id")),
        ForeignKeyConstraint(["order_id"], ["customer_order.id"], name=op.f("fk_order_line_order_id")),
        ForeignKeyConstraint(["product_id"], ["supplied_product.id"], name=op.f("fk_order_line_product_id")),
        ForeignKeyConstraint(["substitutes_id"], ["order_line.id"], name=op.f("fk_order_line_substitutes_id")),
        ForeignKeyConstraint(["supplier_id"], ["enterprise.id"], name=op.f("fk_order_line_supplier_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_order_line")),
        sqlite_strict=True,
    )
    op.create_index("ix_order_line_order", "order_line", ["order_id", "position"], unique=False)
    op.create_index(op.f("ix_order_line_product_id"), "order_line", ["product_id"], unique=False)
    op.create_index(op.f("ix_order_line_substitutes_id"), "order_line", ["substitutes_id"], unique=False)
    op.create_table(
        "order_vat",
        Column("order_id", Text(), nullable=False),
        Column("rate", Exact(), nullable=False),
        Column("net", Whole, nullable=False),
        Column("vat", Whole, nullable=False),
        ForeignKeyConstraint(["order_id"], ["customer_order.id"], name=op.f("fk_order_vat_order_id")),
        PrimaryKeyConstraint("order_id", "rate", name=op.f("pk_order_vat")),
        sqlite_strict=True,
    )
    op.create_table(
        "adjustment",
        Column("id", Text(), nullable=False),
        Column("order_id", Text(), nullable=False),
        Column("position", Whole, nullable=False),
        Column("line_id", Text(), nullable=True),
        Column("phase", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("label", Text(), nullable=False),
        Column("amount", Whole, nullable=False),
        Column("vat_rate", Exact(), nullable=True),
        Column("payer", Text(), nullable=False),
        Column("payee", Text(), nullable=False),
        Column("plugin", Text(), nullable=False),
        ForeignKeyConstraint(["line_id"], ["order_line.id"], name=op.f("fk_adjustment_line_id")),
        ForeignKeyConstraint(["order_id"], ["customer_order.id"], name=op.f("fk_adjustment_order_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_adjustment")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_adjustment_line_id"), "adjustment", ["line_id"], unique=False)
    op.create_index("ix_adjustment_order", "adjustment", ["order_id", "position"], unique=False)
