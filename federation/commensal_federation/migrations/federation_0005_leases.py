"""Leases."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal import Time, Whole

revision = "federation_0005_leases"
down_revision = "federation_0004_grants"
branch_labels = None
depends_on = None

_COUNTS = ("granted", "report", "seen", "returned", "held", "sold", "late", "sold_before", "wanted")
_NOT_NEGATIVE = ("granted", "seen", "returned", "held", "sold", "late", "wanted")


def upgrade() -> None:
    op.create_table(
        "federation_lease",
        Column("id", Text(), nullable=False),
        Column("role", Text(), nullable=False),
        Column("peer_id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("lot_id", Text(), nullable=False),
        Column("lot_iri", Text(), nullable=False),
        Column("epoch", Whole, nullable=False),
        *(Column(name, Whole, nullable=False) for name in _COUNTS),
        Column("wanted_at", Time(), nullable=True),
        Column("until", Time(), nullable=True),
        Column("created_at", Time(), nullable=False),
        CheckConstraint("role IN ('lender', 'holder')", name=op.f("ck_federation_lease_role_known")),
        *(
            CheckConstraint(f"{name} >= 0", name=op.f(f"ck_federation_lease_{name}_not_negative"))
            for name in _NOT_NEGATIVE
        ),
        PrimaryKeyConstraint("id", name=op.f("pk_federation_lease")),
        UniqueConstraint("role", "peer_id", "lot_id", name=op.f("uq_federation_lease_role_peer_id_lot_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_federation_lease_lot", "federation_lease", ["lot_id"], unique=False)
    op.create_index("ix_federation_lease_wanted", "federation_lease", ["lot_id", "wanted_at"], unique=False)
