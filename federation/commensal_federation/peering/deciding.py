"""An operator's word on a peer: other scopes and limits, a probe, and suspending, resuming or revoking it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from typing import Literal

from sqlalchemy import update

from commensal import Conflict, Invalid, Problem, Stale, Transaction

from ..delivery import post
from ..delivery.alerts import alert
from ..delivery.calling import address_of, fetch
from ..delivery.clocks import apart_of
from ..delivery.lanes import enqueue_pulls, enqueue_push
from ..delivery.tables import federation_inbox, federation_lane, federation_outbox
from ..delivery.values import UNKNOWN_PEER
from ..grants.sale_ends import lift_barrier, update_peer_sales
from ..messages.peering import PeerRevoke, ScopesChanged
from ..peers.changing import change_peer, read_scopes
from ..peers.fetching import Fetched, fetch_document
from ..peers.peers import Limits, Peer, peer_by_id, refuse_other_fingerprint
from ..peers.tables import federation_peer
from ..runtime import Federation
from ..signing import Unreadable, read_json
from ..transport import Answer, Unreachable

# Ends the trade with a peer, by our operator's decision or the peer's.

_NEVER = "revoked: the two instances do not trade any more"


def end_trade(federation: Federation, tx: Transaction, peer_id: str) -> None:
    """Revokes the peer. Waiting messages of both directions become dead letters, so none counts as delivered.

    Its goods are taken off sale; people must settle what customers have ordered of them.
    """
    from ..catalogue.grants import close_grants  # here, since these rooms import this one
    from ..orders.ended import settle_ended_trade

    change_peer(tx, peer_id, state="revoked", revoked_at=tx.now, recovering=False)
    outbox, inbox = federation_outbox.c, federation_inbox.c
    dead_letter = {"state": "dead", "error": _NEVER}
    tx.execute(update(federation_outbox).where(outbox.peer_id == peer_id, outbox.state == "waiting"), dead_letter)
    tx.execute(update(federation_inbox).where(inbox.peer_id == peer_id, inbox.state == "parked"), dead_letter)
    tx.execute(update(federation_lane).where(federation_lane.c.peer_id == peer_id), {"parked": 0})
    close_grants(federation, tx, peer_id)
    settle_ended_trade(tx, peer_id)


def record_revocation(federation: Federation, tx: Transaction, peer: Peer, reason: str) -> None:
    """Ends the trade because the peer has revoked it, and alerts the operator."""
    end_trade(federation, tx, peer.id)
    alert(tx, peer.id, "revoked", f"It has ended the trade. {reason}".strip())


def suspend(tx: Transaction, peer_id: str) -> Peer:
    """Suspends a peer: until it is resumed, no message is accepted from it or sent to it, and its goods are not sold.

    Raises `NotFound`, `Conflict`.
    """
    peer = peer_by_id(tx, peer_id)
    if peer.state != "accepted":
        raise Conflict("peer_not_accepted", "{name} is not a peer at present.", name=peer.name)
    change_peer(tx, peer_id, state="suspended", suspended_at=tx.now)
    update_peer_sales(tx, peer_id)
    return peer_by_id(tx, peer_id)


def go_on_without(tx: Transaction, peer_id: str) -> Peer:
    """Lifts the barrier after a restore: a person decides to sell without waiting for this peer's report.

    When it answers, an alert tells if it holds more than there is. Raises `NotFound`, and `Conflict` without a barrier.
    """
    peer = peer_by_id(tx, peer_id)
    if not lift_barrier(tx, peer_id):
        raise Conflict("no_barrier", "Nothing waits for {name}.", name=peer.name)
    return peer_by_id(tx, peer_id)


def resume(tx: Transaction, peer_id: str) -> Peer:
    """Resumes a suspended peer, and lets both sides catch up. Raises `NotFound`, `Conflict`."""
    peer = peer_by_id(tx, peer_id)
    if peer.state != "suspended":
        raise Conflict("peer_not_suspended", "{name} is not suspended.", name=peer.name)
    change_peer(tx, peer_id, state="accepted", suspended_at=None)
    update_peer_sales(tx, peer_id)
    enqueue_push(tx, peer_id)
    enqueue_pulls(tx, peer_id, peer.epoch_seen)
    return peer_by_id(tx, peer_id)


def revoke(federation: Federation, tx: Transaction, peer_id: str, *, reason: str = "") -> Peer:
    """Ends the agreement and notifies the peer if it can be reached. Only a new invitation begins another one.

    Raises `NotFound`, and `Conflict` if it has ended already.
    """
    peer = peer_by_id(tx, peer_id)
    if peer.state == "revoked":
        raise Conflict("peer_revoked", "It is over with {name} already.", name=peer.name)
    end_trade(federation, tx, peer_id)
    post(federation, tx, peer_id, "PeerRevoke", PeerRevoke(reason))
    return peer_by_id(tx, peer_id)


# Changes a peer's scopes and limits.

SHARES = ("lot_share", "order_share")  # limits in percent


def change_scopes(federation: Federation, tx: Transaction, peer_id: str, version: int, scopes: Collection[str]) -> Peer:
    """Sets the peer's scopes here and notifies it. Raises `NotFound`, `Stale`, `Invalid`, `Conflict`."""
    granted = read_scopes(federation, scopes, "/scopes")
    peer = _peer_of_version(tx, peer_id, version)
    if peer.state == "revoked":
        raise Conflict("peer_revoked", "It is over with {name} already.", name=peer.name)
    change_peer(tx, peer_id, scopes_given=granted)
    if peer.state in ("accepted", "suspended"):
        post(federation, tx, peer_id, "ScopesChanged", ScopesChanged(tuple(granted)))
    return peer_by_id(tx, peer_id)


