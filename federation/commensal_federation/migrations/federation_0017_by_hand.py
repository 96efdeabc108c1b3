"""How much customers had ordered when a shortage was handed to a person."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from commensal import Whole

revision = "federation_0017_by_hand"
down_revision = "federation_0016_names"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("federation_cut", Column("ordered", Whole, nullable=True))
