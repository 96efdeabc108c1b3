"""Runs the handler of a message in the transaction that stores it, so that both happen or neither."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from commensal import Busy, Refused, Row, Transaction, clock_in_doubt
from commensal.audit import Acting, acting

from ...messages.envelope import Envelope
from ...messages.peering import ProblemBody
from ...messages.types import Reading, Received, Refuse, Wait
from ...peers.limits import windows_of
from ...peers.peers import Peer, peer_by_id
from ...runtime import Federation
from ...signing import PublicKey
from ..lanes import where_lane
from ..outbox.failed import own_envelope
from ..outbox.outbox import post
from ..plugin_code import Unread, blaming, fault
from ..tables import federation_inbox, federation_lane, federation_outbox
from ..values import Receipt
from .verification import Checked, NotTaken, read_object

PATIENCE = timedelta(minutes=10)  # for a message that came before something it needs
_LONGEST = 1000
_out = federation_outbox.c
_log = structlog.get_logger("commensal.federation")


@dataclass(frozen=True)
class HandlingResult:
    """What became of a stored message."""

    state: Literal["done", "parked", "dead"]
    error: str = ""
    ours: bool = False  # a fault of this instance, which is not told to its sender


def handle(
    federation: Federation, tx: Transaction, peer: Peer, checked: Checked, *, last: bool = False
) -> HandlingResult:
    """Runs the handler of the message's type, and undoes what it did if it raises. `last`: this is the last try.

    A fault of the handler parks the message, as `Wait` does: it is tried again, and not lost.
    """
    envelope = checked.envelope
    if envelope.expires is not None and envelope.expires < tx.now:
        if checked.binding.type.fades:
            return HandlingResult("done", "expired: It came after its time.")
        if clock_in_doubt(tx):
            return HandlingResult(
                "parked", "whether it came in its time is not known, while the clock is in doubt", ours=True
            )
        return _dead(federation, tx, peer, checked, "expired", "It came after its time.")
    if checked.replaced:
        return HandlingResult("done", "replaced: A later one has come together with it.")
    if isinstance(checked.body, Unread):
        return _failed(federation, tx, peer, checked, checked.body.fault, last)
    binding = checked.binding
    guard = blaming(federation, binding, tx)
    try:
        with acting(Acting(kind="peer", command=f"message {envelope.type}", client=peer.base)), tx.attempt(), guard:
            binding.handler.handle(federation, tx, received_message(peer, checked))
    except Wait as wait:
        return _late(federation, tx, peer, checked, str(wait), last and not wait.lasting)
    except Refuse as refused:
        return _dead(federation, tx, peer, checked, refused.code, refused.text)
    except Refused as refused:
        return _dead(federation, tx, peer, checked, refused.code, str(refused))
    except (Busy, OperationalError):
        raise  # it is the database that fails, which has perhaps undone everything: the peer sends it again
    except Exception as error:  # any fault of any handler: the message is kept, and shown to the operator
        if tx.hold.taken:  # the handler hung, and nothing of this transaction is kept
            raise
        _log.error("a message could not be handled", id=envelope.id, type=envelope.type, exc_info=error)
        return _failed(federation, tx, peer, checked, fault(binding, error), last)
    return HandlingResult("done")


def received_message(peer: Peer, checked: Checked) -> Received[object]:
    """Returns the message in the form that handlers get."""
    envelope = checked.envelope
    return Received(
        id=envelope.id,
        type=envelope.type,
        peer=peer,
        on_behalf_of=envelope.on_behalf_of,
        in_reply_to=envelope.in_reply_to,
        lane=envelope.lane,
        epoch=envelope.epoch,
        seq=envelope.seq,
        published=envelope.published,
        expires=envelope.expires,
        body=checked.body,
        document=envelope.document,
    )


def _late(
    federation: Federation, tx: Transaction, peer: Peer, checked: Checked, why: str, last: bool
) -> HandlingResult:
    if last:
        return _dead(federation, tx, peer, checked, "waited", f"What it needs did not come: {why}"[:_LONGEST])
    return HandlingResult("parked", why[:_LONGEST])


def _failed(
    federation: Federation, tx: Transaction, peer: Peer, checked: Checked, why: str, last: bool
) -> HandlingResult:
    """Tells the sender on the last try that its message failed here. The reason is for the operator alone."""
    if last:
        tell_problem(federation, tx, peer, checked.envelope, "failed", "It could not be handled here.")
    return HandlingResult("dead" if last else "parked", why[:_LONGEST], ours=True)


def _dead(
    federation: Federation, tx: Transaction, peer: Peer, checked: Checked, code: str, text: str
) -> HandlingResult:
    tell_problem(federation, tx, peer, checked.envelope, code, text)
    return HandlingResult("dead", f"{code}: {text}"[:_LONGEST])


def tell_problem(
    federation: Federation,
    tx: Transaction,
    peer: Peer,
    envelope: Envelope,
    code: str,
    text: str,
    *,
    stored: bool = True,
) -> None:
    """Sends a `Problem` about the message to its sender; a problem is never answered by another one."""
    if envelope.type != "Problem":
        problem = ProblemBody(code=code[:100], text=text[:_LONGEST], kept=stored)
        post(federation, tx, peer.id, "Problem", problem, in_reply_to=envelope.id)


def tell_refusal(federation: Federation, tx: Transaction, peer: Peer, envelope: Envelope, refused: Receipt) -> None:
    """Sends a `Problem` about a message that is not stored: once, however often it comes, and within
    `has_room_to_tell`."""
    if not _is_told(tx, peer, envelope) and has_room_to_tell(tx, peer):
        tell_problem(federation, tx, peer, envelope, refused.code, refused.text, stored=False)


def _is_told(tx: Transaction, peer: Peer, envelope: Envelope) -> bool:
    conditions = (_out.in_reply_to == envelope.id, _out.peer_id == peer.id, _out.type == "Problem")
    return tx.first(select(_out.id).where(*conditions)) is not None


def has_room_to_tell(tx: Transaction, peer: Peer) -> bool:
    """Whether the peer's lane of problems is below its limit. A peer can cause any number of refusals."""
    beyond = select(_out.seq).where(_out.peer_id == peer.id, _out.lane == "peering")
    return tx.first(beyond.offset(peer.limits.kept_rows).limit(1)) is None


