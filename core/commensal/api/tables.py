"""Answers kept for those who ask again with the same Idempotency-Key."""

from sqlalchemy import Column, Index, Table, Text

from ..store import Json, Time, Whole, metadata

idempotent_answer = Table(
    "idempotent_answer",
    metadata,
    Column("actor", Text, primary_key=True),  # who asked: keys of two people never meet
    Column("key", Text, primary_key=True),
    Column("request_hash", Text, nullable=False),  # SHA-256 of method, path and body
    Column("status", Whole),  # none: the first request is still running
    Column("headers", Json),
    Column("body", Text),
    Column("created_at", Time, nullable=False),
    Index("ix_idempotent_answer_created", "created_at"),
    sqlite_strict=True,
)
