"""Whom to ask for at an enterprise, its website, and its pages at social networks."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "0058_enterprise_contact"
down_revision = "0057_product_facts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("contact_name", "website", "social_media"):
        op.add_column("enterprise", Column(name, Text(), nullable=False, server_default=""))
