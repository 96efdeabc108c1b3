"""Uses of customers who were logged in are told by their account alone: a guest who types their address has none."""

from __future__ import annotations

from alembic import op

revision = "vouchers_0002_by_proof"
down_revision = "vouchers_0001_first"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE vouchers_use SET mailbox = NULL WHERE person_id IS NOT NULL")
