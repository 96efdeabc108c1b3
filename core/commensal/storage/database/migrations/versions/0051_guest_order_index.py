"""No index by the moment at which guests ordered: nothing used it, and each order wrote a page of it."""

from __future__ import annotations

from alembic import op

revision = "0051_guest_order_index"
down_revision = "0050_households"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_guest_order_placed", table_name="guest_order")
