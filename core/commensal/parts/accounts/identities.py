"""Accounts elsewhere that are connected with an account here: whoever proves to own one is logged in.

Who may connect one is decided where it is done, in `log_in_elsewhere.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select

from ...base.errors import Conflict, NotFound
from ...hooks.values import ProvenIdentity
from ...people.people import Person
from ...people.sessions import revoke_sessions
from ...people.tables import person_identity
from ...storage.database import Transaction, insert_once
from ...storage.jobs import enqueue

MOST = 10  # of one person


@dataclass(frozen=True, kw_only=True)
class AccountElsewhere:
    """An account elsewhere, as its owner sees it. `provider` is the plugin and its id of the provider: "oidc:main"."""

    id: str
    provider: str
    label: str
    linked_at: datetime


_row = person_identity.c


def identities_of(tx: Transaction, person_id: str) -> Sequence[AccountElsewhere]:
    """The accounts elsewhere with which this person logs in, the oldest first."""
    query = select(_row.id, _row.provider, _row.label, _row.linked_at).where(_row.person_id == person_id)
    return [AccountElsewhere(**row) for row in tx.all(query.order_by(_row.linked_at, _row.id))]


def owner_of_identity(tx: Transaction, proven: ProvenIdentity) -> str | None:
    """The id of the person with whose account it is connected."""
    owner = select(_row.person_id).where(_row.issuer == proven.issuer, _row.subject == proven.subject)
    owner_id: str | None = tx.value(owner)
    return owner_id


def link_identity(tx: Transaction, owner: Person, provider: str, proven: ProvenIdentity) -> None:
    """Connects a proven account elsewhere; it has no effect if that is so already. Prove before that it is the owner
    who wants it.

    Raises `Conflict` if it is somebody else's here, or the owner has too many.
    """
    if tx.value(select(func.count()).where(_row.person_id == owner.id)) >= MOST:
        raise Conflict("too_many_identities", "At most {most} accounts elsewhere. Disconnect one first.", most=MOST)
    values = {
        "id": tx.new_id(),
        "person_id": owner.id,
        "provider": provider,
        "issuer": proven.issuer,
        "subject": proven.subject,
        "label": proven.label,
        "linked_at": tx.now,
    }
    if not insert_once(tx, person_identity, values) and owner_of_identity(tx, proven) != owner.id:
        raise Conflict("identity_taken", "Somebody else's account here is connected with this one already.")


def tell_linked(tx: Transaction, owner: Person, place: str) -> None:
    """Promises a mail to the owner: another way into their account is something that only they may have wanted.
    `place` is the provider's name."""
    recipient = {"to": owner.email, "name": owner.name, "language": owner.language}
    enqueue(tx, "mail", {"kind": "identity_linked", "values": {"place": place}, **recipient})


def unlink_identity(tx: Transaction, person_id: str, identity_id: str, *, keep: str | None) -> None:
    """Disconnects an account elsewhere and ends all sessions but `keep`, since one may have begun with it.

    The owner gets in by their password, or by a new one that is mailed. Raises `NotFound`.
    """
    ours = (_row.id == identity_id, _row.person_id == person_id)
    if tx.execute(delete(person_identity).where(*ours)).rowcount != 1:
        raise NotFound
    revoke_sessions(tx, person_id, keep=keep)


def unlink_identities(tx: Transaction, person_id: str) -> None:
    """Disconnects all: for an account that somebody else may control."""
    tx.execute(delete(person_identity).where(_row.person_id == person_id))
