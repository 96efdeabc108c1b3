"""Keys, and the sets of them that the root key has signed."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal import Time, Whole, append_only_ddl

revision = "federation_0001_identity"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "federation_key",
        Column("name", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("multikey", Text(), nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("used_from", Time(), nullable=True),
        Column("ends_at", Time(), nullable=True),
        Column("revoked_at", Time(), nullable=True),
        Column("reason", Text(), nullable=False),
        CheckConstraint("kind IN ('root', 'signing')", name=op.f("ck_federation_key_kind_known")),
        CheckConstraint(
            "(revoked_at IS NULL AND reason = '')"
            " OR (revoked_at IS NOT NULL AND reason IN ('stolen', 'lost', 'replaced'))",
            name=op.f("ck_federation_key_revoked_for_a_reason"),
        ),
        PrimaryKeyConstraint("name", name=op.f("pk_federation_key")),
        UniqueConstraint("multikey", name=op.f("uq_federation_key_multikey")),
        sqlite_strict=True,
    )
    op.create_table(
        "federation_key_set",
        Column("version", Whole, nullable=False),
        Column("document", Text(), nullable=False),
        Column("created_at", Time(), nullable=False),
        PrimaryKeyConstraint("version", name=op.f("pk_federation_key_set")),
        sqlite_strict=True,
    )
    for statement in append_only_ddl("federation_key_set", op.get_bind().dialect.name):
        op.execute(statement)
