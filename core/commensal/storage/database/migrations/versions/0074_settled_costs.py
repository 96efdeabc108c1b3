"""What weighed goods cost is fixed while the books of their sale are closed.

Until now what the shop pays for a weight followed the rounded amount of the customer; books that were closed by that rule
keep its figures.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, text

from commensal.storage.database.types import Whole

revision = "0074_settled_costs"
down_revision = "0073_absences"
branch_labels = None
depends_on = None

# Nothing here is negative, so that both databases round down by dividing.
_PRICE = """
    COALESCE(
        (SELECT COALESCE(terms.price, (order_line.price * (10000 - terms.margin) + 5000) / 10000)
         FROM purchase_terms AS terms
         WHERE terms.id = (SELECT max(earlier.id) FROM purchase_terms AS earlier
                           WHERE earlier.item_id = order_line.item_id AND earlier.id < order_line.id)),
        order_line.price)
"""
_SETTLE = f"""
    UPDATE order_line
    SET settled_cost = CASE WHEN price = 0 THEN {_PRICE} * quantity
                            ELSE (2 * amount * {_PRICE} + price) / (2 * price) END
    WHERE final_quantity IS NOT NULL AND order_id IN (
        SELECT customer_order.id FROM customer_order
        JOIN sale_session ON sale_session.id = customer_order.session_id
        WHERE sale_session.books_closed_at IS NOT NULL)
"""  # noqa: S608


def upgrade() -> None:
    op.add_column("order_line", Column("settled_cost", Whole, nullable=True))
    settle_closed_books()


def settle_closed_books() -> None:
    op.execute(text(_SETTLE))
