"""Reads peers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

from sqlalchemy import bindparam, select, update

from commensal import Conflict, Row, Transaction

from ..identity import InstanceDocument, fingerprint_of, read_document, same_or_rotated
from ..identity.read import BadDocument
from ..messages.types import SCOPES as SCOPES
from ..signing import PublicKey
from .tables import federation_peer

# A peer: another instance, the scopes that both sides grant, and the state of the connection.

State = Literal["invited", "requested", "accepted", "suspended", "revoked"]
WELL_KNOWN = "/.well-known/commensal"
ANSWERED_WITHIN = timedelta(days=30)  # then a request expires, on both sides


@dataclass(frozen=True)
class Limits:
    """The resources that one peer may use.

    messages, size: messages and bytes accepted from it in a minute
    open_leases:    leases that it may hold at once
    lot_share:      percent of a lot that it may hold unsold; ten units in any case
    order_share:    percent of a lot that it may request at once for one order; ten units in any case
    kept_rows:      its parked messages and dead letters that are kept
    kept_size:      bytes of its messages that are kept in each lane
    kept_things:    its grants, copies, items, proposals, moves and open orders, of each kind
    """

    messages: int = 6000
    size: int = 64 * 1024 * 1024
    open_leases: int = 10_000
    lot_share: int = 50
    order_share: int = 50
    kept_rows: int = 10_000
    kept_size: int = 4 * 1024 * 1024 * 1024
    kept_things: int = 100_000


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A peer. `iri` is the address of its instance document, `document` that document as pinned. Times are UTC.

    scopes_given:    what it may do here
    scopes_received: what this instance may do there
    epoch_seen:      the newest epoch of its messages; 0 before the first
    recovering:      our database was restored, and it has not yet sent back what the restore lost
    requested_at:    when the request was made that waits, or waited, for an answer
    barrier:         after a restore it may hold units that are unknown here, and no person has lifted the barrier
    """

    id: str
    iri: str
    name: str
    state: State
    document: str = field(repr=False)
    document_at: datetime
    scopes_given: frozenset[str]
    scopes_received: frozenset[str]
    limits: Limits
    epoch_seen: int
    created_at: datetime
    requested_at: datetime | None
    accepted_at: datetime | None
    suspended_at: datetime | None
    revoked_at: datetime | None
    last_seen_at: datetime | None
    recovering: bool
    barrier: bool
    refusing: bool
    breaker: Literal["closed", "open"]
    failures: int
    failing_since: datetime | None
    held_until: datetime | None
    ask_after: datetime | None
    version: int

    @property
    def base(self) -> str:
        """Its base address, without a trailing slash."""
        return self.iri.removesuffix(WELL_KNOWN)

    @property
    def active(self) -> bool:
        """Whether both sides have agreed, and neither has suspended or revoked it."""
        return self.state == "accepted"

    @property
    def expires_at(self) -> datetime | None:
        """When the request that waits for an answer expires; None if none waits."""
        if self.state not in ("invited", "requested") or self.requested_at is None:
            return None
        return self.requested_at + ANSWERED_WITHIN

    def shown_state(self, now: datetime) -> str:
        """Its state for people: "expired" if nobody has answered the request in time."""
        return "expired" if self.expires_at is not None and self.expires_at <= now else self.state


_PLAIN = [name for name in Peer.__dataclass_fields__ if name not in ("scopes_given", "scopes_received", "limits")]
COLUMNS = [federation_peer.c[name] for name in Peer.__dataclass_fields__]


_BY_IRI = select(*COLUMNS).where(federation_peer.c.iri == bindparam("peer"))  # built once, since every message needs it
_BY_ID = select(*COLUMNS).where(federation_peer.c.id == bindparam("peer"))


def peer_by_iri(tx: Transaction, iri: str) -> Peer | None:
    """The peer whose document is at `iri`, in any state; None for a stranger."""
    row = tx.first(_BY_IRI, {"peer": iri})
    return None if row is None else read_peer(row)


def peer_by_id(tx: Transaction, peer_id: str) -> Peer:
    """The peer by id, in any state. Raises `NotFound`."""
    return read_peer(tx.one(_BY_ID, {"peer": peer_id}))


def peers(tx: Transaction, *, after: str = "", limit: int | None = None) -> Sequence[Peer]:
    """All peers, or the first `limit`, sorted by id, after the id `after`, suspended and revoked ones included."""
    query = select(*COLUMNS).where(federation_peer.c.id > after).order_by(federation_peer.c.id)
    return [read_peer(row) for row in tx.all(query.limit(limit))]


def read_peer(row: Row) -> Peer:
    plain: Row = {name: row[name] for name in _PLAIN}
    return Peer(
        **plain,
        scopes_given=frozenset(row["scopes_given"]),
        scopes_received=frozenset(row["scopes_received"]),
        limits=Limits(**{name: value for name, value in row["limits"].items() if name in Limits.__dataclass_fields__}),
    )


# The keys of a peer: only those of the pinned document, to which two operators agreed.

_CACHED = 512  # parsed documents kept by a process


def pinned_document(peer: Peer) -> InstanceDocument:
    """The pinned document, checked as of the time when it was pinned."""
    return _read(peer.document, peer.iri, peer.document_at)


def pinned_keys(peer: Peer) -> Mapping[str, PublicKey]:
    """The peer's keys by id, ended ones included; those have `expires` or `revoked_at`."""
    return pinned_document(peer).keys


@lru_cache(maxsize=_CACHED)
def _read(document: str, iri: str, pinned_at: datetime) -> InstanceDocument:
    return read_document(document.encode(), iri, pinned_at)


# The fingerprint of a peer's root key, which two operators compare over the telephone.


def fingerprint(peer: Peer) -> str:
    """The peer's fingerprint: eight groups of five digits."""
    return document_fingerprint(pinned_document(peer))


def refuse_other_fingerprint(document: InstanceDocument, expected: str) -> None:
    """Raises `Conflict` if the document has another fingerprint than `expected`; an empty one is not checked."""
    digits = "".join(expected.split())
    if digits and digits != document_fingerprint(document).replace(" ", ""):
        raise Conflict("peer_fingerprint", "{name} has another fingerprint than that one.", name=document.name)


def document_fingerprint(document: InstanceDocument) -> str:
    """The fingerprint of the root key in a document: eight groups of five digits."""
    return fingerprint_of(document.iri, document.root.multikey)


# Replaces a peer's pinned document with a newer one that the same root key has signed.


def repin(tx: Transaction, peer: Peer, text: str) -> bool:
    """Pins the document `text`. Returns False and changes nothing if it is invalid or no successor of the old one."""
    try:
        new = read_document(text.encode(), peer.iri, tx.now)
    except BadDocument:
        return False
    if not same_or_rotated(pinned_document(peer), new):
        return False
    values = {"document": text, "document_at": tx.now, "name": new.name}
    tx.execute(update(federation_peer).where(federation_peer.c.id == peer.id), values)
    return True
