"""Job: recovers the exchange with one peer after a restore: first our messages to it, then its messages to us."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial

from sqlalchemy import ColumnElement, func, insert, select, update

from commensal import Instance, Job, Transaction, enqueue

from ...grants.sale_ends import lift_barrier, names_behind_barrier
from ...identity import instance_document
from ...identity.read import read_document
from ...messages.envelope import CONTEXT, INSIDE, LARGEST, Envelope, read_envelope
from ...messages.types import LANES, Lane, Wait
from ...peers.peers import Peer, peer_by_id
from ...peers.tables import federation_peer
from ...runtime import Federation, federation_of
from ...signing import BadProof, PublicKey, Unreadable, canonical, read_json, verify
from ...transport import Unreachable
from ..alerts import alert
from ..calling import address_of, fetch
from ..inbox.dispatch import retry_parked
from ..lanes import RECOVER, enqueue_pulls, enqueue_push
from ..outbox.failed import fail, own_envelope
from ..outbox.pushing import push_lane
from ..plugin_code import tell_plugin
from ..sync.pulling import LIMIT, SIZE, Cursor, pull_lane, write_cursor
from ..tables import federation_outbox
from .epochs import current_epoch
from .restored import restored, sent_of

AGAIN = timedelta(minutes=1)
_ROUNDS = 500
_box = federation_outbox.c


def recover(instance: Instance, job: Job) -> None:
    """Job: it is retried until the peer answers; nothing else is sent to the peer before."""
    federation = federation_of(instance)
    peer_id = job.payload["peer"]
    try:
        done = _recover(federation, peer_id, job)
    except Unreachable:
        done = False
    if not done:
        instance.store.transact(lambda tx: _come_back(tx, job.payload))


def _come_back(tx: Transaction, payload: Mapping[str, str]) -> None:
    _alert_barrier(tx, payload["peer"])
    enqueue(tx, RECOVER, payload, due_at=tx.now + AGAIN)


def _alert_barrier(tx: Transaction, peer_id: str) -> None:
    """Alerts a person that a peer behind the barrier does not answer."""
    names = names_behind_barrier(tx, peer_id)
    if names is not None:
        text = "is not sold or lent until it answers, or somebody goes on without it by its name."
        alert(tx, peer_id, "barrier", f"{names or 'Nothing yet'} {text}")


def _recover(federation: Federation, peer_id: str, job: Job) -> bool:
    store = federation.instance.store
    with store.read() as tx:
        peer, epoch = peer_by_id(tx, peer_id), current_epoch(tx)
    if not peer.recovering:
        return look_for_restore(federation, peer, job.payload.get("claim", ""))
    for lane in LANES:
        if take_back(federation, peer, lane) is None:
            return False
    if peer.state == "suspended":  # what we had said to it is known; what it says waits until it is resumed
        store.transact(lambda tx: lift_barrier(tx, peer_id))
        return False
    for lane in LANES:
        if not pull_lane(federation, peer_id, lane, by=job.id, recovery=True):
            return False
    store.transact(partial(_recover_rest, federation, peer_id=peer_id))
    for lane in ("order", "catalogue"):
        push_lane(federation, peer_id, lane, by=job.id, recovery=True, before=epoch)
    if store.transact(lambda tx: _is_waiting(tx, peer_id, _box.lane != "peering", _box.epoch < epoch)):
        return False  # after EpochStart the peer would fetch on from there, and never ask for them
    push_lane(federation, peer_id, "peering", by=job.id, recovery=True)
    return store.transact(lambda tx: _go_on(tx, peer_id))


def _is_waiting(tx: Transaction, peer_id: str, *conditions: ColumnElement[bool]) -> bool:
    """Whether a message to the peer that fits the conditions has not gone out."""
    waits = select(_box.id).where(_box.peer_id == peer_id, _box.state == "waiting", *conditions)
    return tx.first(waits.limit(1)) is not None


def _go_on(tx: Transaction, peer_id: str) -> bool:
    """Ends the recovery once the peer has accepted EpochStart. Returns whether it has."""
    if _is_waiting(tx, peer_id, _box.type == "EpochStart"):
        return False
    tx.execute(update(federation_peer).where(federation_peer.c.id == peer_id), {"recovering": False})
    lift_barrier(tx, peer_id)
    enqueue_push(tx, peer_id)
    enqueue_pulls(tx, peer_id, peer_by_id(tx, peer_id).epoch_seen)
    return True


def look_for_restore(federation: Federation, peer: Peer, claim: str = "") -> bool:
    """Asks the peer for messages of ours that we do not know. Returns whether it answered for all lanes.

    If it has some, this instance was restored without saying so: it begins a new epoch and alerts the operator. If it
    has none, its `claim` to have read more than we have sent is false, and the operator is alerted to that.
    """
    for lane in LANES:
        taken_ids = take_back(federation, peer, lane)
        if taken_ids is None:
            return False
        if taken_ids:
            federation.instance.store.transact(partial(_begin_anew, federation, peer=peer, message_ids=taken_ids))
            return True
    if claim:
        federation.instance.store.transact(lambda tx: alert(tx, peer.id, "future_cursor", claim))
    return True


def _begin_anew(federation: Federation, tx: Transaction, peer: Peer, message_ids: Sequence[str]) -> None:
    if restored(federation, tx, f"{peer.iri} has {message_ids[0]}"):
        alert(tx, peer.id, "rolled_back", f"It has {len(message_ids)} messages of ours that we did not know.")


def take_back(federation: Federation, peer: Peer, lane: Lane) -> Sequence[str] | None:
    """Fetches messages of ours that the peer has and this instance has not. Returns their ids; None if the peer answers
    with an error."""
    taken_ids: list[str] = []
    for _ in range(_ROUNDS):
        with federation.instance.store.read() as tx:
            after = _last(tx, peer.id, lane)
        url = f"{address_of(peer, 'inbox')}?lane={lane}&after={write_cursor(after)}&limit={LIMIT}"
        answer = fetch(federation, url, size=SIZE)
        if answer.status != 200:
            return None
        lines = [line for line in answer.body.split(b"\n") if line]
        if not lines:
            return taken_ids
        stored_ids = federation.instance.store.transact(partial(_keep, federation, peer=peer, lines=lines))
        if not stored_ids:
            return taken_ids
        taken_ids += stored_ids
    return taken_ids


def _keep(federation: Federation, tx: Transaction, peer: Peer, lines: Sequence[bytes]) -> Sequence[str]:
    keys = _our_keys(federation, tx)
    stored_ids = []
    for line in lines:
        envelope = _ours(federation, tx, peer, line, keys)
        if envelope is None or _known(tx, envelope):
            continue
        _make_room(federation, tx, peer, envelope)
        tx.execute(insert(federation_outbox), _row(tx, peer, envelope))
        stored_ids.append(envelope.id)
        _recover_effect(federation, tx, peer, envelope)
    return stored_ids


def _known(tx: Transaction, envelope: Envelope) -> bool:
    """Whether this instance has the message; marks it as delivered if it was still waiting."""
    if tx.first(select(_box.id).where(_box.id == envelope.id)) is None:
        return False
    delivered = update(federation_outbox).where(_box.id == envelope.id, _box.state == "waiting")
    tx.execute(delivered, {"state": "delivered", "error": "", "finished_at": tx.now})
    return True


def _make_room(federation: Federation, tx: Transaction, peer: Peer, envelope: Envelope) -> None:
    """Moves a message out of the way that was posted after the restore under the same number: the peer has the older
    one in its place."""
    here = (_box.peer_id == peer.id, _box.lane == envelope.lane, _box.epoch == envelope.epoch, _box.seq == envelope.seq)
    row = tx.first(select(federation_outbox).where(*here))
    if row is None:
        return
    if row["state"] == "waiting":
        fail(federation, tx, row, "restored", "Its number was given before a restore.")
    tx.execute(update(federation_outbox).where(_box.id == row["id"]), {"seq": -envelope.seq})


def _ours(
    federation: Federation, tx: Transaction, peer: Peer, line: bytes, keys: dict[str, PublicKey]
) -> Envelope | None:
    """Returns the message if this instance has signed it and sent it to this peer, else None."""
    try:
        envelope = read_envelope(read_json(line, LARGEST), line)
        verify(envelope.document, keys, tx.now, context=CONTEXT, inside=INSIDE)
    except (Unreadable, BadProof) as error:
        alert(tx, peer.id, "not_ours", f"It gave back as ours what we have not signed: {error}")
        return None
    return envelope if envelope.actor == federation.iri and envelope.to == peer.iri else None


def _our_keys(federation: Federation, tx: Transaction) -> dict[str, PublicKey]:
    """Returns all keys with which this instance has ever signed, also those that have ended."""
    document = canonical(instance_document(federation, tx))
    return {id: key.without_end() for id, key in read_document(document, federation.iri, tx.now).keys.items()}


def _recover_effect(federation: Federation, tx: Transaction, peer: Peer, envelope: Envelope) -> None:
    """Has the handler of its type recover what the message did here; if that must wait, the message says for what."""
    binding = federation.messages.get(envelope.type)
    if binding is None or binding.handler.recover is None:
        return
    recover, sent = binding.handler.recover, sent_of(federation, peer, binding.type, envelope)
    waits_for: list[str] = []

    def try_now() -> None:
        try:
            with tx.attempt():
                recover(federation, tx, sent)
        except Wait as wait:
            waits_for.append(str(wait))

    tell_plugin(federation, tx, binding, try_now)
    tx.execute(update(federation_outbox).where(_box.id == envelope.id), {"error": "".join(waits_for)})


def recover_rest(instance: Instance, job: Job) -> None:
    """Job: something has come for which messages of either side may wait."""
    federation = federation_of(instance)
    instance.store.transact(partial(_recover_rest, federation, peer_id=job.payload["peer"]))


def _recover_rest(federation: Federation, tx: Transaction, peer_id: str) -> None:
    """Recovers what was waiting for messages of the peer, on either side."""
    peer = peer_by_id(tx, peer_id)
    waiting = select(_box.body).where(_box.peer_id == peer_id, _box.recovered, _box.error != "")
    for row in tx.all(waiting.order_by(_box.lane, _box.epoch, _box.seq)):
        _recover_effect(federation, tx, peer, own_envelope(row["body"]))
    retry_parked(federation, tx, peer)


def _row(tx: Transaction, peer: Peer, envelope: Envelope) -> dict[str, object]:
    return {
        "id": envelope.id,
        "peer_id": peer.id,
        "lane": envelope.lane,
        "epoch": envelope.epoch,
        "seq": envelope.seq,
        "type": envelope.type,
        "body": envelope.body.decode(),
        "created_at": envelope.published,
        "expires_at": envelope.expires,
        "in_reply_to": envelope.in_reply_to,
        "state": "delivered",
        "attempts": 0,
        "error": "",
        "finished_at": tx.now,
        "recovered": True,
    }


def _last(tx: Transaction, peer_id: str, lane: str) -> Cursor:
    """Returns the last number that the peer is known to have, without the epoch that has just begun."""
    statement = select(_box.epoch, func.max(_box.seq).label("seq")).where(
        _box.peer_id == peer_id, _box.lane == lane, _box.state == "delivered"
    )
    if peer_by_id(tx, peer_id).recovering:
        statement = statement.where(_box.epoch < current_epoch(tx))
    row = tx.first(statement.group_by(_box.epoch).order_by(_box.epoch.desc()).limit(1))
    return (0, 0) if row is None else (row["epoch"], row["seq"])
