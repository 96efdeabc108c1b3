"""The length of each round, and what others paid the carrier, beside its statement: they are summed for a year."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, MetaData, Table, Text, select, update

from commensal import Json, Whole

revision = "transport_0013_help"
down_revision = "transport_0012_counts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("metres", "received"):
        op.add_column("transport_statement", Column(name, Whole, nullable=False, server_default="0"))
    statement = Table(
        "transport_statement",
        MetaData(),
        Column("trip_id", Text),
        Column("content", Json),
        Column("metres", Whole),
        Column("received", Whole),
    )
    connection = op.get_bind()
    for trip_id, content in connection.execute(select(statement.c.trip_id, statement.c.content)).all():
        received = sum(row[4] for row in content["participants"][1:])
        values = {"metres": content["items"][0][1], "received": received}
        connection.execute(update(statement).where(statement.c.trip_id == trip_id).values(values))
