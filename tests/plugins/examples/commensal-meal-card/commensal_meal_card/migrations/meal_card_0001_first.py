"""Cards, and what orders have used of them."""

from alembic import op
from commensal import Whole
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

revision = "meal_card_0001_first"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "meal_card_card",
        Column("order_id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("code", Text(), nullable=False),
        Column("left", Whole, nullable=False),
        ForeignKeyConstraint(["order_id"], ["customer_order.id"], name=op.f("fk_meal_card_card_order_id")),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_meal_card_card_enterprise_id")),
        PrimaryKeyConstraint("order_id", name=op.f("pk_meal_card_card")),
        UniqueConstraint("code", name=op.f("uq_meal_card_card_code")),
        sqlite_strict=True,
    )
    op.create_table(
        "meal_card_use",
        Column("order_id", Text(), nullable=False),
        Column("code", Text(), nullable=False),
        Column("meals", Whole, nullable=False),
        PrimaryKeyConstraint("order_id", name=op.f("pk_meal_card_use")),
        sqlite_strict=True,
    )
