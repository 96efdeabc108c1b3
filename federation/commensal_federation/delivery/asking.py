"""A question that is answered while one waits; if the answer is lost, it comes by the usual way."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from commensal import Conflict, Transaction

from ..messages.types import Received
from ..peers.peers import peer_by_id
from ..runtime import Federation
from ..transport import Unreachable
from .breaker import came_through, held, note_failure
from .calling import ENVELOPE, address_of, send
from .checking import Checked
from .handling import received
from .outbox import queue
from .receiving import check_all, receive_all
from .restored import notice_restore
from .tables import federation_outbox

_box = federation_outbox.c


def ask(
    federation: Federation,
    peer_id: str,
    type_name: str,
    body: Any,
    seconds: float,
    *,
    on_behalf_of: str | None = None,
    expires: datetime | None = None,
) -> Received | None:
    """Posts a message and asks the peer for its answer at once. Not inside a transaction.

    None: no answer within `seconds`. The message is in the outbox all the same, and its answer will come to the inbox.
    The answer that is returned has been received, and handled, like any other. Raises `Conflict` as `post` does.
    """
    store = federation.instance.store
    notice_restore(federation)

    def put(tx: Transaction) -> str:
        later = tx.now + timedelta(seconds=seconds)  # the usual way goes on where this one does not
        return queue(
            federation,
            tx,
            peer_id,
            type_name,
            body,
            on_behalf_of=on_behalf_of,
            in_reply_to=None,
            expires=expires,
            due_at=later,
        )

    id = store.transact(put)
    with store.read() as tx:
        peer = peer_by_id(tx, peer_id)
        signed: str = tx.value(select(_box.body).where(_box.id == id))
        closed = held(peer, tx.now) or peer.recovering or peer.state != "accepted"
    if closed:
        return None
    try:
        answer = send(federation, address_of(peer, "ask"), signed.encode(), ENVELOPE, seconds=seconds)
    except Unreachable:
        store.transact(lambda tx: note_failure(tx, peer_by_id(tx, peer_id)))
        return None
    if answer.status not in (200, 202):
        return None
    store.transact(lambda tx: _delivered(tx, peer_id, id))
    if answer.status == 202:
        return None
    (read,) = check_all(federation, peer, [answer.body])
    if not isinstance(read, Checked) or read.envelope.in_reply_to != id:
        return None
    try:
        (receipt,) = receive_all(federation, peer, [answer.body])
    except Conflict:  # the peer was suspended meanwhile
        return None
    return received(peer, read) if receipt.taken else None


def _delivered(tx: Transaction, peer_id: str, id: str) -> None:
    came_through(tx, peer_by_id(tx, peer_id))
    came = update(federation_outbox).where(_box.id == id, _box.state == "waiting")
    tx.execute(came, {"state": "delivered", "error": "", "finished_at": tx.now})
