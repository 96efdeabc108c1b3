"""The inviter's side: makes a link, and answers who opens it. Only holders of the link get any answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import func, select

from commensal import Conflict, Transaction, url_problem

from ...peers.fetching import fetch_document
from ...peers.limits import windows_of
from ...peers.peers import WELL_KNOWN, peer_by_iri
from ...runtime import Federation
from ...signing import Unreadable, read_json
from ...transport import Answer
from .. import revoke
from .pairings import (
    COMPARED_WITHIN,
    LASTS,
    InvitationLink,
    Pairing,
    authenticated,
    change_pairing,
    commitment_to,
    half_of,
    is_authentic,
    new_pairing,
    pairing_of,
    root_of,
)
from .tables import federation_pairing

MOST_OPEN = 20  # links that wait to be used
MOST_OF_ADDRESS = 20  # messages of one network in a minute
MOST_OF_INVITATION = 20  # messages in a minute by who holds its link; unproven ones count for their network alone
LARGEST = 8 * 1024  # bytes of a message
_SECONDS = 5.0  # that the joiner's document may take
_LONGEST = 500
_row = federation_pairing.c


def make_invitation(federation: Federation, tx: Transaction, note: str) -> tuple[Pairing, str]:
    """Makes an invitation for whoever gets its link, which is returned and stored nowhere. Raises `Conflict`."""
    waiting = (_row.role == "inviter", _row.state == "made", _row.expires_at > tx.now)
    if tx.value(select(func.count()).select_from(federation_pairing).where(*waiting)) >= MOST_OPEN:
        text = "{most} invitations wait already: cancel one that nobody will use."
        raise Conflict("too_many_invitations", text, most=MOST_OPEN)
    link = InvitationLink(federation.base, tx.ids.secret(), half_of(federation.iri, root_of(federation, tx)))
    pairing = new_pairing(
        tx,
        role="inviter",
        invitation=link.invitation,
        secret=link.key,
        note=note.strip()[:200],
        state="made",
        expires_at=tx.now + LASTS,
    )
    return pairing, link.text


class _Refused(Exception):
    """A message that is not taken."""

    def __init__(self, status: int, code: str, text: str, **values: str) -> None:
        super().__init__(text)
        self.status, self.body = status, {"title": text, "status": status, "code": code, **values}


def receive(federation: Federation, body: bytes, address: str) -> Answer:
    """Answers a message about a pairing. `address` is the caller's network, for the limits. Not inside a transaction.

    Whoever does not prove to hold the link learns nothing, not even whether there is such an invitation.
    """
    now = federation.instance.clock.now()
    try:
        _count(federation, f"pairing {address}", MOST_OF_ADDRESS, now)
        message = read_json(body, LARGEST)
        pairing = _proven(federation, message)
        _count(federation, f"pairing of {pairing.invitation}", MOST_OF_INVITATION, now)
        answer = _HANDLERS[str(message["type"])](federation, pairing, message, now)
    except Unreadable as error:
        return _answer(422, {"title": error.text, "status": 422, "code": error.code})
    except _Refused as refusal:
        return _answer(refusal.status, refusal.body)
    return _answer(200, authenticated({**answer, "actor": federation.iri}, pairing.secret))


def _count(federation: Federation, name: str, most: int, now: datetime) -> None:
    if windows_of(federation.instance).add(name, now)[0] > most:
        raise _Refused(429, "too_many", "too many messages about invitations")


def _answer(status: int, body: Mapping[str, object]) -> Answer:
    kind = "application/json" if status == 200 else "application/problem+json"
    return Answer(status, [("content-type", kind), ("cache-control", "no-store")], msgspec.json.encode(body))


def _proven(federation: Federation, message: Mapping[str, Any]) -> Pairing:
    """The pairing of a message by a holder of its link."""
    values = [message.get(name) for name in ("type", "invitation", "actor")]
    if not all(isinstance(value, str) and len(value) <= _LONGEST for value in values):
        raise Unreadable("member", "type, invitation and actor are texts")
    if message["type"] not in _HANDLERS:
        raise Unreadable("type", "no such message")
    roles = ("inviter",) if message["type"] != "PairingAnswer" else ("inviter", "joiner")
    with federation.instance.store.read() as tx:
        for role in roles:
            pairing = pairing_of(tx, message["invitation"], role)
            if pairing is not None and is_authentic(message, pairing.secret):
                return pairing
    raise _Refused(404, "no_invitation", "there is no such invitation")


def _open(federation: Federation, pairing: Pairing, message: Mapping[str, object], now: datetime) -> dict[str, str]:
    """The joiner tells who it is and commits to a nonce; it gets ours. The first who opens a link has used it."""
    iri, root, commitment = (_text(message, name) for name in ("actor", "root", "commitment"))
    if pairing.state == "opened" and (pairing.iri, pairing.commitment) == (iri, commitment):
        return {"type": "PairingNonce", "nonce": pairing.our_nonce}  # the first answer got lost
    _refuse_used(pairing, now)
    if iri == federation.iri or not iri.endswith(WELL_KNOWN) or url_problem(federation.instance, iri, "") is not None:
        raise Unreadable("actor", "actor is not an address of an instance")
    try:
        fetched = fetch_document(federation, iri, seconds=_SECONDS)
    except Conflict as error:
        raise _Refused(425, "origin", "actor does not serve its document") from error
    if fetched.document.root.multikey != root:
        raise _Refused(403, "origin", "actor serves a document of another root key")
    return federation.instance.store.transact(
        lambda tx: _store_opened(tx, pairing, iri=iri, document=fetched.text, document_at=tx.now, commitment=commitment)
    )


def _store_opened(tx: Transaction, pairing: Pairing, **values: object) -> dict[str, str]:
    peer = peer_by_iri(tx, str(values["iri"]))
    if peer is not None and peer.state in ("accepted", "suspended"):
        raise _Refused(409, "known", "the two instances are peers already")
    nonce = tx.ids.secret()
    expires_at = tx.now + COMPARED_WITHIN
    if not change_pairing(tx, pairing, "made", state="opened", our_nonce=nonce, expires_at=expires_at, **values):
        _refuse_used(pairing_of(tx, pairing.invitation, "inviter") or pairing, tx.now)
    return {"type": "PairingNonce", "nonce": nonce}


def _refuse_used(pairing: Pairing, now: datetime) -> None:
    """Raises for an invitation that cannot be opened any more. Only a holder of the link is told why."""
    if pairing.shown_state(now) in ("expired", "ended"):
        raise _Refused(410, "ended", "the invitation has ended")
    if pairing.state != "made":
        raise _Refused(409, "used", "the invitation was used before", by=pairing.base)


def _reveal(federation: Federation, pairing: Pairing, message: Mapping[str, object], now: datetime) -> dict[str, str]:
    """The joiner shows the nonce to which it has committed: now both can compute the digits."""
    nonce = _text(message, "nonce")
    if pairing.state == "shown" and (pairing.iri, pairing.their_nonce) == (message["actor"], nonce):
        return {"type": "PairingShown"}
    if pairing.shown_state(now) != "opened" or pairing.iri != message["actor"]:
        raise _Refused(409, "used", "the invitation is not waiting for this", by=pairing.base)
    if commitment_to(nonce) != pairing.commitment:
        values = {"state": "ended", "reason": "commitment"}
        federation.instance.store.transact(lambda tx: change_pairing(tx, pairing, "opened", **values))
        raise _Refused(403, "commitment", "this is not the nonce of the commitment: the invitation has ended")
    federation.instance.store.transact(
        lambda tx: change_pairing(tx, pairing, "opened", state="shown", their_nonce=nonce)
    )
    return {"type": "PairingShown"}


def _hear(federation: Federation, pairing: Pairing, message: Mapping[str, object], now: datetime) -> dict[str, str]:
    """The other operator has compared the digits, or does not want to."""
    answer = _text(message, "answer")
    if answer not in ("same", "different", "cancelled"):
        raise Unreadable("answer", "answer is same, different or cancelled")
    if message["actor"] != pairing.iri:
        raise _Refused(403, "actor", "another instance has opened the invitation")
    federation.instance.store.transact(lambda tx: _store_answer(federation, tx, pairing, answer))
    return {"type": "PairingHeard"}


def _store_answer(federation: Federation, tx: Transaction, pairing: Pairing, answer: str) -> None:
    if answer == "same":
        change_pairing(tx, pairing, "shown", "agreed", their_answer="same")
    else:
        end_pairing(federation, tx, pairing, f"told_{answer}")


def end_pairing(federation: Federation, tx: Transaction, pairing: Pairing, reason: str) -> bool:
    """Ends a pairing that is not settled, and takes back a request to the other instance that is under way.

    Returns whether there was anything to end: trade that both have agreed to goes on.
    """
    peer = peer_by_iri(tx, pairing.iri) if pairing.iri else None
    if peer is not None and peer.state in ("accepted", "suspended"):
        return False
    if not change_pairing(tx, pairing, "made", "opened", "shown", "agreed", state="ended", reason=reason):
        return False
    if peer is not None and peer.state in ("invited", "requested"):
        revoke(federation, tx, peer.id)
    return True


def _text(message: Mapping[str, object], name: str) -> str:
    value = message.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        raise Unreadable(name, f"{name} is a text of at most {_LONGEST} characters")
    return value


_HANDLERS = {"PairingOpen": _open, "PairingReveal": _reveal, "PairingAnswer": _hear}
