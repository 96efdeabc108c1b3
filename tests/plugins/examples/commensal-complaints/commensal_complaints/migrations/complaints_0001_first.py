"""Complaints."""

from alembic import op
from commensal import Time, Whole
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

revision = "complaints_0001_first"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "complaints_complaint",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("order_id", Text(), nullable=False),
        Column("number", Whole, nullable=False),
        Column("text", Text(), nullable=False),
        Column("noted_at", Time(), nullable=False),
        Column("settled_at", Time()),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_complaints_complaint_enterprise_id")),
        ForeignKeyConstraint(["order_id"], ["customer_order.id"], name=op.f("fk_complaints_complaint_order_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_complaints_complaint")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_complaints_complaint_enterprise_id"), "complaints_complaint", ["enterprise_id"])
    op.create_index(op.f("ix_complaints_complaint_order_id"), "complaints_complaint", ["order_id"])
