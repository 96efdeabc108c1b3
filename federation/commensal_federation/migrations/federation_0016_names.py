"""Names of customers of hubs who agreed that the producer may know them, and the number of what was said of them."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal import Whole

revision = "federation_0016_names"
down_revision = "federation_0015_bounds"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("federation_order", Column("names", Whole, nullable=False, server_default="0"))
    op.add_column("federation_order", Column("names_digest", Text, nullable=False, server_default=""))
    op.create_table(
        "federation_order_name",
        Column("order_id", Text, nullable=False),
        Column("item_iri", Text, nullable=False),
        Column("place", Whole, nullable=False),
        Column("name", Text, nullable=False),
        Column("quantity", Whole, nullable=False),
        ForeignKeyConstraint(
            ["order_id"], ["federation_order.id"], name=op.f("fk_federation_order_name_order"), ondelete="CASCADE"
        ),
        PrimaryKeyConstraint("order_id", "item_iri", "place", name=op.f("pk_federation_order_name")),
        sqlite_strict=True,
    )
