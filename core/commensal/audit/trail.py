"""Reads the audit trail, newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from ..base.acting import Acting, ActorKind, acting
from ..instance.tables import audit_entry
from ..people.actor import Actor
from ..people.tables import person
from ..storage.database import Transaction


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """Who did what. `person` is the person's current name, `client` the address of a peer or the name of a platform.

    In `fields` personal and secret values are "***". `rows` is more than one if a command changed too many rows of one
    kind to list each of them.
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
class AuditFilter:
    """Selects the entries that match all non-empty fields. `after` is the id of the last entry of the page before."""

    enterprise_id: str = ""
    person_id: str = ""
    object_kind: str = ""
    object_id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    after: str = ""


_NAME = func.coalesce(person.c.name, "").label("person")
_COLUMNS = [_NAME if field.name == "person" else audit_entry.c[field.name] for field in fields(AuditEntry)]


def audit_entries(tx: Transaction, entry_filter: AuditFilter, limit: int = 50) -> Sequence[AuditEntry]:
    """Returns at most `limit` entries, newest first."""
    entry = audit_entry.c
    statement = select(*_COLUMNS).select_from(audit_entry.outerjoin(person, person.c.id == entry.person_id))
    for column in ("enterprise_id", "person_id", "object_kind", "object_id"):
        if value := getattr(entry_filter, column):
            statement = statement.where(entry[column] == value)
    if entry_filter.since is not None:
        statement = statement.where(entry.at >= entry_filter.since)
    if entry_filter.until is not None:
        statement = statement.where(entry.at < entry_filter.until)
    if entry_filter.after:
        statement = statement.where(entry.id < entry_filter.after)
    return [AuditEntry(**row) for row in tx.all(statement.order_by(entry.id.desc()).limit(limit))]


# Who acts, for a recognised actor of a request; `base.acting` stores it.

__all__ = ["Acting", "acting", "acting_for"]


def acting_for(actor: Actor, command: str, enterprise_id: str | None = None) -> Acting:
    """Returns the author for a recognised actor: a person, their token, or a peer or platform."""
    without_person: ActorKind = "peer" if actor.client else "nobody"
    kind: ActorKind = without_person if actor.person_id is None else "token" if actor.token_id else "person"
    return Acting(
        kind=kind,
        command=command,
        enterprise_id=enterprise_id,
        person_id=actor.person_id,
        token_id=actor.token_id,
        client=actor.client,
    )
