"""Accounts at platforms that owners name themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from commensal import Time

revision = "federation_0034_accounts"
down_revision = "federation_0033_copies"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "federation_platform_account",
        sa.Column("enterprise_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("named_at", Time(), nullable=False),
        sa.Column("named_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_federation_platform_account_enterprise_id_enterprise")
        ),
        sa.PrimaryKeyConstraint("enterprise_id", "id", name=op.f("pk_federation_platform_account")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_federation_platform_account_id"), "federation_platform_account", ["id"], unique=False)
