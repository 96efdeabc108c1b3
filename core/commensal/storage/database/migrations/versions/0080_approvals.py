"""Acts by which money leaves can ask for a second person."""

from __future__ import annotations

from typing import Any

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, text

from commensal.storage.database.types import Flag, Json, Time

revision = "0080_approvals"
down_revision = "0079_line_costs"
branch_labels = None
depends_on = None

_STATES = "state IN ('waiting', 'approved', 'refused', 'withdrawn')"
_WAITING: dict[str, Any] = {"sqlite_where": text("state = 'waiting'"), "postgresql_where": text("state = 'waiting'")}


def upgrade() -> None:
    op.create_table(
        "approval_policy",
        Column("enterprise_id", Text(), nullable=False),
        Column("second_person", Flag(), nullable=False),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_approval_policy_enterprise_id")),
        PrimaryKeyConstraint("enterprise_id", name=op.f("pk_approval_policy")),
        sqlite_strict=True,
    )
    op.create_table(
        "proposed_act",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("subject", Text(), nullable=False),
        Column("content", Json(), nullable=False),
        Column("digest", Text(), nullable=False),
        Column("asked_by", Text(), nullable=False),
        Column("asked_at", Time(), nullable=False),
        Column("expires_at", Time(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("decided_by", Text(), nullable=True),
        Column("decided_at", Time(), nullable=True),
        Column("reason", Text(), nullable=False),
        CheckConstraint(_STATES, name=op.f("ck_proposed_act_state_known")),
        CheckConstraint("decided_by <> asked_by OR state = 'withdrawn'", name=op.f("ck_proposed_act_two_people")),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_proposed_act_enterprise_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_proposed_act")),
        sqlite_strict=True,
    )
    op.create_index("ix_proposed_act_enterprise", "proposed_act", ["enterprise_id", "id"])
    op.create_index(
        "uq_proposed_act_waiting", "proposed_act", ["enterprise_id", "kind", "subject"], unique=True, **_WAITING
    )
