"""Invitations to become a member of an enterprise."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal.storage.database.types import Time

revision = "0030_invitations"
down_revision = "0029_guests"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "member_invitation",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("email", Text(), nullable=False),
        Column("role", Text(), nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("expires_at", Time(), nullable=False),
        CheckConstraint(
            "role IN ('owner', 'manager', 'packer', 'accountant')", name=op.f("ck_member_invitation_role_known")
        ),
        ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_member_invitation_enterprise_id_enterprise")
        ),
        PrimaryKeyConstraint("id", name=op.f("pk_member_invitation")),
        UniqueConstraint("enterprise_id", "email", name=op.f("uq_member_invitation_enterprise_id_email")),
        sqlite_strict=True,
    )
    op.create_index("ix_member_invitation_email", "member_invitation", ["email"])
    op.create_index("ix_member_invitation_expires_at", "member_invitation", ["expires_at"])
