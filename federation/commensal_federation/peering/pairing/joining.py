"""The joiner's side: follows a link of another instance until both have the six digits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

import msgspec
import structlog

from commensal import Conflict, Transaction

from ...peers.fetching import Fetched, fetch_document, iri_of
from ...peers.peers import SCOPES, Peer, peer_by_iri
from ...runtime import Federation
from ...signing import Unreadable, read_json
from ...transport import Request, Unreachable
from ..inviting import invite_fetched
from .inviting import end_pairing
from .pairings import (
    COMPARED_WITHIN,
    InvitationLink,
    Pairing,
    authenticated,
    change_pairing,
    commitment_to,
    half_of,
    is_authentic,
    new_pairing,
    pairing_by_id,
    pairing_of,
    read_link,
    root_of,
)

_SECONDS = 10.0  # somebody waits; the other side fetches our document meanwhile
_SIZE = 8 * 1024  # bytes of an answer
_NOT_VALID = "This invitation is not valid any more: ask {name} for a new one."
_USED = "Somebody has used this invitation before you: {by}. Tell {name}, and ask for a new one."


def join(federation: Federation, text: str) -> Pairing:
    """Follows the link: the inviter learns who we are, and both can show the digits. Not inside a transaction.

    Can be repeated after a cut, with the same nonce. Raises `Invalid` for what is not a link, and `Conflict`.
    """
    link = read_link(text)
    fetched = fetch_document(federation, iri_of(federation, link.base))
    name = fetched.document.name
    if half_of(fetched.document.iri, fetched.document.root.multikey) != link.half:
        problem = "{name} does not have the key that the invitation names. Do not go on: call its operator."
        raise Conflict("invitation_key", problem, name=name)
    pairing, root = federation.instance.store.transact(lambda tx: _begin(federation, tx, link, fetched))
    if pairing.state != "opened":
        return pairing
    opening = {"type": "PairingOpen", "root": root, "commitment": commitment_to(pairing.our_nonce)}
    nonce = str(send(federation, pairing, opening, name).get("nonce", ""))
    if not nonce or pairing.their_nonce not in ("", nonce):
        raise Conflict("pairing_answer", "{name} has answered something else than expected.", name=name)
    federation.instance.store.transact(lambda tx: change_pairing(tx, pairing, "opened", their_nonce=nonce))
    send(federation, pairing, {"type": "PairingReveal", "nonce": pairing.our_nonce}, name)
    federation.instance.store.transact(lambda tx: change_pairing(tx, pairing, "opened", state="shown"))
    with federation.instance.store.read() as tx:
        return pairing_by_id(tx, pairing.id)


def _begin(federation: Federation, tx: Transaction, link: InvitationLink, fetched: Fetched) -> tuple[Pairing, str]:
    """Our pairing for the link, new or begun before, with our root key."""
    peer = peer_by_iri(tx, fetched.document.iri)
    if peer is not None and peer.state in ("accepted", "suspended"):
        raise Conflict("peer_known", "{name} is a peer already.", name=peer.name)
    existing = pairing_of(tx, link.invitation, "joiner")
    if existing is None:
        existing = new_pairing(
            tx,
            role="joiner",
            invitation=link.invitation,
            secret=link.key,
            state="opened",
            iri=fetched.document.iri,
            document=fetched.text,
            document_at=tx.now,
            our_nonce=tx.ids.secret(),
            expires_at=tx.now + COMPARED_WITHIN,
        )
    if existing.shown_state(tx.now) not in ("opened", "shown"):
        raise Conflict("invitation_over", _NOT_VALID, name=fetched.document.name)
    return existing, root_of(federation, tx)


def send(federation: Federation, pairing: Pairing, message: Mapping[str, str], name: str) -> Mapping[str, object]:
    """Sends a message about the pairing to the other instance, of this name. Raises `Conflict` with what to do."""
    body = authenticated({**message, "invitation": pairing.invitation, "actor": federation.iri}, pairing.secret)
    request = Request(
        "POST",
        f"{pairing.base}/-/federation/pairings",
        [("content-type", "application/json")],
        msgspec.json.encode(body),
    )
    try:
        answer = federation.transport.send(request, seconds=_SECONDS, size=_SIZE)
        values = read_json(answer.body, _SIZE)
    except Unreachable as error:
        raise error.for_people(pairing.base) from error
    except Unreadable:
        values = {}
    if answer.status == 200 and is_authentic(values, pairing.secret):
        return values
    if values.get("code") == "used":
        raise Conflict("invitation_used", _USED, name=name, by=str(values.get("by") or "?")[:200])
    if answer.status == 425:
        text = "{name} cannot reach {url}, this instance: is it open to the internet under that address?"
        raise Conflict("not_reached", text, name=name, url=federation.base)
    if answer.status == 429:
        raise Conflict("busy", "{name} is busy: try again in a minute.", name=name)
    raise Conflict("invitation_over", _NOT_VALID, name=name)


# What an operator says of the six digits: the same, then both trade; different, or never mind, then it has ended.

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
