"""Reads peers."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, select

from commensal import Row, Transaction

from .tables import federation_peer
from .values import Limits, Peer

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
