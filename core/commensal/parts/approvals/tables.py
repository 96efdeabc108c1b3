"""Tables of acts that need a second person."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text

from ...storage.database import Flag, Json, Time, checked_in, metadata, only_where

# Whether an enterprise wants a second person where money leaves; one without a row does, if it has two.
approval_policy = Table(
    "approval_policy",
    metadata,
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), primary_key=True),
    Column("second_person", Flag, nullable=False),
    sqlite_strict=True,
)

# An act that somebody asks for. It is done when another person agrees to just this content.
proposed_act = Table(
    "proposed_act",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),  # what it is about: of one kind and subject one act waits
    Column("content", Json, nullable=False),  # what exactly is to be done
    Column("digest", Text, nullable=False),  # of kind, subject and content
    Column("asked_by", Text, nullable=False),
    Column("asked_at", Time, nullable=False),
    Column("expires_at", Time, nullable=False),
    Column("state", Text, nullable=False),
    Column("decided_by", Text),
    Column("decided_at", Time),
    Column("reason", Text, nullable=False),  # why it was refused
    checked_in("state", ("waiting", "approved", "refused", "withdrawn")),
    CheckConstraint("decided_by <> asked_by OR state = 'withdrawn'", name="two_people"),
    Index("ix_proposed_act_enterprise", "enterprise_id", "id"),
    Index(
        "uq_proposed_act_waiting", "enterprise_id", "kind", "subject", unique=True, **only_where("state = 'waiting'")
    ),
    sqlite_strict=True,
)
