"""Sales that are proposed to hubs of other instances."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal import Time, Whole

revision = "federation_0008_openings"
down_revision = "federation_0007_orders"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "federation_sale",
        Column("id", Text(), nullable=False),
        Column("direction", Text(), nullable=False),
        Column("iri", Text(), nullable=False),
        Column("peer_id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("other_iri", Text(), nullable=False),
        Column("other_name", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("opens_at", Time(), nullable=False),
        Column("closes_at", Time(), nullable=False),
        Column("begins_at", Time(), nullable=False),
        Column("ends_at", Time(), nullable=False),
        Column("coordination_id", Text(), nullable=True),
        Column("state", Text(), nullable=False),
        Column("rev", Whole, nullable=False),
        Column("changed_at", Time(), nullable=False),
        CheckConstraint("direction IN ('proposed', 'received')", name=op.f("ck_federation_sale_direction_known")),
        CheckConstraint(
            "state IN ('offered', 'accepted', 'refused', 'withdrawn')", name=op.f("ck_federation_sale_state_known")
        ),
        PrimaryKeyConstraint("id", name=op.f("pk_federation_sale")),
        UniqueConstraint(
            "direction",
            "enterprise_id",
            "other_iri",
            "iri",
            name=op.f("uq_federation_sale_direction_enterprise_id_other_iri_iri"),
        ),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_federation_sale_enterprise_id"), "federation_sale", ["enterprise_id"], unique=False)
