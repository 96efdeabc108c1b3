"""How much more or less goods may weigh than ordered, and so what an order costs at most."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from commensal.storage.database.types import Exact, Whole

revision = "0056_weight_tolerance"
down_revision = "0055_member_scopes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("supplied_product", Column("weight_tolerance", Exact, nullable=True))
    op.add_column("order_line", Column("weight_tolerance", Exact, nullable=True))
    op.add_column("customer_order", Column("total_at_most", Whole, nullable=True))
