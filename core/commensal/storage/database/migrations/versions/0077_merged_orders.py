"""An order whose goods have moved into another one has not put them on sale again: nobody can revive it."""

from __future__ import annotations

from alembic import op

revision = "0077_merged_orders"
down_revision = "0076_list_price"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Orders that were cancelled before it was noted: the goods of nearly all were on sale again.
    op.execute("UPDATE customer_order SET restocked = TRUE WHERE state = 'Cancelled' AND restocked IS NULL")
    op.execute(
        "UPDATE customer_order SET restocked = NULL WHERE state = 'Cancelled' AND id IN ("
        "SELECT object_id FROM audit_entry WHERE object_kind = 'customer_order' AND action = 'merged')"
    )
