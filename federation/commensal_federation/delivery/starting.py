"""What an instance does before it serves anybody: looks for a restore, and calls its peers."""

from __future__ import annotations

from sqlalchemy import select

from commensal import Instance, Job, Transaction, enqueue

from ..peers.peers import peer_by_id
from ..peers.tables import federation_peer
from ..runtime import Federation, federation_of
from ..transport import Unreachable
from .lanes import enqueue_pulls, enqueue_push
from .restore.recovering import look_for_restore
from .restore.restored import notice_restore

HELLO = "federation.hello"  # a job: {"peer": its id}
_ACTIVE = select(federation_peer.c.id).where(federation_peer.c.state == "accepted").order_by(federation_peer.c.id)


def start(federation: Federation) -> None:
    """Looks for an unreported restore, and enqueues a call to each peer."""
    notice_restore(federation)
    with federation.instance.store.read() as tx:
        active = [row["id"] for row in tx.all(_ACTIVE)]
    if active:
        with federation.instance.store.write() as tx:
            for peer_id in active:
                enqueue(tx, HELLO, {"peer": peer_id})


def hello(instance: Instance, job: Job) -> None:
    """The job, which is tried once. The question is which of our messages the peer has: so it hears that we are up, and
    we hear if we were put back to an earlier moment without being told, as a virtual machine is that is rolled back."""
    federation, peer_id = federation_of(instance), job.payload["peer"]
    with instance.store.read() as tx:
        peer = peer_by_id(tx, peer_id)
    if not peer.active or peer.recovering:
        return
    try:
        look_for_restore(federation, peer)
    except Unreachable:
        return
    instance.store.transact(lambda tx: _catch_up(tx, peer_id))


def _catch_up(tx: Transaction, peer_id: str) -> None:
    peer = peer_by_id(tx, peer_id)
    if peer.active and not peer.recovering:
        enqueue_push(tx, peer_id)
        enqueue_pulls(tx, peer_id, peer.epoch_seen)