def change_limits(tx: Transaction, peer_id: str, version: int, changes: Mapping[str, int]) -> Peer:
    """Changes these of the peer's limits. Raises `NotFound`, `Stale`, `Invalid`."""
    wrong = [name for name, value in changes.items() if value < 0 or (name in SHARES and value > 100)]
    if wrong:
        text = "A limit is 0 or more; a share of a lot is at most 100 percent."
        raise Invalid([Problem("limit", text, f"/{name}") for name in wrong])
    peer = _peer_of_version(tx, peer_id, version)
    limits, usual = asdict(replace(peer.limits, **changes)), asdict(Limits())
    change_peer(tx, peer_id, limits={name: value for name, value in limits.items() if value != usual[name]})
    return peer_by_id(tx, peer_id)


def _peer_of_version(tx: Transaction, peer_id: str, version: int) -> Peer:
    peer = peer_by_id(tx, peer_id)
    if peer.version != version:
        raise Stale
    return peer


# Confirms the new root key of a peer that has lost its keys, once two operators have compared the new fingerprint.


def confirm_keys(federation: Federation, peer_id: str, fingerprint: str) -> Peer:
    """Pins the document that the peer serves now, also with another root key, and resumes a suspended peer.

    Grants, leases and orders go on. Not inside a transaction. Raises `NotFound`, and `Conflict` if the document has
    another `fingerprint` than the one that was compared, or it is not a peer.
    """
    with federation.instance.store.read() as tx:
        fetched = fetch_confirmed(federation, peer_to_confirm(tx, peer_id), fingerprint)
    return federation.instance.store.transact(lambda tx: confirm_fetched(tx, peer_id, fetched))


def fetch_confirmed(federation: Federation, peer: Peer, fingerprint: str) -> Fetched:
    """The document of the peer, which must have this fingerprint."""
    if not fingerprint.split():
        raise Conflict("peer_fingerprint", "Compare the fingerprint with its operator first.")
    fetched = fetch_document(federation, peer.iri)
    refuse_other_fingerprint(fetched.document, fingerprint)
    return fetched


def confirm_fetched(tx: Transaction, peer_id: str, fetched: Fetched) -> Peer:
    """Like `confirm_keys`, with a document that was fetched before, inside a transaction."""
    peer = peer_to_confirm(tx, peer_id)
    change_peer(tx, peer_id, document=fetched.text, document_at=tx.now, name=fetched.document.name)
    return resume(tx, peer_id) if peer.state == "suspended" else peer_by_id(tx, peer_id)


def peer_to_confirm(tx: Transaction, peer_id: str) -> Peer:
    """The peer, if it is accepted or suspended. Raises `NotFound`, `Conflict`."""
    peer = peer_by_id(tx, peer_id)
    if peer.state not in ("accepted", "suspended"):
        raise Conflict("peer_not_accepted", "{name} is not a peer at present.", name=peer.name)
    return peer


# Probes a peer at an operator's request, without waiting for the breaker's next attempt.

_SIZE = 64 * 1024  # bytes
_peer = federation_peer.c


Probe = Literal["answers", "silent", "clock", "unknown", "refuses"]


def probe(federation: Federation, peer_id: str) -> Probe:
    """How the peer answers a signed request now. If it does, enqueues jobs that push and pull what waits on both sides;
    only a delivery closes its breaker. Not inside a transaction. Raises `NotFound`.

    "clock": it refuses us, and the clocks differ; "unknown": it does not know this instance (any more).
    """
    with federation.instance.store.read() as tx:
        peer = peer_by_id(tx, peer_id)
    try:
        answer = fetch(federation, f"{address_of(peer, 'inbox')}?lane=peering&after=0.0&limit=1", size=_SIZE)
    except Unreachable:
        return "silent"
    if answer.status != 200:
        return _refusal(federation, answer)
    federation.instance.store.transact(lambda tx: _retry_now(tx, peer_id))
    return "answers"


def _refusal(federation: Federation, answer: Answer) -> Probe:
    if apart_of(answer, federation.instance.clock.now()) is not None:
        return "clock"
    try:
        code = read_json(answer.body, _SIZE).get("code")
    except Unreadable:
        return "refuses"
    return "unknown" if code == UNKNOWN_PEER else "refuses"


def _retry_now(tx: Transaction, peer_id: str) -> None:
    tx.execute(update(federation_peer).where(_peer.id == peer_id).values(held_until=tx.now, ask_after=None))
    peer = peer_by_id(tx, peer_id)
    if peer.active:
        enqueue_push(tx, peer_id)
        enqueue_pulls(tx, peer_id, peer.epoch_seen)
