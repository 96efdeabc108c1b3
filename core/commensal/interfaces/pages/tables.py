"""Pages that answered a form, until nobody goes back to them any more."""

from sqlalchemy import Column, Table, Text

from ...storage.database import SECRET, Time, metadata, untraced

shown_page = Table(
    "shown_page",
    metadata,
    Column("id_hash", Text, primary_key=True, info=SECRET),  # SHA-256 of the id that stands in its address
    Column("sealed", Text, nullable=False, info=SECRET),  # nobody reads it without the id
    Column("expires_at", Time, nullable=False, index=True),
    sqlite_strict=True,
    info=untraced("it repeats an answer"),
)
