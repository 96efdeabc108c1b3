"""A link says whether prices have VAT that do not say so themselves; so far they were taken as the hub's own are."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from commensal import Flag

revision = "federation_0045_link_vat"
down_revision = "federation_0044_worked_by"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("federation_link", Column("prices_include_vat", Flag(), nullable=False, server_default="1"))
    op.execute(
        "UPDATE federation_link SET prices_include_vat ="
        " (SELECT prices_include_vat FROM enterprise WHERE enterprise.id = federation_link.enterprise_id)"
        " WHERE enterprise_id IN (SELECT id FROM enterprise)"
    )
