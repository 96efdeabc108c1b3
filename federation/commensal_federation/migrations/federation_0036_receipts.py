"""Orders between instances hold what the hub says that it got and owes, and what the producer says to that."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

from commensal import Exact, Whole

revision = "federation_0036_receipts"
down_revision = "federation_0035_offers_named"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("federation_order", Column("owed", Whole, nullable=True))
    op.add_column("federation_order", Column("receipt", Text(), nullable=False, server_default=""))
    op.add_column("federation_order", Column("objection", Text(), nullable=False, server_default=""))
    op.add_column("federation_order_line", Column("received", Whole, nullable=True))
    op.add_column("federation_order_line", Column("received_quantity", Exact, nullable=True))
    op.add_column("federation_order_line", Column("received_amount", Whole, nullable=True))
