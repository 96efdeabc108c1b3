"""Versions of legal texts, and the terms of sale that the customer of an order has accepted."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, text

from commensal.storage.database import Json
from commensal.storage.database.types import Time, Whole

revision = "0042_legal_texts"
down_revision = "0041_packing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "legal_text",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=True),
        Column("kind", Text(), nullable=False),
        Column("version", Whole, nullable=False),
        Column("texts", Json(), nullable=False),
        Column("published_at", Time(), nullable=False),
        CheckConstraint(
            "kind IN ('notice', 'terms', 'privacy', 'accessibility')", name=op.f("ck_legal_text_kind_known")
        ),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_legal_text_enterprise_id_enterprise")),
        PrimaryKeyConstraint("id", name=op.f("pk_legal_text")),
        sqlite_strict=True,
    )
    op.create_index("uq_legal_text_enterprise", "legal_text", ["enterprise_id", "kind", "version"], unique=True)
    only_instance = text("enterprise_id IS NULL")
    op.create_index(
        "uq_legal_text_instance",
        "legal_text",
        ["kind", "version"],
        unique=True,
        sqlite_where=only_instance,
        postgresql_where=only_instance,
    )
    op.execute(
        "ALTER TABLE customer_order ADD COLUMN terms_id TEXT"
        " CONSTRAINT fk_customer_order_terms_id_legal_text REFERENCES legal_text (id)"
    )
