"""The table of notices: what people are to be mailed, or were mailed lately."""

from datetime import timedelta

from sqlalchemy import Column, Index, Table, Text

from commensal import Flag, Json, Time, at_most_ahead, metadata, untraced

# One row for each subject, so that an event that is repeated adds no row and no second mail.
federation_notice = Table(
    "federation_notice",
    metadata,
    Column("enterprise_id", Text, primary_key=True),  # ours, whose people are mailed; empty: the operators
    Column("kind", Text, primary_key=True),
    Column("peer_id", Text, primary_key=True),  # empty: of a platform
    Column("subject_id", Text, primary_key=True),  # the order, grant or sale; empty: a condition of the peer
    Column("details", Json, nullable=False),  # values of the mail's texts, as `note.py` writes them
    Column("waiting", Flag, nullable=False),  # it was noted after its last mail
    Column("due_at", Time, nullable=False, info=at_most_ahead(timedelta(days=8))),  # not mailed before
    Column("mailed_at", Time),
    Index("ix_federation_notice_due", "waiting", "due_at"),
    sqlite_strict=True,
    info=untraced("mails tell it to the people whom it concerns"),
)
