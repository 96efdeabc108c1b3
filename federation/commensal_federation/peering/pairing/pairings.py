"""A pairing as both operators see it: its rows, and the protocol by which the two sites come to the same digits."""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from sqlalchemy import delete, insert, select, update

from commensal import Invalid, Periodic, Problem, Transaction, Work

from ...identity import InstanceDocument, instance_document, read_document
from ...peers.peers import WELL_KNOWN
from ...runtime import Federation
from ...signing import canonical
from .tables import federation_pairing

# What both sides of a pairing compute: the link, what follows from its token, and the six digits. Pure functions.
#
# The digits authenticate both root keys (like "numeric comparison" of Bluetooth and the short authentication strings
# of Matrix). Six digits are few: whoever could choose a nonce after seeing the other's would find fitting ones in a
# second. So the joiner commits to its nonce before it sees the inviter's, and an attacker in the middle has one try
# in a million.

PATH = "/-/federation/join"
_LINK = re.compile(rf"(https?://[^/?#\s]{{1,255}}(?:/[^?#\s]*)?){PATH}#([A-Za-z0-9_-]{{22,64}})\.([A-Za-z0-9_-]{{22}})")


@dataclass(frozen=True)
class InvitationLink:
    """An invitation as it is passed on: the inviter's base address, the secret token, and half of its fingerprint.

    Token and fingerprint stand behind the `#`, which browsers send to no server.
    """

    base: str
    token: str
    half: str

    @property
    def text(self) -> str:
        return f"{self.base}{PATH}#{self.token}.{self.half}"

    @property
    def invitation(self) -> str:
        """The name of the invitation in messages: who has it cannot make the link of it."""
        return sha256(f"commensal-invitation-1\n{self.token}".encode()).hexdigest()

    @property
    def key(self) -> str:
        """The key of the MACs, as hexadecimal digits: whoever has the token has it, and nobody else."""
        return sha256(f"commensal-invitation-key-1\n{self.token}".encode()).hexdigest()


def read_link(text: str) -> InvitationLink:
    """Reads a link as somebody has copied it. Raises `Invalid`."""
    match = _LINK.fullmatch(text.strip())
    if match is None:
        problem = "This is not an invitation: copy the whole address, from https:// to its last character."
        raise Invalid([Problem("invitation", problem, "/link")])
    return InvitationLink(*match.groups())


def half_of(iri: str, root: str) -> str:
    """Half of the fingerprint of an instance and its root key (a Multikey): 128 bits, as 22 characters for a link."""
    digest = sha256(f"commensal-fingerprint-1\n{iri}\n{root}".encode()).digest()
    return urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def commitment_to(nonce: str) -> str:
    """What the joiner sends before its nonce, so that it cannot choose another one later."""
    return sha256(f"commensal-commitment-1\n{nonce}".encode()).hexdigest()


@dataclass(frozen=True)
class Side:
    """One of the two instances: its address (IRI), its root key (a Multikey), and its nonce."""

    iri: str
    root: str
    nonce: str


def code_of(inviter: Side, joiner: Side, key: str) -> str:
    """The six digits that both pages show, in two groups of three."""
    parts = ("commensal-pair-1", inviter.iri, inviter.root, joiner.iri, joiner.root, inviter.nonce, joiner.nonce, key)
    number = int.from_bytes(sha256("\n".join(parts).encode()).digest()) % 1_000_000
    return f"{number // 1000:03d} {number % 1000:03d}"


def authenticated(message: Mapping[str, str], key: str) -> dict[str, str]:
    """The message with its `mac`: HMAC-SHA256 over the canonical JSON of all other members."""
    return {**message, "mac": _mac(message, key)}


def is_authentic(message: Mapping[str, object], key: str) -> bool:
    """Whether the `mac` of a message is that of a holder of the link."""
    others = {name: value for name, value in message.items() if name != "mac"}
    mac = message.get("mac")
    return isinstance(mac, str) and hmac.compare_digest(mac.encode(), _mac(others, key).encode())


def _mac(message: Mapping[str, object], key: str) -> str:
    return hmac.digest(bytes.fromhex(key), canonical(dict(message)), "sha256").hex()


LASTS = timedelta(days=7)  # from the link to its opening
COMPARED_WITHIN = timedelta(days=1)  # from its opening to both answers
FORGOTTEN_AFTER = timedelta(days=30)
_row = federation_pairing.c


