"""Of which sales the opening was announced. Openness is a matter of time, so nothing else marks the moment."""

from sqlalchemy import Column, Table, Text

from ...storage.database import Time, metadata, untraced

sale_opening = Table(
    "sale_opening",
    metadata,
    Column("session_id", Text, primary_key=True),  # no key: a session nobody has ordered at may still be removed
    Column("announced_at", Time, nullable=False),
    sqlite_strict=True,
    info=untraced("it marks a moment"),
)
