"""The table of pages that answered a form, which are stored for an hour."""

from sqlalchemy import Column, Table, Text

from ...storage.database import SECRET, Time, metadata, untraced

shown_page = Table(
    "shown_page",
    metadata,
    Column("id_hash", Text, primary_key=True, info=SECRET),  # SHA-256 of the id in its URL
    Column("sealed", Text, nullable=False, info=SECRET),  # encrypted; the id is part of the key
    Column("expires_at", Time, nullable=False, index=True),
    sqlite_strict=True,
    info=untraced("it repeats an answer"),
)