@dataclass(frozen=True, kw_only=True)
class Pairing:
    """An invitation of ours (role "inviter"), or one that we follow ("joiner"). Times are UTC.

    state:        made → opened (the link was used) → shown (both have the digits) → agreed (ours has said "the same");
                  ended before that, by `reason`: different, cancelled (ours), told_different, told_cancelled (theirs),
                  commitment (the joiner broke its commitment)
    iri, document: the other instance; empty while the state is "made"
    their_answer: "same" once the other operator has said so
    """

    id: str
    role: Literal["inviter", "joiner"]
    invitation: str
    secret: str = field(repr=False)
    note: str
    state: str
    reason: str
    iri: str
    document: str = field(repr=False)
    document_at: datetime | None
    commitment: str
    our_nonce: str = field(repr=False)
    their_nonce: str = field(repr=False)
    their_answer: str
    created_at: datetime
    changed_at: datetime
    expires_at: datetime

    @property
    def base(self) -> str:
        """The base address of the other instance."""
        return self.iri.removesuffix(WELL_KNOWN)

    def shown_state(self, now: datetime) -> str:
        """Its state for people: "expired" if it was not used, or not answered, in time."""
        return "expired" if self.state in ("made", "opened", "shown") and self.expires_at <= now else self.state

    @property
    def is_suspicious(self) -> bool:
        """Whether it has ended because the digits differed, here or there, or the other side broke the rules."""
        return self.state == "ended" and self.reason in ("different", "told_different", "commitment")

    def their_document(self) -> InstanceDocument:
        """The document of the other instance, as it was served when the link was opened."""
        assert self.document_at is not None
        return read_document(self.document.encode(), self.iri, self.document_at)


def code(federation: Federation, tx: Transaction, pairing: Pairing) -> str:
    """The six digits of a pairing whose nonces are both known."""
    ours = Side(federation.iri, root_of(federation, tx), pairing.our_nonce)
    theirs = Side(pairing.iri, pairing.their_document().root.multikey, pairing.their_nonce)
    inviter, joiner = (ours, theirs) if pairing.role == "inviter" else (theirs, ours)
    return code_of(inviter, joiner, pairing.secret)


def root_of(federation: Federation, tx: Transaction) -> str:
    """Our root key, as our document shows it."""
    return str(instance_document(federation, tx)["keySet"]["root"]["publicKeyMultibase"])


def pairing_by_id(tx: Transaction, pairing_id: str) -> Pairing:
    """Raises `NotFound`."""
    return Pairing(**tx.one(select(federation_pairing).where(_row.id == pairing_id)))


def pairing_of(tx: Transaction, invitation: str, role: str) -> Pairing | None:
    """The pairing of this name in which we are in `role`."""
    row = tx.first(select(federation_pairing).where(_row.invitation == invitation, _row.role == role))
    return None if row is None else Pairing(**row)


def pairings(tx: Transaction, *, limit: int = 100) -> Sequence[Pairing]:
    """All that are not settled, expired ones included, the newest first."""
    query = select(federation_pairing).where(_row.state.in_(("made", "opened", "shown", "ended")))
    return [Pairing(**row) for row in tx.all(query.order_by(_row.created_at.desc(), _row.id).limit(limit))]


def pairing_with(tx: Transaction, iri: str) -> Pairing | None:
    """The newest pairing with this instance in which our operator has agreed."""
    query = select(federation_pairing).where(_row.iri == iri, _row.state == "agreed")
    row = tx.first(query.order_by(_row.changed_at.desc()).limit(1))
    return None if row is None else Pairing(**row)


def new_pairing(tx: Transaction, **values: object) -> Pairing:
    """Stores a new pairing; what is not known yet is empty."""
    empty = ("note", "reason", "iri", "document", "commitment", "our_nonce", "their_nonce", "their_answer")
    row = {
        "id": tx.new_id(),
        **dict.fromkeys(empty, ""),
        "document_at": None,
        "created_at": tx.now,
        "changed_at": tx.now,
        **values,
    }
    tx.execute(insert(federation_pairing), row)
    return pairing_by_id(tx, str(row["id"]))


def change_pairing(tx: Transaction, pairing: Pairing, *states: str, **values: object) -> bool:
    """Sets these values if the pairing is in one of the states still. Returns whether it was."""
    statement = update(federation_pairing).where(_row.id == pairing.id, _row.state.in_(states))
    return tx.execute(statement.values(**values, changed_at=tx.now)).rowcount == 1


def forget_pairings(tx: Transaction) -> None:
    """Deletes pairings that came to nothing, and ended long ago."""
    old = _row.expires_at < tx.now - FORGOTTEN_AFTER
    tx.execute(delete(federation_pairing).where(old, _row.state != "agreed"))


# Forgets pairings that came to nothing.


def work() -> Work:
    return Work({}, (Periodic("federation.forget_pairings", timedelta(days=1), forget_pairings, irreversible=True),))
