"""A journal of what changed on placed orders, for people to read."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal.storage.database.append_only import append_only_ddl
from commensal.storage.database.types import Json, Time, Whole

revision = "0072_order_changes"
down_revision = "0071_received_at"
branch_labels = None
depends_on = None

_TABLE = "order_change"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        Column("id", Text(), nullable=False),
        Column("order_id", Text(), nullable=False),
        Column("at", Time(), nullable=False),
        Column("changed_by", Text(), nullable=False),
        Column("goods", Json(), nullable=False),
        Column("total_before", Whole, nullable=False),
        Column("total_after", Whole, nullable=False),
        CheckConstraint("changed_by IN ('customer', 'hub')", name=op.f(f"ck_{_TABLE}_changed_by")),
        ForeignKeyConstraint(["order_id"], ["customer_order.id"], name=op.f(f"fk_{_TABLE}_order_id")),
        PrimaryKeyConstraint("id", name=op.f(f"pk_{_TABLE}")),
        sqlite_strict=True,
    )
    op.create_index(op.f(f"ix_{_TABLE}_order_id"), _TABLE, ["order_id"])
    for statement in append_only_ddl(_TABLE, op.get_bind().dialect.name):
        op.execute(statement)
