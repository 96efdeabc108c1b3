"""Stores proven messages of one peer in one transaction: each message once for ever, in its lane, with its effect.

An `Inbox` keeps the rows of its lanes in memory until the end of the transaction, since batches bring many messages of
one lane.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import bindparam, delete, select, update

from commensal import Transaction, insert_once

from ...messages.envelope import Envelope, multihash
from ...peers.peers import Peer, peer_by_id
from ...peers.tables import federation_peer
from ...runtime import Federation
from ..alerts import alert
from ..lanes import change_lane, enqueue_pull, held_lane
from ..tables import federation_inbox, federation_lane
from ..values import Receipt
from .dispatch import HandlingResult, handle, has_room, retry_parked, tell_refusal
from .verification import Checked

SEEN_EVERY = timedelta(minutes=1)  # "last seen" is no more exact than that
_WALK = 1000  # rows that are looked at when a gap has closed
_box = federation_inbox.c
# Made once, since many messages need them.
_DIGEST = select(_box.digest).where(_box.id == bindparam("message"))
_ENDED = update(federation_inbox).where(_box.id == bindparam("message"))
_HEARD = update(federation_peer).where(federation_peer.c.id == bindparam("peer"))


@dataclass
class _Lane:
    """An incoming lane, whose row this transaction has locked."""

    epoch: int
    seq: int
    top: int
    hash: str
    swept: int
    parked: int
    size: int
    promised: bool
    gap: bool = False


class TooMuchKept(Exception):
    """The peer has used up its limit for stored or parked messages. The transaction must be rolled back."""


class Inbox:
    def __init__(
        self, federation: Federation, tx: Transaction, peer: Peer, *, pulled: bool = False, recovery: bool = False
    ) -> None:
        """`pulled`: the messages were fetched in order, and only the peer itself can have gaps between them.

        `recovery`: they are accepted although the exchange with the peer is still being recovered after a restore.
        """
        self._federation, self._tx, self._peer = federation, tx, peer
        self._pulled, self._recovery = pulled, recovery
        self._lanes: dict[str, _Lane] = {}
        self._done = False

    def take(self, checked: Checked) -> Receipt:
        """Stores a message and runs its handler, or returns why it is refused."""
        envelope, message_type = checked.envelope, checked.binding.type
        if self._peer.state not in message_type.states:
            return self._not_in_this_state(envelope)
        if self._peer.recovering and not self._recovery and envelope.lane != "peering":
            return Receipt(425, envelope.id, "recovering", "this instance is taking up after a restore")
        early = self._begin_epoch(checked)
        if early is not None:
            return early
        lane = self._lane(envelope.lane)
        if envelope.epoch == lane.epoch and envelope.seq <= lane.swept:
            return Receipt(200, envelope.id, "known")
        if message_type.scope is not None and message_type.scope not in self._peer.scopes_given:
            scope = Receipt(403, envelope.id, "scope", f"{message_type.scope} is not given to this peer")
            return self._refused(lane, envelope, scope)
        return self._store(lane, checked)

    def refuse(self, envelope: Envelope, receipt: Receipt) -> None:
        """Records the number of a message that the peer has signed and that cannot be read."""
        if envelope.epoch == self._peer.epoch_seen:
            self._refused(self._lane(envelope.lane), envelope, receipt)

    def finish(self) -> None:
        """Writes the lanes, retries parked messages, and enqueues a job that fetches what is missing."""
        self._flush()
        if self._done and any(lane.parked for lane in self._lanes.values()):
            retry_parked(self._federation, self._tx, self._peer)
        for name, lane in self._lanes.items():
            if lane.gap and not lane.promised:
                enqueue_pull(self._tx, self._peer.id, name)
        last = self._peer.last_seen_at
        if last is None or last + SEEN_EVERY < self._tx.now:
            self._tx.change(_HEARD, {"peer": self._peer.id, "last_seen_at": self._tx.now})

    def _store(self, lane: _Lane, checked: Checked) -> Receipt:
        envelope = checked.envelope
        if not insert_once(self._tx, federation_inbox, self._row(checked)):
            return self._again(envelope)
        lane.size += len(envelope.body)
        if lane.size > self._peer.limits.kept_size:
            raise TooMuchKept
        if not self._follows(lane, envelope):
            self._tx.execute(delete(federation_inbox).where(_box.id == envelope.id))
            lane.size -= len(envelope.body)
            return Receipt(409, envelope.id, "chain", "prev is not the message before it")
        self._advance(lane, envelope)
        if envelope.lane == "peering":  # its handler may change the peer and its lanes
            self._flush()
        outcome = handle(self._federation, self._tx, self._peer, checked)
        if envelope.lane == "peering":
            self._lanes.clear()
            self._peer = peer_by_id(self._tx, self._peer.id)
        self._done = self._done or outcome.state == "done"
        return self._keep(envelope, outcome)

    def _keep(self, envelope: Envelope, outcome: HandlingResult) -> Receipt:
        if outcome.state == "done":
            return Receipt(202, envelope.id)
        if not has_room(self._tx, self._peer):
            raise TooMuchKept
        self._tx.change(_ENDED, {"message": envelope.id, "state": outcome.state, "error": outcome.error})
        if outcome.state == "parked":
            self._lane(envelope.lane).parked += 1
        return Receipt(202, envelope.id, outcome.state, "" if outcome.ours else outcome.error)

    def _row(self, checked: Checked) -> dict[str, object]:
        envelope = checked.envelope
        return {
            "id": envelope.id,
            "peer_id": self._peer.id,
            "lane": envelope.lane,
            "epoch": envelope.epoch,
            "seq": envelope.seq,
            "type": envelope.type,
            "digest": envelope.digest,
            "body": envelope.body.decode(),
            "key_id": checked.key.id,
            "multikey": checked.key.multikey,
            "received_at": self._tx.now,
            "state": "done",
            "attempts": 1,
            "error": "",
        }

    def _again(self, envelope: Envelope) -> Receipt:
        """Returns the receipt of a message whose id is known. The same bytes have no effect, however late; other bytes
        are a contradiction, of which the operator is alerted."""
        stored = self._tx.first(_DIGEST, {"message": envelope.id})
        if stored is not None and stored["digest"] == envelope.digest:
            return Receipt(200, envelope.id, "known")
        if stored is not None:
            self._contradiction(f"two messages have the id {envelope.id}")
            return Receipt(409, envelope.id, "id", "another message had this id")
        self._contradiction(f"two messages have the number {envelope.lane} {envelope.epoch}.{envelope.seq}")
        return Receipt(409, envelope.id, "seq", "another message had this number")

    def _contradiction(self, text: str) -> None:
        alert(self._tx, self._peer.id, "equivocation", text)

    def _not_in_this_state(self, envelope: Envelope) -> Receipt:
        text = f"the peer is {self._peer.state} here"
        if self._peer.state in ("invited", "requested"):  # for its sender we are a peer, which a restore has undone
            return Receipt(425, envelope.id, "agreeing", text)
        return Receipt(403, envelope.id, "peer", text)

    def _begin_epoch(self, checked: Checked) -> Receipt | None:
        """Accepts messages of a later epoch once the peer has announced it, and none of an earlier one."""
        envelope, seen = checked.envelope, self._peer.epoch_seen
        if envelope.epoch == seen:
            return None
        if envelope.epoch < seen:
            return self._of_old_epoch(envelope)
        if seen and not checked.binding.type.opens:
            return Receipt(425, envelope.id, "epoch", "EpochStart has not come yet")
        start_epoch(self._tx, self._peer.id, envelope.epoch)
        self._lanes.clear()
        self._peer = peer_by_id(self._tx, self._peer.id)
        return None

    def _of_old_epoch(self, envelope: Envelope) -> Receipt:
        stored = self._tx.first(_DIGEST, {"message": envelope.id})
        if stored is not None:
            return self._again(envelope)
        alert(self._tx, self._peer.id, "epoch", f"a message of the epoch {envelope.epoch}, which is over, came anew")
        return Receipt(409, envelope.id, "epoch", "this epoch is over")

    def _follows(self, lane: _Lane, envelope: Envelope) -> bool:
        """Whether `prev` is the hash of the message before it, as far as that one is known."""
        if envelope.seq != lane.seq + 1 or (not lane.hash and envelope.seq > 1) or envelope.prev == lane.hash:
            return True
        self._contradiction(f"the message {envelope.id} does not follow what came before it")
        return False

    def _advance(self, lane: _Lane, envelope: Envelope) -> None:
        if envelope.epoch != lane.epoch:
            return
        top = max(lane.top, envelope.seq)
        if envelope.seq == lane.seq + 1 or (self._pulled and envelope.seq > lane.seq):
            lane.seq, lane.hash = envelope.seq, multihash(envelope.body)
            if top > lane.seq:
                self._walk(envelope.lane, lane)
        lane.top, lane.gap = top, top > lane.seq

    def _walk(self, name: str, lane: _Lane) -> None:
        """Advances the lane over messages that were stored beyond a gap, after the gap has closed."""
        beyond = select(_box.seq, _box.body).where(
            _box.peer_id == self._peer.id, _box.lane == name, _box.epoch == lane.epoch, _box.seq > lane.seq
        )
        for row in self._tx.all(beyond.order_by(_box.seq).limit(_WALK)):
            if row["seq"] != lane.seq + 1:
                return
            lane.seq, lane.hash = row["seq"], multihash(row["body"].encode())

    def _refused(self, lane: _Lane, envelope: Envelope, receipt: Receipt) -> Receipt:
        """Counts the number of a refused message, so that it is not fetched again, and sends a `Problem` to its sender:
        the answer to a push can get lost, and a fetched message has none."""
        if self._follows(lane, envelope):
            self._advance(lane, envelope)
        tell_refusal(self._federation, self._tx, self._peer, envelope, receipt)
        return receipt

    def _lane(self, name: str) -> _Lane:
        if name not in self._lanes:
            row = held_lane(self._tx, self._peer.id, name, "in", self._peer.epoch_seen)
            values = {key: row[key] for key in ("epoch", "seq", "top", "hash", "swept", "parked", "size")}
            self._lanes[name] = _Lane(**values, promised=bool(row["promised"]), gap=row["top"] > row["seq"])
        return self._lanes[name]

    def _flush(self) -> None:
        for name, lane in self._lanes.items():
            values = {name: getattr(lane, name) for name in ("seq", "top", "hash", "parked", "size")}
            change_lane(self._tx, self._peer.id, name, "in", values)


def start_epoch(tx: Transaction, peer_id: str, epoch: int) -> None:
    """Starts a new epoch of the peer, in which its messages count from 1."""
    tx.execute(update(federation_peer).where(federation_peer.c.id == peer_id), {"epoch_seen": epoch})
    incoming = update(federation_lane).where(federation_lane.c.peer_id == peer_id, federation_lane.c.direction == "in")
    tx.execute(incoming, {"epoch": epoch, "seq": 0, "top": 0, "hash": "", "swept": 0})
