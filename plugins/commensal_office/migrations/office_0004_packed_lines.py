"""Lines of orders that lie in their crates."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal import Time, Whole

revision = "office_0004_packed_lines"
down_revision = "office_0003_decisions"
branch_labels = None
depends_on = None

_TABLE = "office_packed_line"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        Column("line_id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("session_id", Text(), nullable=False),
        Column("order_id", Text(), nullable=False),
        Column("quantity", Whole, nullable=False),
        Column("at", Time(), nullable=False),
        Column("person_id", Text(), nullable=False),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f(f"fk_{_TABLE}_enterprise_id")),
        ForeignKeyConstraint(
            ["order_id"], ["customer_order.id"], name=op.f(f"fk_{_TABLE}_order_id"), ondelete="CASCADE"
        ),
        PrimaryKeyConstraint("line_id", name=op.f(f"pk_{_TABLE}")),
        sqlite_strict=True,
    )
    op.create_index("ix_office_packed_line_session", _TABLE, ["enterprise_id", "session_id"])
    op.create_index("ix_office_packed_line_order", _TABLE, ["order_id"])
