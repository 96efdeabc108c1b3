"""Enterprises that move to another instance."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, PrimaryKeyConstraint, Text

from commensal import Json, Time, Whole

revision = "federation_0009_moving"
down_revision = "federation_0008_openings"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "federation_authority",
        Column("iri", Text(), nullable=False),
        Column("epoch", Whole, nullable=False),
        Column("moved_to", Text(), nullable=False),
        Column("came_from", Text(), nullable=False),
        Column("recovery_key", Text(), nullable=False),
        Column("changed_at", Time(), nullable=False),
        PrimaryKeyConstraint("iri", name=op.f("pk_federation_authority")),
        sqlite_strict=True,
    )
    op.create_table(
        "federation_move",
        Column("id", Text(), nullable=False),
        Column("role", Text(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("peer_id", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("old_iri", Text(), nullable=False),
        Column("new_iri", Text(), nullable=False),
        Column("epoch", Whole, nullable=False),
        Column("enterprise_id", Text(), nullable=True),
        Column("owner_id", Text(), nullable=True),
        Column("said", Json(), nullable=False),
        Column("until", Time(), nullable=True),
        Column("error", Text(), nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("created_by", Text(), nullable=True),
        Column("changed_at", Time(), nullable=False),
        CheckConstraint("role IN ('leaving', 'coming', 'following')", name=op.f("ck_federation_move_role_known")),
        CheckConstraint(
            "state IN ('offered', 'named', 'accepted', 'frozen', 'ready', 'moved', 'done', 'cancelled', 'refused', "
            "'heard', 'waiting', 'quarantined', 'contested', 'followed')",
            name=op.f("ck_federation_move_state_known"),
        ),
        PrimaryKeyConstraint("id", name=op.f("pk_federation_move")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_federation_move_old_iri"), "federation_move", ["old_iri"], unique=False)
    op.create_index("ix_federation_move_enterprise", "federation_move", ["enterprise_id", "role"], unique=False)
    op.create_table(
        "federation_move_part",
        Column("move_id", Text(), nullable=False),
        Column("part", Whole, nullable=False),
        Column("parts", Whole, nullable=False),
        Column("rows", Json(), nullable=False),
        PrimaryKeyConstraint("move_id", "part", name=op.f("pk_federation_move_part")),
        sqlite_strict=True,
    )
