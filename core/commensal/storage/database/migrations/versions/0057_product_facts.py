"""How long a product keeps, how it is stored, and its nutrition."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "0057_product_facts"
down_revision = "0056_weight_tolerance"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("lifetime", "storage", "nutrition"):
        op.add_column("supplied_product", Column(name, Text(), nullable=False, server_default=""))
