"""Copies of enterprises, products and lots of other instances; what was told, and what was heard, of items."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal import Flag, Json, Time, Whole

revision = "federation_0006_catalogue"
down_revision = "federation_0005_leases"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "federation_mirror",
        Column("iri", Text(), nullable=False),
        Column("peer_id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("created_at", Time(), nullable=False),
        PrimaryKeyConstraint("iri", name=op.f("pk_federation_mirror")),
        UniqueConstraint("enterprise_id", name=op.f("uq_federation_mirror_enterprise_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_federation_mirror_peer_id"), "federation_mirror", ["peer_id"], unique=False)
    op.create_table(
        "federation_copy",
        Column("iri", Text(), nullable=False),
        Column("peer_id", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("local_id", Text(), nullable=False),
        Column("image", Text(), nullable=False, server_default=""),
        CheckConstraint("kind IN ('product', 'lot')", name=op.f("ck_federation_copy_kind_known")),
        PrimaryKeyConstraint("iri", name=op.f("pk_federation_copy")),
        UniqueConstraint("local_id", name=op.f("uq_federation_copy_local_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_federation_copy_peer_id"), "federation_copy", ["peer_id"], unique=False)
    op.create_table(
        "federation_told",
        Column("grant_id", Text(), nullable=False),
        Column("item_id", Text(), nullable=False),
        Column("rev", Whole, nullable=False),
        Column("digest", Text(), nullable=False),
        Column("lot_id", Text(), nullable=False),
        PrimaryKeyConstraint("grant_id", "item_id", name=op.f("pk_federation_told")),
        sqlite_strict=True,
    )
    op.create_index("ix_federation_told_lot", "federation_told", ["lot_id"], unique=False)
    op.create_table(
        "federation_item",
        Column("grant_id", Text(), nullable=False),
        Column("iri", Text(), nullable=False),
        Column("product_id", Text(), nullable=False),
        Column("lot_id", Text(), nullable=False),
        Column("offer_iri", Text(), nullable=False),
        Column("price", Whole, nullable=False),
        Column("currency", Text(), nullable=False),
        Column("includes_vat", Flag(), nullable=False),
        Column("provenance", Json(), nullable=False),
        Column("rev", Whole, nullable=False),
        Column("digest", Text(), nullable=False),
        Column("gone_at", Time(), nullable=True),
        PrimaryKeyConstraint("grant_id", "iri", name=op.f("pk_federation_item")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_federation_item_lot_id"), "federation_item", ["lot_id"], unique=False)
    op.create_index(op.f("ix_federation_item_product_id"), "federation_item", ["product_id"], unique=False)
