"""Orders of platforms prove nothing, unless the enterprise had chosen the customer as whom the platform orders."""

from __future__ import annotations

from alembic import op

revision = "federation_0020_identity"
down_revision = "federation_0019_doubts"
branch_labels = None
depends_on = None


TYPED = (
    "UPDATE customer_order SET identity = 'typed' WHERE id IN ("
    "SELECT said.order_id FROM federation_platform_order said LEFT JOIN federation_platform chosen"
    " ON chosen.enterprise_id = said.enterprise_id AND chosen.platform_id = said.sender"
    " JOIN customer_order placed ON placed.id = said.order_id"
    " WHERE chosen.customer_id IS NULL OR chosen.customer_id <> placed.customer_id)"
)


def upgrade() -> None:
    """The core took them for orders of the hub, by whom they were placed."""
    op.execute(TYPED)
