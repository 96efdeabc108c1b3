"""Grants across instances."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal import Exact, Flag, Time, Whole

revision = "federation_0004_grants"
down_revision = "federation_0003_delivery"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "federation_grant",
        Column("id", Text(), nullable=False),
        Column("direction", Text(), nullable=False),
        Column("peer_id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("other_iri", Text(), nullable=False),
        Column("other_name", Text(), nullable=False),
        Column("category_id", Text(), nullable=True),
        Column("resell", Flag(), nullable=False),
        Column("margin", Exact(), nullable=True),
        Column("catalog_id", Text(), nullable=True),
        Column("state", Text(), nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("created_by", Text(), nullable=True),
        Column("changed_at", Time(), nullable=False),
        Column("version", Whole, nullable=False),
        CheckConstraint("direction IN ('given', 'received')", name=op.f("ck_federation_grant_direction_known")),
        CheckConstraint(
            "state IN ('offered', 'accepted', 'refused', 'revoked')", name=op.f("ck_federation_grant_state_known")
        ),
        PrimaryKeyConstraint("id", name=op.f("pk_federation_grant")),
        UniqueConstraint(
            "direction",
            "enterprise_id",
            "other_iri",
            name=op.f("uq_federation_grant_direction_enterprise_id_other_iri"),
        ),
        sqlite_strict=True,
    )
    op.create_index("ix_federation_grant_peer", "federation_grant", ["peer_id", "direction"], unique=False)
