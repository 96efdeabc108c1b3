"""Fetches a peer's document again: once a day, and when a message is signed by an unknown key."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import bindparam, select, update

from commensal import Conflict, Instance, Job, Transaction, enqueue

from ...peers.changing import change_peer
from ...peers.fetching import fetch_document
from ...peers.peers import Peer, peer_by_id, repin
from ...peers.tables import federation_peer
from ...runtime import federation_of
from ...transport import Unreachable
from ..alerts import alert, forget_alert
from ..lanes import enqueue_push

REFRESH = "federation.refresh"  # a job: {"peer": its id}
USUALLY = timedelta(days=1)
AT_MOST = timedelta(minutes=10)
OVERDUE = timedelta(days=3)  # a document is believed for seven: operators have the rest of them to look
_peer = federation_peer.c
_OLD = select(_peer.id).where(_peer.state == "accepted", _peer.looked_at < bindparam("before")).limit(100)


def enqueue_refresh(tx: Transaction, peer: Peer) -> None:
    """Enqueues a job that fetches the peer's document, unless that was done within ten minutes: forged messages must
    not make this instance call the peer again and again."""
    looked = update(federation_peer).where(
        _peer.id == peer.id, _peer.state == "accepted", _peer.looked_at < tx.now - AT_MOST
    )
    if tx.execute(looked, {"looked_at": tx.now}).rowcount == 1:
        enqueue(tx, REFRESH, {"peer": peer.id})


def refresh_old(tx: Transaction) -> None:
    """Enqueues it for all peers whose documents were fetched a day ago."""
    for row in tx.all(_OLD, {"before": tx.now - USUALLY}):
        enqueue_refresh(tx, peer_by_id(tx, row["id"]))


def refresh(instance: Instance, job: Job) -> None:
    """Job: a document that does not follow the pinned one suspends the peer until a person has looked. One that cannot
    be fetched changes nothing, and for some days worries nobody."""
    federation = federation_of(instance)
    with instance.store.read() as tx:
        peer = peer_by_id(tx, job.payload["peer"])
    if peer.state != "accepted":
        return
    try:
        text = fetch_document(federation, peer.iri).text
    except Conflict as error:
        refusal = error
        instance.store.transact(lambda tx: _note_failure(tx, peer.id, refusal))
        return
    instance.store.transact(lambda tx: _compare(tx, peer.id, text))


def _note_failure(tx: Transaction, peer_id: str, refusal: Conflict) -> None:
    pinned_at = tx.value(select(_peer.document_at).where(_peer.id == peer_id))
    if not isinstance(refusal.__cause__, Unreachable) or pinned_at < tx.now - OVERDUE:
        alert(tx, peer_id, "document", str(refusal))


def _compare(tx: Transaction, peer_id: str, text: str) -> None:
    peer = peer_by_id(tx, peer_id)
    if peer.state != "accepted":
        return
    forget_alert(tx, peer_id, "document")
    if peer.document == text:
        return
    if repin(tx, peer, text):
        enqueue_push(tx, peer_id)
        return
    change_peer(tx, peer_id, state="suspended", suspended_at=tx.now)
    alert(tx, peer_id, "document", "Its address shows a document that its root key has not signed: suspended.")
