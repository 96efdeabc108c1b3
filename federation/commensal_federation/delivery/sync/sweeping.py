"""Periodic work: enqueues lost jobs again, deletes old rows, calls silent peers."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import bindparam, delete, func, or_, select, update

from commensal import Transaction

from ...messages.peering import StateDigest
from ...peers.limits import forget_nonces
from ...peers.peers import peers
from ...peers.tables import federation_peer
from ...runtime import Federation
from ..lanes import enqueue_pull, enqueue_pulls, enqueue_push, where_lane
from ..outbox.breaker import GIVEN_UP
from ..outbox.outbox import post
from ..tables import federation_inbox, federation_lane, federation_outbox
from .refreshing import refresh_old
from .states import MIRRORED

KEPT = timedelta(days=400)  # messages of the lanes of orders and peering, which may have to be proven
KEPT_CATALOGUE = timedelta(days=30)  # whose state can be asked for
WAITING_CATALOGUE = GIVEN_UP  # those that could not be sent: the peer asks for the state when it is back
SILENT = timedelta(minutes=15)  # a peer that has said nothing for so long is asked
_AT_ONCE = 5000  # rows of one transaction
_lane, _out, _in, _peer = federation_lane.c, federation_outbox.c, federation_inbox.c, federation_peer.c
# Made once, since they are asked every minute.
_STUCK = (_lane.promised, _lane.worked_until < bindparam("now"))
_LOST = select(_lane.peer_id).where(*_STUCK, _lane.direction == "out").distinct()
_LET_GO = (
    update(federation_lane)
    .where(*_STUCK, _lane.direction == "in")
    .values(promised=False, worked_until=None)
    .returning(_lane.peer_id, _lane.lane)
)
_SILENT = select(_peer.id, _peer.epoch_seen).where(
    _peer.state == "accepted",
    or_(_peer.asked_at.is_(None), _peer.asked_at < bindparam("before")),
    or_(_peer.last_seen_at.is_(None), _peer.last_seen_at < bindparam("before")),
)


def wake(tx: Transaction) -> None:
    """Every minute: enqueues pushes and pulls whose jobs were lost, and calls to peers that have been silent."""
    forget_nonces(tx)
    refresh_old(tx)
    for row in tx.all(_LOST, {"now": tx.now}):
        enqueue_push(tx, row["peer_id"])
    for row in tx.all(_LET_GO, {"now": tx.now}):
        enqueue_pull(tx, row["peer_id"], row["lane"])
    for row in tx.all(_SILENT, {"before": tx.now - SILENT}):
        tx.execute(update(federation_peer).where(_peer.id == row["id"]), {"asked_at": tx.now})
        enqueue_pulls(tx, row["id"], row["epoch_seen"])


def forget_old(tx: Transaction) -> None:
    """Every day: deletes old rows. Received messages stay known for ever, by the number up to which rows are gone."""
    for row in tx.all(select(federation_lane.c.peer_id, _lane.lane, _lane.epoch).where(_lane.direction == "in")):
        _forget_received(tx, row["peer_id"], row["lane"], row["epoch"])
    expired = (_out.lane == "catalogue", _out.state == "waiting", _out.created_at < tx.now - WAITING_CATALOGUE)
    tx.execute(delete(federation_outbox).where(_out.id.in_(select(_out.id).where(*expired).limit(_AT_ONCE))))
    for catalogue, retention in ((True, KEPT_CATALOGUE), (False, KEPT)):
        lane = _out.lane == "catalogue" if catalogue else _out.lane != "catalogue"
        old = select(_out.id).where(lane, _out.state != "waiting", _out.created_at < tx.now - retention).limit(_AT_ONCE)
        tx.execute(delete(federation_outbox).where(_out.id.in_(old)))


def send_digests(federation: Federation, tx: Transaction) -> None:
    """Every day: sends each peer digests of what it should have of this instance, so that differences are repaired."""
    for peer in peers(tx):
        for room in MIRRORED.values() if peer.active else ():
            for name, digest in sorted(room.digests(federation, tx, peer).items()):
                post(federation, tx, peer.id, "StateDigest", StateDigest(room.name, name, digest))


def _forget_received(tx: Transaction, peer_id: str, lane: str, epoch: int) -> None:
    retention = KEPT_CATALOGUE if lane == "catalogue" else KEPT
    all_of_it = (_in.peer_id == peer_id, _in.lane == lane)
    old_rows = (*all_of_it, _in.state != "parked", _in.received_at < tx.now - retention)
    last = tx.value(select(func.max(_in.seq)).where(*old_rows, _in.epoch == epoch))
    if last is not None:
        swept = update(federation_lane).where(*where_lane(peer_id, lane, "in"), _lane.swept < last)
        tx.execute(swept, {"swept": last})
    old = select(_in.id).where(*old_rows).limit(_AT_ONCE)
    if tx.execute(delete(federation_inbox).where(_in.id.in_(old))).rowcount:
        remaining_size = select(func.coalesce(func.sum(func.length(_in.body)), 0)).where(*all_of_it)
        tx.execute(update(federation_lane).where(*where_lane(peer_id, lane, "in")), {"size": tx.value(remaining_size)})