# Retries parked messages when more has come, and gives most of them up after ten minutes.

_box = federation_inbox.c
_AT_ONCE = 200
_ROUNDS = 5  # of one call: what is done in one may be what the next was waiting for


def has_room(tx: Transaction, peer: Peer) -> bool:
    """Whether another parked message or dead letter of the peer fits into its limit."""
    count = select(func.count()).where(_box.peer_id == peer.id, _box.state.in_(("parked", "dead")))
    stored: int = tx.value(count)
    return stored < peer.limits.kept_rows


def retry_parked(federation: Federation, tx: Transaction, peer: Peer) -> int:
    """Retries the peer's parked messages, the oldest first, until none of them ends. Returns those that ended."""
    ended = 0
    for _ in range(_ROUNDS):
        rows = _parked(tx, peer.id)
        if not _may_try(federation, tx, peer, len(rows)):
            return ended
        now = sum(_try(federation, tx, peer, row, last=False) for row in rows)
        ended += now
        if not now or now == len(rows):
            return ended
    return ended


def _may_try(federation: Federation, tx: Transaction, peer: Peer, number: int) -> bool:
    """Retries count against the limits of messages, so that one message does not cause two hundred retries."""
    tried, _ = windows_of(federation.instance).add(f"parked {peer.id}", tx.now, number=number)
    return tried <= peer.limits.messages


def give_up_parked(federation: Federation, tx: Transaction) -> None:
    """Tries messages that have been parked for ten minutes a last time. They become dead letters, and their senders are
    told, except where this instance itself ends the wait, as with a move."""
    overdue = select(federation_inbox).where(_box.state == "parked", _box.received_at < tx.now - PATIENCE)
    for row in tx.all(overdue.order_by(_box.received_at).limit(_AT_ONCE)):
        _try(federation, tx, peer_by_id(tx, row["peer_id"]), row, last=True)


def handle_kept(federation: Federation, tx: Transaction, peer: Peer, row: Row, *, last: bool) -> HandlingResult:
    """Handles a stored message again, and records the result."""
    outcome = _handle(federation, tx, peer, row, last)
    ended = update(federation_inbox).where(_box.id == row["id"])
    tx.execute(ended, {"state": outcome.state, "error": outcome.error, "attempts": row["attempts"] + 1})
    return outcome


def _handle(federation: Federation, tx: Transaction, peer: Peer, row: Row, last: bool) -> HandlingResult:
    """The proof was verified when the message came; a key that was revoked since does not undo it."""
    envelope, binding = own_envelope(row["body"]), federation.messages.get(row["type"])
    if binding is None:
        return HandlingResult("dead", "type: it is not spoken here any more")
    try:
        body = read_object(federation, binding, envelope, Reading(federation.base, peer.base))
    except NotTaken as refused:  # a plugin reads otherwise since it came
        return HandlingResult("dead", f"{refused.receipt.code}: {refused.receipt.text}")
    checked = Checked(envelope, binding, body, PublicKey(row["key_id"], row["multikey"]))
    return handle(federation, tx, peer, checked, last=last)


def _try(federation: Federation, tx: Transaction, peer: Peer, row: Row, *, last: bool) -> bool:
    if handle_kept(federation, tx, peer, row, last=last).state == "parked":
        return False
    fewer = update(federation_lane).where(*where_lane(peer.id, row["lane"], "in"))
    tx.execute(fewer.values(parked=federation_lane.c.parked - 1))
    return True


def _parked(tx: Transaction, peer_id: str) -> list[Row]:
    parked = select(federation_inbox).where(_box.state == "parked", _box.peer_id == peer_id)
    return list(tx.all(parked.order_by(_box.received_at, _box.id).limit(_AT_ONCE)))
