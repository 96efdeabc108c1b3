"""A pairing as both operators see it, and its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import delete, insert, select, update

from commensal import Periodic, Transaction, Work

from ...identity import InstanceDocument, instance_document, read_document
from ...peers.peers import WELL_KNOWN
from ...runtime import Federation
from .protocol import Side, code_of
from .tables import federation_pairing

LASTS = timedelta(days=7)  # from the link to its opening
COMPARED_WITHIN = timedelta(days=1)  # from its opening to both answers
FORGOTTEN_AFTER = timedelta(days=30)
_row = federation_pairing.c


@dataclass(frozen=True, kw_only=True)
class Pairing:
    """An invitation of ours (role "inviter"), or one that we follow ("joiner"). Times are UTC.

    state:        made → opened (the link was used) → shown (both have the digits) → agreed (ours has said "the same");
                  ended before that, by `reason`: different, cancelled (ours), told_different, told_cancelled (theirs),
                  commitment (the joiner broke its commitment)
    iri, document: the other instance; empty while the state is "made"
    their_answer: "same" once the other operator has said so
    """

    id: str
    role: Literal["inviter", "joiner"]
    invitation: str
    secret: str = field(repr=False)
    note: str
    state: str
    reason: str
    iri: str
    document: str = field(repr=False)
    document_at: datetime | None
    commitment: str
    our_nonce: str = field(repr=False)
    their_nonce: str = field(repr=False)
    their_answer: str
    created_at: datetime
    changed_at: datetime
    expires_at: datetime

    @property
    def base(self) -> str:
        """The base address of the other instance."""
        return self.iri.removesuffix(WELL_KNOWN)

    def shown_state(self, now: datetime) -> str:
        """Its state for people: "expired" if it was not used, or not answered, in time."""
        return "expired" if self.state in ("made", "opened", "shown") and self.expires_at <= now else self.state

    @property
    def is_suspicious(self) -> bool:
        """Whether it has ended because the digits differed, here or there, or the other side broke the rules."""
        return self.state == "ended" and self.reason in ("different", "told_different", "commitment")

    def their_document(self) -> InstanceDocument:
        """The document of the other instance, as it was served when the link was opened."""
        assert self.document_at is not None
        return read_document(self.document.encode(), self.iri, self.document_at)


def code(federation: Federation, tx: Transaction, pairing: Pairing) -> str:
    """The six digits of a pairing whose nonces are both known."""
    ours = Side(federation.iri, root_of(federation, tx), pairing.our_nonce)
    theirs = Side(pairing.iri, pairing.their_document().root.multikey, pairing.their_nonce)
    inviter, joiner = (ours, theirs) if pairing.role == "inviter" else (theirs, ours)
    return code_of(inviter, joiner, pairing.secret)


def root_of(federation: Federation, tx: Transaction) -> str:
    """Our root key, as our document shows it."""
    return str(instance_document(federation, tx)["keySet"]["root"]["publicKeyMultibase"])


def pairing_by_id(tx: Transaction, pairing_id: str) -> Pairing:
    """Raises `NotFound`."""
    return Pairing(**tx.one(select(federation_pairing).where(_row.id == pairing_id)))


def pairing_of(tx: Transaction, invitation: str, role: str) -> Pairing | None:
    """The pairing of this name in which we are in `role`."""
    row = tx.first(select(federation_pairing).where(_row.invitation == invitation, _row.role == role))
    return None if row is None else Pairing(**row)


def pairings(tx: Transaction, *, limit: int = 100) -> Sequence[Pairing]:
    """All that are not settled, expired ones included, the newest first."""
    query = select(federation_pairing).where(_row.state.in_(("made", "opened", "shown", "ended")))
    return [Pairing(**row) for row in tx.all(query.order_by(_row.created_at.desc(), _row.id).limit(limit))]


def pairing_with(tx: Transaction, iri: str) -> Pairing | None:
    """The newest pairing with this instance in which our operator has agreed."""
    query = select(federation_pairing).where(_row.iri == iri, _row.state == "agreed")
    row = tx.first(query.order_by(_row.changed_at.desc()).limit(1))
    return None if row is None else Pairing(**row)


def new_pairing(tx: Transaction, **values: object) -> Pairing:
    """Stores a new pairing; what is not known yet is empty."""
    empty = ("note", "reason", "iri", "document", "commitment", "our_nonce", "their_nonce", "their_answer")
    row = {
        "id": tx.new_id(),
        **dict.fromkeys(empty, ""),
        "document_at": None,
        "created_at": tx.now,
        "changed_at": tx.now,
        **values,
    }
    tx.execute(insert(federation_pairing), row)
    return pairing_by_id(tx, str(row["id"]))


def change_pairing(tx: Transaction, pairing: Pairing, *states: str, **values: object) -> bool:
    """Sets these values if the pairing is in one of the states still. Returns whether it was."""
    statement = update(federation_pairing).where(_row.id == pairing.id, _row.state.in_(states))
    return tx.execute(statement.values(**values, changed_at=tx.now)).rowcount == 1


def forget_pairings(tx: Transaction) -> None:
    """Deletes pairings that came to nothing, and ended long ago."""
    old = _row.expires_at < tx.now - FORGOTTEN_AFTER
    tx.execute(delete(federation_pairing).where(old, _row.state != "agreed"))


# Forgets pairings that came to nothing.


def work() -> Work:
    return Work({}, (Periodic("federation.forget_pairings", timedelta(days=1), forget_pairings, irreversible=True),))
