"""The tables of the plugin shop as release 0.2.0 left them. Its earlier revisions ended with that release."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "shop_0002_links"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    dialect = op.get_context().dialect.name
    for statement in Path(__file__).with_name(f"baseline.{dialect}.sql").read_text("utf-8").split(";\n\n"):
        op.execute(statement)
