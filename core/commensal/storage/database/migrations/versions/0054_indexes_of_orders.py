"""Indexes of orders without the rows that refer to nothing, and none by product, which nothing used: each order wrote five
pages of them."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0054_indexes_of_orders"
down_revision = "0053_secrets_of_waiting_mails"
branch_labels = None
depends_on = None

_PARTIAL = (  # the index, its table, and its columns; the first is the reference
    ("ix_order_line_substitutes_id", "order_line", ["substitutes_id"]),
    ("ix_adjustment_line_id", "adjustment", ["line_id"]),
    ("ix_customer_order_person", "customer_order", ["person_id", "id"]),
    ("ix_customer_person_id", "customer", ["person_id"]),
)


def upgrade() -> None:
    op.drop_index("ix_order_line_product_id", table_name="order_line")
    for name, table, columns in _PARTIAL:
        condition = text(f"{columns[0]} IS NOT NULL")
        op.drop_index(name, table_name=table)
        op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)
