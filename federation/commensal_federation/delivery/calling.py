"""Calls a peer: every request is signed anew, so that it proves who is calling now."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update

from commensal import Conflict, Transaction, enqueue

from ..identity import current_key
from ..messages.types import Received
from ..peers.peers import Peer, peer_by_id, pinned_document
from ..peers.tables import federation_peer
from ..runtime import Federation
from ..signing import sign_request
from ..transport import Answer, Request, Unreachable
from .clocks import note_clock_of_answer
from .inbox.dispatch import received_message
from .inbox.receiving import check_all, receive_all
from .inbox.verification import Checked
from .lanes import PUSH, change_lane, lane_row
from .outbox.breaker import came_through
from .outbox.outbox import post
from .restore.restored import notice_restore
from .tables import federation_outbox

SECONDS = 20.0
NDJSON = "application/x-ndjson"
ENVELOPE = "application/ld+json"
_ANSWER = 256 * 1024  # bytes


def send(federation: Federation, url: str, body: bytes, kind: str, *, seconds: float = SECONDS) -> Answer:
    """Posts a body of this media type. Not inside a transaction. Raises `Unreachable`."""
    return _call(federation, Request("POST", url, [("content-type", kind)], body), seconds, _ANSWER)


def fetch(federation: Federation, url: str, *, size: int, seconds: float = SECONDS) -> Answer:
    """Gets lines of JSON, at most `size` bytes. Not inside a transaction. Raises `Unreachable`."""
    return _call(federation, Request("GET", url, [("accept", NDJSON)]), seconds, size)


def inbox_of(peer: Peer) -> str:
    return pinned_document(peer).inbox


def address_of(peer: Peer, name: str) -> str:
    """One of the other addresses that this protocol fixes."""
    return f"{peer.base}/-/federation/{name}"


def _call(federation: Federation, request: Request, seconds: float, size: int) -> Answer:
    instance = federation.instance
    with instance.store.read() as tx:
        key, now = current_key(federation, tx), tx.now
    signed = sign_request(request, key, now, instance.ids.secret())
    answer = federation.transport.send(signed, seconds=seconds, size=size)
    note_clock_of_answer(federation, request.url, answer)
    return answer


# Asks a peer a question and waits for the answer; a lost answer comes by the inbox later.

PROBE = timedelta(seconds=3)  # after which the next who waits asks a peer that has not answered
_box = federation_outbox.c


def ask(
    federation: Federation,
    peer_id: str,
    type_name: str,
    body: object,
    seconds: float,
    *,
    on_behalf_of: str | None = None,
    expires: datetime | None = None,
) -> Received[object] | None:
    """Posts a message and asks the peer for its answer at once. Not inside a transaction.

    None: the peer has it, and its answer will come to the inbox. The answer that is returned has been received, and
    handled, like any other. Raises `Unreachable` where nothing came back within `seconds`, or nothing did a moment ago:
    then a type that fades is given up, and any other goes the usual way. Raises `Conflict` as `post` does.
    """
    store = federation.instance.store
    notice_restore(federation)
    with store.read() as tx:
        _refuse_away(tx, peer_by_id(tx, peer_id))

    def put(tx: Transaction) -> str:
        later = tx.now + timedelta(seconds=seconds)  # the usual way goes on where this one does not
        return post(federation, tx, peer_id, type_name, body, on_behalf_of=on_behalf_of, expires=expires, due_at=later)

    id = store.transact(put)
    with store.read() as tx:
        peer = peer_by_id(tx, peer_id)
        lane: str = tx.value(select(_box.lane).where(_box.id == id))
        signed: str = tx.value(select(_box.body).where(_box.id == id))
    try:
        answer = send(federation, address_of(peer, "ask"), signed.encode(), ENVELOPE, seconds=seconds)
        if answer.status not in (200, 202):
            raise Unreachable(f"{peer.base} answered {answer.status}")
    except Unreachable:
        store.transact(lambda tx: _away(federation, tx, peer_id, type_name, id))
        raise
    store.transact(lambda tx: _delivered(tx, peer_id, lane, id))
    if answer.status == 202:
        return None
    (read,) = check_all(federation, peer, [answer.body])
    if not isinstance(read, Checked) or read.envelope.in_reply_to != id:
        return None
    try:
        (receipt,) = receive_all(federation, peer, [answer.body])
    except Conflict:  # the peer was suspended meanwhile
        return None
    return received_message(peer, read) if receipt.taken else None


def _refuse_away(tx: Transaction, peer: Peer) -> None:
    """Raises `Unreachable` for a peer that has just failed a call, so that nobody waits in vain. Every few seconds one
    call is let through, whatever the breaker says."""
    if peer.recovering or not peer.active or (peer.ask_after is not None and peer.ask_after > tx.now):
        raise Unreachable(f"{peer.base} cannot be asked at the moment")


def _away(federation: Federation, tx: Transaction, peer_id: str, type_name: str, id: str) -> None:
    tx.execute(update(federation_peer).where(federation_peer.c.id == peer_id).values(ask_after=tx.now + PROBE))
    binding = federation.messages.get(type_name)
    if binding is not None and binding.type.fades:  # whoever waited has gone
        given_up = update(federation_outbox).where(_box.id == id, _box.state == "waiting")
        tx.execute(given_up, {"state": "discarded", "error": "expired: Nobody waits for it.", "finished_at": tx.now})


def _delivered(tx: Transaction, peer_id: str, lane: str, id: str) -> None:
    lane_row(tx, peer_id, lane, "out", lock=True)  # before anything else, as `post` does
    peer = peer_by_id(tx, peer_id)
    came_through(tx, peer)
    if peer.ask_after is not None:
        tx.execute(update(federation_peer).where(federation_peer.c.id == peer_id).values(ask_after=None))
    delivered = update(federation_outbox).where(_box.id == id, _box.state == "waiting")
    tx.execute(delivered, {"state": "delivered", "error": "", "finished_at": tx.now})
    others = (_box.peer_id == peer_id, _box.lane == lane, _box.state == "waiting")
    if tx.first(select(_box.id).where(*others).limit(1)) is None:  # what is posted next does not wait for our push
        change_lane(tx, peer_id, lane, "out", {"promised": False})
    else:
        enqueue(tx, PUSH, {"peer": peer_id, "lane": lane})
