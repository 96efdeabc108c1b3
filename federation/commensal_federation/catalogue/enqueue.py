"""Enqueues jobs that send catalogues to hubs."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from commensal import Transaction, enqueue

from ..grants.questions import grants_between
from ..grants.tables import federation_grant, federation_told
from .tables import federation_told_price

TELL = "federation.tell_catalogue"  # a job: {"grant": its id}
SOON = timedelta(minutes=1)
_told, _price = federation_told.c, federation_told_price.c


def enqueue_catalogue(tx: Transaction, enterprise_id: str) -> None:
    """The enterprise's changes are sent to all hubs to which it has granted its goods."""
    for grant in grants_between(tx, enterprise_id=enterprise_id, direction="given", state="accepted"):
        enqueue(tx, TELL, {"grant": grant.id}, due_at=tx.now + SOON)


def enqueue_statements(tx: Transaction) -> None:
    """Once a day: hubs that were sent items without a statement, by an older version, are sent them with one."""
    current = (_price.grant_id == _told.grant_id, _price.item_id == _told.item_id, _price.rev == _told.rev)
    query = (
        select(_told.grant_id)
        .join(federation_told_price, onclause=current[0] & current[1] & current[2])
        .join(federation_grant, federation_grant.c.id == _told.grant_id)
        .where(_told.digest != "", _price.statement == "", federation_grant.c.state == "accepted")
    )
    for row in tx.all(query.distinct()):
        enqueue(tx, TELL, {"grant": row["grant_id"]})
