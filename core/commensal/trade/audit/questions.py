"""What the audit trail tells, the newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from ...storage.database import Transaction
from ..people.tables import person
from .tables import audit_entry


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """Who did what. `person` is the name they have today, `client` the address of a peer or the name of a platform;
    what is personal or secret in `fields` reads "***".

    `rows` is more than one where a command changed too many alike to tell them one by one.
    """

    id: str
    at: datetime
    enterprise_id: str | None
    actor: str
    person_id: str | None
    person: str
    token_id: str | None
    client: str
    request_id: str
    command: str
    action: str
    object_kind: str
    object_id: str
    rows: int
    fields: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which entries: those that are all of this. `after` is the id of the last one that was seen."""

    enterprise_id: str = ""
    person_id: str = ""
    object_kind: str = ""
    object_id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    after: str = ""


_NAME = func.coalesce(person.c.name, "").label("person")
_COLUMNS = [_NAME if one.name == "person" else audit_entry.c[one.name] for one in fields(AuditEntry)]


def audit_entries(tx: Transaction, wanted: Wanted, limit: int = 50) -> Sequence[AuditEntry]:
    """At most `limit` entries, the newest first."""
    row = audit_entry.c
    found = select(*_COLUMNS).select_from(audit_entry.outerjoin(person, person.c.id == row.person_id))
    for column in ("enterprise_id", "person_id", "object_kind", "object_id"):
        if value := getattr(wanted, column):
            found = found.where(row[column] == value)
    if wanted.since is not None:
        found = found.where(row.at >= wanted.since)
    if wanted.until is not None:
        found = found.where(row.at < wanted.until)
    if wanted.after:
        found = found.where(row.id < wanted.after)
    return [AuditEntry(**one) for one in tx.all(found.order_by(row.id.desc()).limit(limit))]
