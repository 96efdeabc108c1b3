"""The table of sale openings that were announced. Sales open by the clock alone, so nothing else marks the moment."""

from sqlalchemy import Column, Table, Text

from ...storage.database import Time, metadata, untraced

sale_opening = Table(
    "sale_opening",
    metadata,
    Column("session_id", Text, primary_key=True),  # no foreign key: a session without orders may be removed
    Column("announced_at", Time, nullable=False),
    sqlite_strict=True,
    info=untraced("it marks a moment"),
)
