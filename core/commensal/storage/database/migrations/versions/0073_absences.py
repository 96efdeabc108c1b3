"""Days on which producers bring nothing."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

revision = "0073_absences"
down_revision = "0072_order_changes"
branch_labels = None
depends_on = None

_TABLE = "producer_absence"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("first_day", Text(), nullable=False),
        Column("last_day", Text(), nullable=False),
        CheckConstraint("first_day <= last_day", name=op.f(f"ck_{_TABLE}_days_in_order")),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f(f"fk_{_TABLE}_enterprise_id_enterprise")),
        PrimaryKeyConstraint("id", name=op.f(f"pk_{_TABLE}")),
        sqlite_strict=True,
    )
    op.create_index("ix_producer_absence_enterprise", _TABLE, ["enterprise_id", "last_day"])
