"""The table of responses stored for requests that are repeated with the same Idempotency-Key."""

from sqlalchemy import Column, Index, Table, Text

from ..database import PERSONAL, Json, Time, Whole, metadata, untraced

idempotent_answer = Table(
    "idempotent_answer",
    metadata,
    Column("actor", Text, primary_key=True, info=PERSONAL),  # the sender: keys of two actors are independent
    Column("key", Text, primary_key=True),  # SHA-256 of actor and Idempotency-Key
    Column("request_hash", Text, nullable=False),  # SHA-256 of method, path and body
    Column("status", Whole),  # NULL: the first request is still running
    Column("headers", Json),
    Column("body", Text, info=PERSONAL),
    Column("created_at", Time, nullable=False),
    Index("ix_idempotent_answer_created", "created_at"),
    sqlite_strict=True,
    info=untraced("it repeats an answer"),
)
