"""Roles that enterprises make themselves."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal.storage.database.types import Json, Whole

revision = "0061_enterprise_roles"
down_revision = "0060_own_roles"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "enterprise_role",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("scopes", Json(), nullable=False),
        Column("version", Whole, nullable=False),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_enterprise_role_enterprise_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_enterprise_role")),
        UniqueConstraint("enterprise_id", "name", name=op.f("uq_enterprise_role_enterprise_id_name")),
        sqlite_strict=True,
    )
