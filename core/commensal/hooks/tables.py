"""The table of plugins' failures, counted over all processes."""

from sqlalchemy import Column, Table, Text

from ..storage.database import Time, Whole, metadata, untraced

plugin_failure = Table(
    "plugin_failure",
    metadata,
    Column("plugin", Text, primary_key=True),
    Column("hook", Text, primary_key=True),
    Column("count", Whole, nullable=False),
    Column("what", Text, nullable=False),  # of the last time
    Column("last_at", Time, nullable=False),
    sqlite_strict=True,
    info=untraced("it counts failures"),
)
