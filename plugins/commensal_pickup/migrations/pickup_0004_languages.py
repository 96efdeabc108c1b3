"""The name of a place, and the note on it, in further languages."""

from alembic import op
from sqlalchemy import Column

from commensal import Json

revision = "pickup_0004_languages"
down_revision = "pickup_0003_coordinates"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("pickup_place", Column("names", Json(), nullable=False, server_default="{}"))
    op.add_column("pickup_place", Column("notes", Json(), nullable=False, server_default="{}"))
