"""What messages about the exchange itself do here: problems, new epochs, comparisons of state."""

from __future__ import annotations

from commensal import Transaction

from ..messages import Handler, MessageType, Received, Refuse
from ..messages.peering import (
    EPOCH_START,
    PROBLEM,
    STATE_DIGEST,
    STATE_REQUEST,
    EpochStart,
    ProblemBody,
    StateDigest,
    StateRequest,
)
from ..peers.limits import windows_of
from ..runtime import Federation
from .alerts import alert
from .outbox.failed import refused_by_peer
from .outbox.outbox import post
from .sync.states import MIRRORED

_REQUESTS = 20  # of one peer in a minute: a short question must not cost a long answer each time


def handle_problem(federation: Federation, tx: Transaction, received: Received[ProblemBody]) -> None:
    """Makes a dead letter of our message that the peer refuses, and calls `failed` of its type's handler."""
    if received.in_reply_to is not None:
        body = received.body
        refused_by_peer(federation, tx, received.peer, received.in_reply_to, body.code, body.text, stored=body.kept)


def handle_epoch_start(federation: Federation, tx: Transaction, received: Received[EpochStart]) -> None:
    """Alerts the operator; the inbox has started the lanes anew by the envelope's epoch already."""
    if received.body.epoch != received.epoch:
        raise Refuse("epoch", "The envelope is of another epoch.")
    alert(
        tx, received.peer.id, "restored", "It was restored from a backup; what it said after that backup may be lost."
    )


def handle_state_digest(federation: Federation, tx: Transaction, received: Received[StateDigest]) -> None:
    """Asks for the whole state of whatever differs."""
    body = received.body
    room = MIRRORED.get(body.room)
    if room is not None and room.seen(federation, tx, received.peer, body.name) != body.digest:
        request = StateRequest(body.room, body.name)
        post(federation, tx, received.peer.id, "StateRequest", request, in_reply_to=received.id)


def handle_state_request(federation: Federation, tx: Transaction, received: Received[StateRequest]) -> None:
    """Sends the whole state. Raises `Refuse` for a room that mirrors nothing, and above 20 requests in a minute."""
    room = MIRRORED.get(received.body.room)
    if room is None:
        raise Refuse("room", "There is no such state here.")
    if windows_of(federation.instance).add(f"state {received.peer.id}", tx.now)[0] > _REQUESTS:
        raise Refuse("too_many", "It is asked for too often.")
    room.send(federation, tx, received.peer, received.body.name)


HANDLERS: dict[MessageType, Handler] = {
    EPOCH_START: Handler(handle_epoch_start),
    PROBLEM: Handler(handle_problem),
    STATE_DIGEST: Handler(handle_state_digest),
    STATE_REQUEST: Handler(handle_state_request),
}
