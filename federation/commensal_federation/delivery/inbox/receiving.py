"""Takes the bytes of messages, verifies, stores and handles them, without HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from commensal import Conflict, Transaction

from ...messages.envelope import LARGEST
from ...peers.limits import keep_nonce
from ...peers.peers import Peer, peer_by_id, peer_by_iri
from ...runtime import LONGEST, Federation
from ...signing import Unreadable, read_json
from ..outbox.breaker import retry_soon
from ..sync.refreshing import enqueue_refresh
from ..values import Receipt
from .admission import Admitted
from .inbox import Inbox, TooMuchKept
from .verification import Checked, NotTaken, check

MOST = 50  # messages of one batch
Read = Checked | NotTaken


def receive(federation: Federation, envelope: bytes) -> Receipt:
    """Verifies, stores and handles one message. Raises nothing that its sender could cause but `Busy`."""
    try:
        actor = read_json(envelope, LARGEST).get("actor")
    except Unreadable as error:
        return Receipt(413 if error.code == "too_large" else 422, "", error.code, error.text)
    with federation.instance.store.read() as tx:
        peer = peer_by_iri(tx, actor) if isinstance(actor, str) else None
    if peer is None or peer.state == "revoked":
        return Receipt(403, "", "peer", "not from a peer")
    try:
        (receipt,) = receive_all(federation, peer, [envelope])
    except Conflict as error:
        return Receipt(403, "", error.code, str(error))
    return receipt


def receive_all(
    federation: Federation, peer: Peer, bodies: Sequence[bytes], *, request: Admitted | None = None
) -> Sequence[Receipt]:
    """Verifies, stores and handles messages of one peer in one transaction, and returns a receipt for each.

    `request` is the request that brought them, if there was one. Raises `Replayed` for a request that was here before,
    and `Conflict` if the peer has changed meanwhile.
    """
    read = check_all(federation, peer, bodies)

    def store(tx: Transaction) -> Sequence[Receipt]:
        current = _current(tx, peer)
        if request is not None:
            keep_nonce_of(tx, request)
        retry_soon(tx, current)
        if any(isinstance(message, NotTaken) and message.receipt.code == "unknown_key" for message in read):
            enqueue_refresh(tx, current)
        return take_all(federation, tx, current, read)

    try:
        return federation.instance.store.transact(store, seconds=LONGEST)
    except TooMuchKept:
        text = "as much of this peer is kept, waits or has failed here as may be"
        return [Receipt(429, "", "kept", text) for _ in bodies]


def check_all(federation: Federation, peer: Peer, bodies: Sequence[bytes]) -> Sequence[Read]:
    """Verifies each message. Returns it, or the reason for which it is not accepted."""
    now = federation.instance.clock.now()
    return _with_replaced([_check(federation, peer, body, now) for body in bodies])


def _with_replaced(read: Sequence[Read]) -> Sequence[Read]:
    """Marks messages whose place a later one takes."""
    later: set[tuple[str, str]] = set()
    marked: list[Read] = []
    for message in reversed(read):
        if isinstance(message, Checked) and (subject := _subject_of(message)) is not None:
            marked.append(replace(message, replaced=subject in later))
            later.add(subject)
        else:
            marked.append(message)
    return marked[::-1]


def _subject_of(message: Checked) -> tuple[str, str] | None:
    message_type = message.binding.type
    if message_type.subject is None or not (subject := message_type.subject(message.body)):
        return None
    return message_type.name, subject


def take_all(federation: Federation, tx: Transaction, peer: Peer, read: Sequence[Read]) -> Sequence[Receipt]:
    """Stores and handles verified messages, in the caller's transaction."""
    inbox = Inbox(federation, tx, peer)
    receipts = [take_or_refuse(inbox, message) for message in read]
    inbox.finish()
    return receipts


def keep_nonce_of(tx: Transaction, request: Admitted) -> None:
    """Records the nonce of the request. Raises `Replayed` if it is known."""
    keep_nonce(tx, request.key_id, request.nonce, request.until)


def _check(federation: Federation, peer: Peer, body: bytes, now: datetime) -> Read:
    try:
        return check(federation, peer, body, now)
    except NotTaken as refused:
        return refused


def take_or_refuse(inbox: Inbox, message: Read) -> Receipt:
    """Stores and handles a verified message, or records why it is not accepted. Returns the receipt for its sender."""
    if isinstance(message, Checked):
        return inbox.take(message)
    if message.envelope is not None:
        inbox.refuse(message.envelope, message.receipt)
    return message.receipt


def _current(tx: Transaction, peer: Peer) -> Peer:
    """Returns the peer as it is now. Raises `Conflict` if its document has changed, or the trade has stopped."""
    current = peer_by_id(tx, peer.id)
    if current.document != peer.document or current.state in ("suspended", "revoked"):
        raise Conflict("peer_changed", "{name} has changed meanwhile.", name=peer.name)
    return current
