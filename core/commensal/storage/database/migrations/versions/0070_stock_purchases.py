"""What shops bought for their own stock of goods of which more came than was ordered."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal.storage.database.append_only import append_only_ddl
from commensal.storage.database.types import Exact, Flag, Time, Whole

revision = "0070_stock_purchases"
down_revision = "0069_sale_names"
branch_labels = None
depends_on = None

_TABLE = "stock_purchase"
_REFERENCES = {
    "enterprise_id": "enterprise",
    "supplier_id": "enterprise",
    "session_id": "sale_session",
    "purchase_order_id": "purchase_order",
    "purchase_line_id": "purchase_order_line",
    "product_id": "supplied_product",
    "own_product_id": "supplied_product",
}


def upgrade() -> None:
    op.create_table(
        _TABLE,
        Column("id", Text(), nullable=False),
        *(Column(name, Text(), nullable=False) for name in _REFERENCES),
        Column("name", Text(), nullable=False),
        Column("unit_quantity", Exact(), nullable=False),
        Column("unit", Text(), nullable=False),
        Column("vat_rate", Exact(), nullable=False),
        Column("price", Whole, nullable=False),
        Column("deposit", Whole, nullable=False),
        Column("currency", Text(), nullable=False),
        Column("prices_include_vat", Flag(), nullable=False),
        Column("pieces", Whole, nullable=False),
        Column("grains", Whole, nullable=False),
        Column("at", Time(), nullable=False),
        Column("person_id", Text(), nullable=True),
        CheckConstraint("pieces <> 0", name=op.f(f"ck_{_TABLE}_some_pieces")),
        *(
            ForeignKeyConstraint([name], [f"{table}.id"], name=op.f(f"fk_{_TABLE}_{name}_{table}"))
            for name, table in _REFERENCES.items()
        ),
        PrimaryKeyConstraint("id", name=op.f(f"pk_{_TABLE}")),
        sqlite_strict=True,
    )
    for name in ("session_id", "purchase_order_id"):
        op.create_index(op.f(f"ix_{_TABLE}_{name}"), _TABLE, [name])
    op.create_index("ix_stock_purchase_product", _TABLE, ["enterprise_id", "product_id", "id"])
    for statement in append_only_ddl(_TABLE, op.get_bind().dialect.name):
        op.execute(statement)
