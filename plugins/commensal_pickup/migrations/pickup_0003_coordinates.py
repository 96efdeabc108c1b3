"""Where a place lies on a map."""

from alembic import op
from sqlalchemy import Column

from commensal import Exact

revision = "pickup_0003_coordinates"
down_revision = "pickup_0002_hours_and_closures"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("pickup_place", Column("latitude", Exact()))
    op.add_column("pickup_place", Column("longitude", Exact()))
