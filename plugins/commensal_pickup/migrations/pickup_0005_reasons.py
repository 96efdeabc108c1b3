"""The reason of a closure in further languages."""

from alembic import op
from sqlalchemy import Column

from commensal import Json

revision = "pickup_0005_reasons"
down_revision = "pickup_0004_languages"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("pickup_closure", Column("reasons", Json(), nullable=False, server_default="{}"))
