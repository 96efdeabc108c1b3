"""What an operator says of the six digits: the same, then both trade; different, or never mind, then it has ended."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import structlog

from commensal import Conflict, Transaction

from ..peering.inviting import invite_fetched
from ..peers.fetching import Fetched, fetch_document
from ..peers.values import SCOPES, Peer
from ..runtime import Federation
from .inviting import end_pairing
from .joining import send
from .pairings import Pairing, change_pairing, pairing_by_id

_log = structlog.get_logger("commensal.federation")


def agree(federation: Federation, pairing_id: str, scopes: Collection[str]) -> Peer:
    """Our operator sees the same digits: asks the other instance to trade, or accepts what it has asked.

    `scopes` are what it may do here. Its document must still have the root key that the digits stand for. Not inside a
    transaction. Raises `NotFound`, `Invalid`, `Conflict`.
    """
    with federation.instance.store.read() as tx:
        pairing = _shown(tx, pairing_id)
    fetched = fetch_document(federation, pairing.iri)
    if fetched.document.root.multikey != pairing.their_document().root.multikey:
        text = "{name} shows another key than the one that you have compared."
        raise Conflict("peer_changed", text, name=fetched.document.name)
    peer = federation.instance.store.transact(lambda tx: _agree(federation, tx, pairing_id, fetched, scopes))
    _tell(federation, pairing, "same")
    return peer


def _agree(federation: Federation, tx: Transaction, pairing_id: str, fetched: Fetched, scopes: Collection[str]) -> Peer:
    pairing = _shown(tx, pairing_id)
    change_pairing(tx, pairing, "shown", state="agreed")
    return invite_fetched(federation, tx, fetched, scopes, SCOPES)


def _shown(tx: Transaction, pairing_id: str) -> Pairing:
    pairing = pairing_by_id(tx, pairing_id)
    if pairing.shown_state(tx.now) != "shown":
        raise Conflict("pairing_over", "This invitation has ended: make a new one.")
    return pairing


def end(federation: Federation, pairing_id: str, answer: Literal["different", "cancelled"]) -> None:
    """Our operator sees other digits, or does not want to go on: the link is worth nothing any more, and nobody trades.

    The other side is told if it can be reached. Not inside a transaction. Raises `NotFound`, `Conflict`.
    """
    pairing = federation.instance.store.transact(lambda tx: _end(federation, tx, pairing_id, answer))
    if pairing.iri:
        _tell(federation, pairing, answer)


def _end(federation: Federation, tx: Transaction, pairing_id: str, answer: str) -> Pairing:
    pairing = pairing_by_id(tx, pairing_id)
    if not end_pairing(federation, tx, pairing, answer):
        raise Conflict("pairing_settled", "This invitation was settled meanwhile.")
    return pairing


def _tell(federation: Federation, pairing: Pairing, answer: str) -> None:
    """The other page says it at once; whoever cannot be reached learns it by the message that follows, or by expiry."""
    try:
        send(federation, pairing, {"type": "PairingAnswer", "answer": answer}, pairing.base)
    except Conflict as error:
        _log.info("the other side of a pairing was not told", peer=pairing.base, answer=answer, error=str(error))
