"""Tables of the audit trail. It is append-only; old entries are deleted only after their expiry was recorded."""

from __future__ import annotations

from sqlalchemy import DDL, Column, Index, Table, Text, event

from ..storage.database import Json, Time, Whole, append_only, metadata, untraced
from ..storage.database.marks import trail_ddl

# No foreign keys: the trail outlives the rows that it names.
audit_entry = Table(
    "audit_entry",
    metadata,
    Column("id", Text, primary_key=True),  # grows with time
    Column("at", Time, nullable=False),
    Column("enterprise_id", Text),  # none: it concerns the instance, or a person's own account
    Column("actor", Text, nullable=False),  # "person", "token", "peer", "shell", "job", "provider", "nobody"
    Column("person_id", Text),  # the person who acted, or whose token did
    Column("token_id", Text),
    Column("request_id", Text, nullable=False),  # as in the log and in X-Request-Id
    Column("command", Text, nullable=False),  # the endpoint, the page, the job or the command of the shell
    Column("action", Text, nullable=False),  # "made", "changed", "removed", "done", "logged in" …
    Column("object_kind", Text, nullable=False),  # mostly the name of a table
    Column("object_id", Text, nullable=False),
    Column("rows", Whole, nullable=False),  # the number of rows that the entry covers
    Column("client", Text, nullable=False, server_default=""),  # of "peer": its address, or the platform's name
    Column("fields", Json, nullable=False),  # what changed: {"price": [120, 150]}
    Index("ix_audit_entry_enterprise", "enterprise_id", "id"),
    Index("ix_audit_entry_person", "person_id", "id"),
    Index("ix_audit_entry_object", "object_kind", "object_id", "id"),
    sqlite_strict=True,
    info=untraced("it is the trace"),
)

audit_expiry = Table(
    "audit_expiry",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Time, nullable=False),
    Column("before", Time, nullable=False),  # entries from before this moment may be deleted
    sqlite_strict=True,
    info=untraced("it is the trace of what was forgotten"),
)
append_only(audit_expiry)

for _dialect in ("sqlite", "postgresql"):
    for _statement in trail_ddl(_dialect):
        _ddl = DDL(_statement.replace("%", "%%"))  # type: ignore[no-untyped-call]
        event.listen(audit_entry, "after_create", _ddl.execute_if(dialect=_dialect))
