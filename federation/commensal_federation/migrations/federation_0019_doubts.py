"""Lines that a producer does not confirm by itself, and what holders had sold before their lease was taken by force."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "federation_0019_doubts"
down_revision = "federation_0018_barrier"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Where a lease was taken by force before, nobody has noted what was sold of it: all that was sold of the lot
    counts, so that nothing waits for a person that was in order."""
    op.add_column("federation_order_line", Column("doubt", Text, nullable=False, server_default=""))
    op.execute(
        "UPDATE federation_lease SET sold_before ="
        " coalesce((SELECT sold FROM stock_lot WHERE stock_lot.id = federation_lease.lot_id), 0)"
        " WHERE role = 'lender' AND epoch > 1"
    )
