"""Whether enterprises mail final orders and reminders, and which reminders were sent."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from commensal.storage.database.types import Flag, Time

revision = "0039_customers_told"
down_revision = "0038_order_fields"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sale_closing", Column("reminded_at", Time(), nullable=True))
    op.add_column("closing_policy", Column("final_mail", Flag(), nullable=False, server_default="1"))
    op.add_column("closing_policy", Column("reminder", Flag(), nullable=False, server_default="1"))
