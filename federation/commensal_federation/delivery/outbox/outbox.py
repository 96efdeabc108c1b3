"""Signs a message and queues it in the transaction of the change that it reports."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select

from commensal import Conflict, Transaction, enqueue

from ...identity import current_key
from ...messages.envelope import multihash, write_envelope
from ...messages.types import MessageType, Writing
from ...peers.peers import Peer, peer_by_id
from ...runtime import Federation
from ...signing import Unreadable
from ..lanes import PUSH, next_place, posted
from ..restore.epochs import current_epoch
from ..tables import federation_outbox

_box = federation_outbox.c
_KEEP = insert(federation_outbox)  # made once, since each message needs it
_NOT_SENT_YET = {"state": "waiting", "attempts": 0, "error": "", "recovered": False}


def post(
    federation: Federation,
    tx: Transaction,
    peer_id: str,
    type_name: str,
    body: object,
    *,
    on_behalf_of: str | None = None,
    in_reply_to: str | None = None,
    expires: datetime | None = None,
    due_at: datetime | None = None,
) -> str:
    """Queues a message of this type for the peer, and returns its id.

    `body` is of the type's dataclass, `on_behalf_of` the IRI of an enterprise of ours, `expires` (UTC) the moment from
    which it means nothing any more; `due_at` (UTC) delays the push, for a caller that tries another way first. It goes
    out when the transaction has committed, and never if it does not; to a peer that is suspended, when it is resumed.
    Raises `Conflict` for a peer that both sides have not agreed on, and `Unreadable` for a message that is too large.
    """
    from ..restore.restored import notice_in  # which posts itself

    notice_in(federation, tx)
    known, peer = _type_of(federation, type_name), peer_by_id(tx, peer_id)
    _refuse_unagreed(peer, known)
    if peer.recovering and in_reply_to is not None and (answer_id := earlier_answer(tx, in_reply_to, type_name)):
        return answer_id
    place, promised = next_place(tx, peer_id, known.lane, current_epoch(tx))
    id = f"{federation.base}/-/federation/messages/{tx.new_id()}"
    signed = write_envelope(
        id=id,
        type=type_name,
        actor=federation.iri,
        to=peer.iri,
        place=place,
        object=known.write(body, Writing(federation.base, peer.base)),
        key=current_key(federation, tx),
        now=tx.now,
        on_behalf_of=on_behalf_of,
        in_reply_to=in_reply_to,
        expires=expires,
    )
    if len(signed) > known.largest:
        raise Unreadable("too_large", f"{type_name} has at most {known.largest} bytes")
    message = {"id": id, "type": type_name, "body": signed.decode(), "expires_at": expires, "in_reply_to": in_reply_to}
    position = {"peer_id": peer_id, "lane": place.lane, "epoch": place.epoch, "seq": place.seq}
    tx.change(_KEEP, {**message, **position, **_NOT_SENT_YET, "created_at": tx.now})
    posted(tx, peer_id, place.lane, multihash(signed))
    if not promised:
        enqueue(tx, PUSH, {"peer": peer_id, "lane": place.lane}, due_at=due_at)
    return id


def _type_of(federation: Federation, type_name: str) -> MessageType:
    binding = federation.messages.get(type_name)
    if binding is None:
        raise LookupError(f"{type_name} is not a type of message")
    return binding.type


def _refuse_unagreed(peer: Peer, message_type: MessageType) -> None:
    if message_type.lane != "peering" and peer.state not in ("accepted", "suspended"):
        raise Conflict("peer_not_agreed", "{name} and this instance have not agreed to trade.", name=peer.name)


def earlier_answer(tx: Transaction, in_reply_to: str, type_name: str) -> str | None:
    """Returns the id of our answer of this type that was sent before a restore, and that the peer has given back."""
    statement = select(_box.id).where(_box.in_reply_to == in_reply_to, _box.type == type_name, _box.recovered)
    answer_id: str | None = tx.value(statement)
    return answer_id
