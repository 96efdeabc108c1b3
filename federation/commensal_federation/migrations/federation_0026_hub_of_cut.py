"""A cut names the hub whose customers it is for, so that it is found without the kind of the hub's order."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "federation_0026_hub_of_cut"
down_revision = "federation_0025_joined_lots"
branch_labels = None
depends_on = None

FILL = """
    UPDATE federation_cut SET enterprise_id = COALESCE(
        (SELECT enterprise_id FROM federation_order WHERE federation_order.id = federation_cut.order_id),
        (SELECT enterprise_id FROM federation_backorder WHERE federation_backorder.id = federation_cut.order_id),
        ''
    )
"""


def upgrade() -> None:
    op.add_column("federation_cut", Column("enterprise_id", Text, nullable=False, server_default=""))
    op.execute(FILL)
