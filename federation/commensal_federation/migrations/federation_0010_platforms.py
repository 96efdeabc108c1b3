"""What enterprises let platforms do that speak DFC."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal import Json, Time

revision = "federation_0010_platforms"
down_revision = "federation_0009_moving"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "federation_platform",
        Column("enterprise_id", Text(), nullable=False),
        Column("platform_id", Text(), nullable=False),
        Column("scopes", Json(), nullable=False),
        Column("customer_id", Text(), nullable=True),
        Column("changed_at", Time(), nullable=False),
        Column("changed_by", Text(), nullable=True),
        ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_federation_platform_enterprise_id_enterprise")
        ),
        ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_federation_platform_customer_id_customer")
        ),
        PrimaryKeyConstraint("enterprise_id", "platform_id", name=op.f("pk_federation_platform")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_federation_platform_platform_id"), "federation_platform", ["platform_id"], unique=False)
