"""What is kept of a peer is counted: bytes of its messages by lane, and its orders and proposals by an index."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from commensal import Whole

revision = "federation_0015_bounds"
down_revision = "federation_0013_backorders"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("federation_lane", Column("size", Whole, nullable=False, server_default="0"))
    op.execute(
        "UPDATE federation_lane SET size = COALESCE((SELECT SUM(LENGTH(box.body)) FROM federation_inbox AS box"
        " WHERE box.peer_id = federation_lane.peer_id AND box.lane = federation_lane.lane), 0)"
        " WHERE direction = 'in'"
    )
    op.create_index("ix_federation_order_peer", "federation_order", ["peer_id", "state"])
    op.create_index("ix_federation_sale_peer", "federation_sale", ["peer_id"])
