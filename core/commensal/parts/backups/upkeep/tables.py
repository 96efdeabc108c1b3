"""The table of automatic backups and their trials."""

from sqlalchemy import Column, Table, Text

from ....storage.database import Time, checked_in, metadata, untraced

upkeep = Table(
    "upkeep",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("due_at", Time, primary_key=True),  # the moment of the night; the key lets it be enqueued only once
    Column("promised_at", Time, nullable=False),
    Column("job_id", Text, nullable=False),  # no foreign key, because old jobs are deleted
    Column("done_at", Time),
    checked_in("kind", ("backup", "backup_trial")),
    sqlite_strict=True,
    info=untraced("it is a clock"),
)
