"""What an instance was to do for itself, and when it had done it."""

from sqlalchemy import Column, Table, Text

from ...storage.database import Time, checked_in, metadata, untraced

upkeep = Table(
    "upkeep",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("due_at", Time, primary_key=True),  # the moment of that night: it can be promised once
    Column("promised_at", Time, nullable=False),
    Column("job_id", Text, nullable=False),  # jobs are forgotten after a while, so this is no foreign key
    Column("done_at", Time),
    checked_in("kind", ("backup", "backup_trial")),
    sqlite_strict=True,
    info=untraced("it is a clock"),
)
