"""The IRI by which a platform named the product of a line, so that answers repeat it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "federation_0027_line_products"
down_revision = "federation_0026_hub_of_cut"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("product_iri", sa.Text(), nullable=False, server_default="")
    op.add_column("federation_platform_line", column)
