"""A line keeps what the shop pays for a piece of it: until now every sum looked for the terms that were in force.

Lines that exist cost what the books said of them until now.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, text

from commensal.storage.database.types import Whole

revision = "0079_line_costs"
down_revision = "0078_planned_distribution"
branch_labels = None
depends_on = None

# Nothing here is negative, so that both databases round down by dividing.
_FIX = """
    UPDATE order_line
    SET cost = COALESCE(
        (SELECT COALESCE(
             terms.price,
             (COALESCE(order_line.list_price, order_line.price) * (10000 - terms.margin) + 5000) / 10000)
         FROM purchase_terms AS terms
         WHERE terms.id = (SELECT max(earlier.id) FROM purchase_terms AS earlier
                           WHERE earlier.item_id = order_line.item_id AND earlier.id < order_line.id)),
        list_price,
        price)
"""


def upgrade() -> None:
    op.add_column("order_line", Column("cost", Whole, nullable=True))
    fix_costs()


def fix_costs() -> None:
    op.execute(text(_FIX))
