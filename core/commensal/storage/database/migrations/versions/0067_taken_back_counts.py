"""Counter-entries of counts of the till."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal.storage.database.append_only import append_only_ddl
from commensal.storage.database.types import Time, Whole

revision = "0067_taken_back_counts"
down_revision = "0066_invited_by"
branch_labels = None
depends_on = None

_TABLE = "taken_back_count"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        Column("count_id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("number", Whole, nullable=False),
        Column("reason", Text(), nullable=False),
        Column("at", Time(), nullable=False),
        Column("person_id", Text(), nullable=False),
        ForeignKeyConstraint(["count_id"], ["counted_till.id"], name=op.f(f"fk_{_TABLE}_count_id")),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f(f"fk_{_TABLE}_enterprise_id")),
        PrimaryKeyConstraint("count_id", name=op.f(f"pk_{_TABLE}")),
        UniqueConstraint("enterprise_id", "number", name=op.f(f"uq_{_TABLE}_enterprise_id_number")),
        sqlite_strict=True,
    )
    for statement in append_only_ddl(_TABLE, op.get_bind().dialect.name):
        op.execute(statement)
