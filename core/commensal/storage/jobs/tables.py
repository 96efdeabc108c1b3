"""Tables of jobs, and of the slots of periodic work."""

from datetime import timedelta

from sqlalchemy import Column, Index, Table, Text

from ..database import PERSONAL, Json, Time, Whole, at_most_ahead, checked_in, metadata, untraced

job = Table(
    "job",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("payload", Json, nullable=False, info=PERSONAL),
    Column("state", Text, nullable=False),
    Column("due_at", Time, nullable=False),
    Column("attempts", Whole, nullable=False),
    Column("claimed_until", Time, info=at_most_ahead(timedelta(hours=1))),  # after that, the worker counts as dead
    Column("claimed_by", Text),  # the process that claimed it last, by its name in `workers`; none: nobody can tell
    Column("error", Text, nullable=False),  # of the last attempt
    Column("created_at", Time, nullable=False),
    Column("finished_at", Time),
    checked_in("state", ("waiting", "running", "done", "parked")),
    Index("ix_job_due", "state", "due_at"),
    sqlite_strict=True,
    info=untraced("what is enqueued follows from what is traced"),
)

# Periodic work inserts its (name, slot) row, so it runs once however many workers there are.
job_slot = Table(
    "job_slot",
    metadata,
    Column("name", Text, primary_key=True),
    Column("slot", Time, primary_key=True),
    sqlite_strict=True,
    info=untraced("it is a clock"),
)
