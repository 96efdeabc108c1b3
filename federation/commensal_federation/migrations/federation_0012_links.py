"""Goods of distant platforms that speak DFC, and platforms that are to be told of changes here."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal import Exact, Json, Time, Whole

revision = "federation_0012_links"
down_revision = "federation_0011_platform_orders"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "federation_link",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("url", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("dfc_version", Text(), nullable=False),
        Column("auth", Text(), nullable=False),
        Column("issuer", Text(), nullable=False),
        Column("client_id", Text(), nullable=False),
        Column("secret", Text(), nullable=False),
        Column("catalog_id", Text(), nullable=True),
        Column("margin", Exact, nullable=True),
        Column("default_type", Text(), nullable=False),
        Column("default_vat", Exact, nullable=True),
        Column("state", Text(), nullable=False),
        Column("etag", Text(), nullable=False),
        Column("digest", Text(), nullable=False),
        Column("refreshed_at", Time(), nullable=True),
        Column("tried_at", Time(), nullable=True),
        Column("due_at", Time(), nullable=False),
        Column("failures", Whole, nullable=False),
        Column("error", Text(), nullable=False),
        Column("findings", Json(), nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("created_by", Text(), nullable=True),
        Column("changed_at", Time(), nullable=False),
        Column("version", Whole, nullable=False),
        CheckConstraint("dfc_version IN ('1.16', '2.0')", name=op.f("ck_federation_link_dfc_version_known")),
        CheckConstraint("auth IN ('none', 'token', 'api_key', 'oidc')", name=op.f("ck_federation_link_auth_known")),
        CheckConstraint("state IN ('active', 'suspended', 'ended')", name=op.f("ck_federation_link_state_known")),
        PrimaryKeyConstraint("id", name=op.f("pk_federation_link")),
        UniqueConstraint("enterprise_id", "url", name=op.f("uq_federation_link_enterprise_id_url")),
        sqlite_strict=True,
    )
    op.create_index("ix_federation_link_due", "federation_link", ["state", "due_at"], unique=False)
    op.create_table(
        "federation_linked_producer",
        Column("enterprise_id", Text(), nullable=False),
        Column("iri", Text(), nullable=False),
        Column("producer_id", Text(), nullable=False),
        Column("created_at", Time(), nullable=False),
        ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_federation_linked_producer_enterprise_id_enterprise")
        ),
        ForeignKeyConstraint(
            ["producer_id"], ["enterprise.id"], name=op.f("fk_federation_linked_producer_producer_id_enterprise")
        ),
        PrimaryKeyConstraint("enterprise_id", "iri", name=op.f("pk_federation_linked_producer")),
        UniqueConstraint("producer_id", name=op.f("uq_federation_linked_producer_producer_id")),
        sqlite_strict=True,
    )
    op.create_table(
        "federation_linked_product",
        Column("link_id", Text(), nullable=False),
        Column("iri", Text(), nullable=False),
        Column("item_iri", Text(), nullable=False),
        Column("offer_iri", Text(), nullable=False),
        Column("product_id", Text(), nullable=False),
        Column("lot_id", Text(), nullable=False),
        Column("price", Whole, nullable=False),
        Column("stock", Whole, nullable=True),
        Column("taken", Whole, nullable=False),
        Column("case_iri", Text(), nullable=False),
        Column("case_offer_iri", Text(), nullable=False),
        Column("case_pieces", Whole, nullable=False),
        Column("case_of", Whole, nullable=False),
        Column("case_price", Whole, nullable=True),
        Column("digest", Text(), nullable=False),
        Column("changed_at", Time(), nullable=False),
        Column("gone_at", Time(), nullable=True),
        ForeignKeyConstraint(
            ["link_id"], ["federation_link.id"], name=op.f("fk_federation_linked_product_link_id_federation_link")
        ),
        PrimaryKeyConstraint("link_id", "iri", name=op.f("pk_federation_linked_product")),
        sqlite_strict=True,
    )
    for name in ("product_id", "lot_id"):
        op.create_index(op.f(f"ix_federation_linked_product_{name}"), "federation_linked_product", [name], unique=False)
    op.create_table(
        "federation_platform_notice",
        Column("platform_id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("scope", Text(), nullable=False),
        Column("changed_at", Time(), nullable=False),
        ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_federation_platform_notice_enterprise_id_enterprise")
        ),
        PrimaryKeyConstraint("platform_id", "enterprise_id", "scope", name=op.f("pk_federation_platform_notice")),
        sqlite_strict=True,
    )
