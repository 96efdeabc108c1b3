"""First tables of stock."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal.storage.database.append_only import append_only_ddl
from commensal.storage.database.types import Flag, Time, Whole

revision = "0003_stock"
down_revision = "0002_enterprises"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stock_lot",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("unit", Text(), nullable=False),
        Column("per_unit", Whole, nullable=False),
        Column("unlimited", Flag(), nullable=False),
        Column("free", Whole, nullable=False),
        Column("reserved", Whole, nullable=False),
        Column("sold", Whole, nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("version", Whole, nullable=False),
        CheckConstraint("free >= 0", name=op.f("ck_stock_lot_free_not_negative")),
        CheckConstraint("per_unit > 0", name=op.f("ck_stock_lot_per_unit_positive")),
        CheckConstraint("reserved >= 0", name=op.f("ck_stock_lot_reserved_not_negative")),
        CheckConstraint("sold >= 0", name=op.f("ck_stock_lot_sold_not_negative")),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_stock_lot_enterprise_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_stock_lot")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_stock_lot_enterprise_id"), "stock_lot", ["enterprise_id"], unique=False)
    op.create_table(
        "stock_movement",
        Column("id", Text(), nullable=False),
        Column("lot_id", Text(), nullable=False),
        Column("at", Time(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("free_change", Whole, nullable=False),
        Column("reserved_change", Whole, nullable=False),
        Column("sold_change", Whole, nullable=False),
        Column("order_id", Text(), nullable=True),
        Column("person_id", Text(), nullable=True),
        Column("note", Text(), nullable=False),
        CheckConstraint(
            "kind IN ('received', 'counted', 'taken', 'released', 'sold', 'restocked', 'weighed')",
            name=op.f("ck_stock_movement_kind_known"),
        ),
        ForeignKeyConstraint(["lot_id"], ["stock_lot.id"], name=op.f("fk_stock_movement_lot_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_stock_movement")),
        sqlite_strict=True,
    )
    op.create_index("ix_stock_movement_lot", "stock_movement", ["lot_id", "id"], unique=False)
    for table in ("stock_movement",):
        for statement in append_only_ddl(table, op.get_bind().dialect.name):
            op.execute(statement)
