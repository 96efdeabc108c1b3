"""Questions of customers who wait: one at a time for each lot and peer, with a breaker of their own; and what lenders
know of units that idle at holders, so that no more is called back than is needed. And trade that ends: peers that take
nothing of ours at present, and what was taken off a hub's lists when its grant had ended."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, false

from commensal import Flag, Json, Time, Whole

revision = "federation_0021_waiting"
down_revision = "federation_0020_identity"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("federation_peer", Column("ask_after", Time))
    op.add_column("federation_peer", Column("refusing", Flag, nullable=False, server_default=false()))
    op.add_column("federation_grant", Column("hidden", Json))
    for name in ("ordered", "recalled"):
        op.add_column("federation_lease", Column(name, Whole, nullable=False, server_default="0"))
    for name in ("recalled_at", "asked_until", "refused_until"):
        op.add_column("federation_lease", Column(name, Time))
