"""A first price that nobody has accepted waits for a person, or is no measure of others."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from commensal import Flag

revision = "federation_0043_first_prices"
down_revision = "federation_0042_barred"
branch_labels = None
depends_on = None

_KNOWN = "reason IN ('', 'band', 'cost', 'allowance', 'first')"


def upgrade() -> None:
    """SQLite cannot change a constraint: the table, to which nothing refers, is made anew there."""
    name = op.f("ck_federation_followed_price_reason_known")
    strict = {"sqlite_strict": True}
    with op.batch_alter_table("federation_followed_price", table_kwargs=strict) as table:
        table.add_column(Column("unseen", Flag(), nullable=False, server_default="0"))
        if op.get_bind().dialect.name == "postgresql":
            table.drop_constraint(name, type_="check")
        table.create_check_constraint(name, _KNOWN)
