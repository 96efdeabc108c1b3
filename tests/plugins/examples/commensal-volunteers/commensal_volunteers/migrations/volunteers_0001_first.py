"""Shifts."""

from alembic import op
from commensal import Time
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

revision = "volunteers_0001_first"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "volunteers_shift",
        Column("id", Text(), nullable=False),
        Column("customer_id", Text(), nullable=False),
        Column("worked_at", Time(), nullable=False),
        ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_volunteers_shift_customer_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_volunteers_shift")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_volunteers_shift_customer_id"), "volunteers_shift", ["customer_id"])
