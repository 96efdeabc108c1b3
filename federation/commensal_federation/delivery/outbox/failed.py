"""Makes dead letters of our messages that will have no effect, and tells the handler of their type."""

from __future__ import annotations

from sqlalchemy import select, update

from commensal import Row, Transaction

from ...messages.envelope import LARGEST, Envelope, read_envelope
from ...messages.types import Failed, Reading
from ...peers.peers import Peer, peer_by_id
from ...runtime import Federation
from ...signing import read_json
from ..plugin_code import tell_plugin
from ..tables import federation_outbox

PASSED = "passed: the peer has fetched on from there"  # of what counts as delivered, and nobody has said so of it
_box = federation_outbox.c


def refused_by_peer(
    federation: Federation, tx: Transaction, peer: Peer, id: str, code: str, text: str, *, stored: bool
) -> None:
    """Ends our message `id`, which the peer refuses. Does nothing unless we sent it to this peer.

    `stored`: the peer has it, with this verdict; else it may have accepted a later try, and its receipt said so.
    """
    row = tx.first(select(federation_outbox).where(_box.id == id, _box.peer_id == peer.id))
    if row is None or row["state"] in ("dead", "discarded"):
        return
    if stored or row["state"] == "waiting" or row["error"] == PASSED:
        fail(federation, tx, row, code, text)


def fail(federation: Federation, tx: Transaction, row: Row, code: str, text: str) -> None:
    """Makes a row of the outbox a dead letter, which operators see, may send again or discard."""
    _end(tx, row, "dead", f"{code}: {text}")
    binding = federation.messages.get(row["type"])
    if binding is None or binding.handler.failed is None:
        return
    failed, message_type = binding.handler.failed, binding.type
    envelope, peer = own_envelope(row["body"]), peer_by_id(tx, row["peer_id"])

    def tell() -> None:
        body = message_type.read(envelope.object, Reading(peer.base, federation.base))
        failed(federation, tx, _failed(envelope, peer, body, code, text))

    tell_plugin(federation, tx, binding, tell)


def _failed(envelope: Envelope, peer: Peer, body: object, code: str, text: str) -> Failed[object]:
    return Failed(
        id=envelope.id,
        type=envelope.type,
        peer=peer,
        on_behalf_of=envelope.on_behalf_of,
        in_reply_to=envelope.in_reply_to,
        body=body,
        code=code,
        text=text,
    )


def expire(federation: Federation, tx: Transaction, row: Row) -> None:
    """Ends a message that expired before it was delivered: a dead letter, or discarded if its type fades."""
    text = "It was not delivered in its time."
    binding = federation.messages.get(row["type"])
    if binding is None or not binding.type.fades:
        fail(federation, tx, row, "expired", text)
    else:
        _end(tx, row, "discarded", f"expired: {text}")


def _end(tx: Transaction, row: Row, state: str, error: str) -> None:
    ended = update(federation_outbox).where(_box.id == row["id"])
    tx.execute(ended, {"state": state, "error": error[:1000], "finished_at": tx.now})


def own_envelope(body: str) -> Envelope:
    """Reads an envelope from stored bytes, which were verified or written before."""
    content = body.encode()
    return read_envelope(read_json(content, LARGEST), content)
