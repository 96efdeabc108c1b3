"""Orders of guests say when the link in their e-mail was followed."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from commensal.storage.database.types import Time

revision = "0075_confirmed_at"
down_revision = "0074_settled_costs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("guest_order", Column("confirmed_at", Time(), nullable=True))
