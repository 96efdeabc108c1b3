"""Orders between instances."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal import Exact, Flag, Time, Whole

revision = "federation_0007_orders"
down_revision = "federation_0006_catalogue"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "federation_order",
        Column("id", Text(), nullable=False),
        Column("iri", Text(), nullable=False),
        Column("role", Text(), nullable=False),
        Column("peer_id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("other_iri", Text(), nullable=False),
        Column("other_name", Text(), nullable=False),
        Column("session_id", Text(), nullable=False),
        Column("session_iri", Text(), nullable=False),
        Column("session_name", Text(), nullable=False),
        Column("closes_at", Time(), nullable=True),
        Column("begins_at", Time(), nullable=True),
        Column("currency", Text(), nullable=False),
        Column("includes_vat", Flag(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("rev", Whole, nullable=False),
        Column("answer", Whole, nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("changed_at", Time(), nullable=False),
        CheckConstraint("role IN ('buyer', 'supplier')", name=op.f("ck_federation_order_role_known")),
        CheckConstraint("state IN ('Held', 'Complete', 'Cancelled')", name=op.f("ck_federation_order_state_known")),
        PrimaryKeyConstraint("id", name=op.f("pk_federation_order")),
        UniqueConstraint("iri", name=op.f("uq_federation_order_iri")),
        UniqueConstraint(
            "role",
            "enterprise_id",
            "other_iri",
            "session_iri",
            name=op.f("uq_federation_order_role_enterprise_id_other_iri_session_iri"),
        ),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_federation_order_enterprise_id"), "federation_order", ["enterprise_id"], unique=False)
    op.create_table(
        "federation_order_line",
        Column("order_id", Text(), nullable=False),
        Column("item_iri", Text(), nullable=False),
        Column("product_id", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("offer_iri", Text(), nullable=False),
        Column("rev", Whole, nullable=False),
        Column("price", Whole, nullable=False),
        Column("vat_rate", Exact(), nullable=False),
        Column("quantity", Whole, nullable=False),
        Column("answer", Text(), nullable=False),
        Column("confirmed", Whole, nullable=True),
        Column("reason", Text(), nullable=False),
        Column("final_quantity", Exact(), nullable=True),
        Column("unit_quantity", Exact(), nullable=False),
        Column("unit", Text(), nullable=False),
        CheckConstraint("quantity >= 0", name=op.f("ck_federation_order_line_quantity_not_negative")),
        CheckConstraint(
            "answer IN ('', 'confirmed', 'shortened', 'refused')", name=op.f("ck_federation_order_line_answer_known")
        ),
        PrimaryKeyConstraint("order_id", "item_iri", name=op.f("pk_federation_order_line")),
        sqlite_strict=True,
    )
    op.create_table(
        "federation_cut",
        Column("id", Text(), nullable=False),
        Column("order_id", Text(), nullable=False),
        Column("item_iri", Text(), nullable=False),
        Column("customer_order_id", Text(), nullable=True),
        Column("pieces", Whole, nullable=False),
        Column("owed", Whole, nullable=False),
        Column("at", Time(), nullable=False),
        Column("settled_at", Time(), nullable=True),
        PrimaryKeyConstraint("id", name=op.f("pk_federation_cut")),
        sqlite_strict=True,
    )
    op.create_index("ix_federation_cut_order", "federation_cut", ["order_id", "item_iri"], unique=False)
    op.create_table(
        "federation_order_due",
        Column("kind", Text(), nullable=False),
        Column("id", Text(), nullable=False),
        Column("at", Time(), nullable=False),
        CheckConstraint("kind IN ('session', 'order')", name=op.f("ck_federation_order_due_kind_known")),
        PrimaryKeyConstraint("kind", "id", name=op.f("pk_federation_order_due")),
        sqlite_strict=True,
    )
    op.create_table(
        "federation_told_price",
        Column("grant_id", Text(), nullable=False),
        Column("item_id", Text(), nullable=False),
        Column("rev", Whole, nullable=False),
        Column("price", Whole, nullable=False),
        Column("at", Time(), nullable=False),
        PrimaryKeyConstraint("grant_id", "item_id", "rev", name=op.f("pk_federation_told_price")),
        sqlite_strict=True,
    )
    op.add_column("federation_lease", Column("lost", Whole, nullable=False, server_default="0"))
