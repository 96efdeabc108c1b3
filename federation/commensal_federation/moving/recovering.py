"""Moves without the old home: the producer moves the enterprise with its recovery key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from commensal import Conflict, Transaction, enterprise_by_id

from ..authority.authority import authority_of, refuse_moved, refuse_moving, set_authority
from ..delivery import post
from ..delivery.alerts import alert
from ..dfc.iris import enterprise_iri, local_id
from ..grants.questions import grants_between
from ..messages.envelope import CONTEXT
from ..messages.members import number, text
from ..messages.moving import Move, MoveContest, MoveRow, RecoveryKeyTold
from ..messages.types import Refuse
from ..peers.peers import Peer, peers
from ..runtime import Federation
from ..signing import BadKey, BadProof, PublicKey, SigningKey, Unreadable, canonical, read_json, sign
from ..signing.profile import write_moment
from ..signing.proof import check_proof, read_proof
from .moves import open_move, peer_at

# Statements signed by a recovery key: an enterprise has moved, or has not.
#
# A statement is a document with a proof by a did:key, as canonical JSON text; messages between instances carry it.

LARGEST = 5000  # bytes
StatementKind = Literal["MoveStatement", "ContestStatement"]


@dataclass(frozen=True)
class SignedStatement:
    kind: str
    enterprise: str
    moved_to: str
    epoch: int


def recovery_key() -> SigningKey:
    """Generates a recovery key, with the verification method of its did:key as id."""
    key = SigningKey.generate("")
    return SigningKey(method_of(did_of(key)), key.private)


def read_recovery_key(secret: str) -> SigningKey:
    """Reads a recovery key as it was shown once. Raises `BadKey`."""
    key = SigningKey.read("", secret)
    return SigningKey(method_of(did_of(key)), key.private)


def did_of(key: SigningKey) -> str:
    return f"did:key:{key.public.multikey}"


def method_of(did: str) -> str:
    """Returns the only verification method of a did:key."""
    return f"{did}#{did.removeprefix('did:key:')}"


def sign_statement(
    key: SigningKey, kind: StatementKind, enterprise: str, moved_to: str, epoch: int, now: datetime
) -> str:
    """Returns the signed statement as canonical JSON."""
    document = {
        "@context": CONTEXT,
        "id": f"{enterprise}#move-{epoch}",
        "type": kind,
        "enterprise": enterprise,
        "movedTo": moved_to,
        "authorityEpoch": epoch,
        "published": write_moment(now),
    }
    return canonical(sign(document, key, now)).decode()


def read_statement(statement: str, did: str, now: datetime) -> SignedStatement:
    """Reads and verifies a statement. Raises `Refuse` if the key `did` has not signed it."""
    if not did.startswith("did:key:"):
        raise Refuse("recovery_key", "No recovery key of that enterprise is known here.")
    try:
        document = read_json(statement.encode(), LARGEST)
        if document.get("@context") != CONTEXT:
            raise Unreadable("context", "the @context is not the one of messages")
        refuse_other_key(document, did, now)
        return SignedStatement(
            kind=text(document, "type"),
            enterprise=text(document, "enterprise"),
            moved_to=text(document, "movedTo"),
            epoch=number(document, "authorityEpoch"),
        )
    except (Unreadable, BadProof, BadKey) as error:
        raise Refuse("recovery_key", f"The recovery key has not signed this: {error}"[:500]) from error


def refuse_other_key(document: dict[str, object], did: str, now: datetime) -> None:
    """Raises `BadProof` unless the key `did` has signed the document."""
    method = method_of(did)
    key = PublicKey(method, did.removeprefix("did:key:")).check()
    check_proof(document, read_proof(document), {method: key}, now)


@dataclass(frozen=True)
class RecoveryKey:
    """key:    the public key, as did:key
    secret: the private key, shown once and not stored: its owner can move the enterprise to another instance
    """

    key: str
    secret: str


def has_recovery_key(federation: Federation, tx: Transaction, enterprise_id: str) -> bool:
    """Whether the enterprise could move without this instance."""
    return bool(authority_of(tx, enterprise_iri(federation.base, enterprise_id)).recovery_key)


def make_recovery_key(federation: Federation, tx: Transaction, enterprise_id: str) -> RecoveryKey:
    """Creates a key that replaces the previous one, and sends its public half to the peers with a grant.

    Raises `NotFound`, `Conflict` for an enterprise that moves or lives elsewhere.
    """
    enterprise = enterprise_by_id(tx, enterprise_id)
    refuse_moving(tx, enterprise.id)
    iri = enterprise_iri(federation.base, enterprise.id)
    if authority_of(tx, iri).moved_to:
        raise Conflict(
            "lives_elsewhere", "{name} lives at another instance; only there can it move.", name=enterprise.name
        )
    key = recovery_key()
    set_authority(tx, iri, recovery_key=did_of(key))
    grants = grants_between(tx, enterprise_id=enterprise.id, direction="given", state="accepted")
    for peer_id in sorted({grant.peer_id for grant in grants}):
        send_recovery_key(federation, tx, peer_id, enterprise.id)
    return RecoveryKey(did_of(key), key.secret())


def send_recovery_key(federation: Federation, tx: Transaction, peer_id: str, enterprise_id: str) -> None:
    """Sends the public recovery key of the enterprise to a peer, if there is one."""
    iri = enterprise_iri(federation.base, enterprise_id)
    key = authority_of(tx, iri).recovery_key
    if key:
        post(federation, tx, peer_id, "RecoveryKey", RecoveryKeyTold(enterprise=iri, key=key), on_behalf_of=iri)


def take_recovery_key(tx: Transaction, peer: Peer, message: RecoveryKeyTold) -> None:
    """Stores a remote enterprise's public recovery key, in case its home is lost. Raises `Refuse`."""
    if local_id(peer.base, message.enterprise, "enterprises") is None:
        raise Refuse("authority", "An instance tells keys of enterprises of its own only.")
    refuse_moved(tx, message.enterprise)
    last_key = authority_of(tx, message.enterprise).recovery_key
    set_authority(tx, message.enterprise, recovery_key=message.key)
    if last_key and last_key != message.key:
        alert(tx, peer.id, "move", f"{message.enterprise} has another recovery key now.")


def recover(
    federation: Federation, tx: Transaction, enterprise_id: str, old_iri: str, key: SigningKey, *, epoch: int = 0
) -> MoveRow:
    """Announces to all peers, signed by the producer's key, that the enterprise at `old_iri` is this one of ours now.

    Peers wait for three days, in which the old home can object. From then on the stock here is valid: count it. `epoch`
    is the authority epoch that begins; 0: the next known one. Raises `NotFound`, `Conflict`.
    """
    enterprise = enterprise_by_id(tx, enterprise_id)
    iri = enterprise_iri(federation.base, enterprise.id)
    authority = authority_of(tx, iri)
    if authority.came_from or authority.moved_to or local_id(federation.base, old_iri, "enterprises") is not None:
        raise Conflict("has_moved", "{name} has moved before, or was never elsewhere.", name=enterprise.name)
    epoch = epoch or authority_of(tx, old_iri).epoch + 1
    set_authority(tx, iri, epoch=epoch, came_from=old_iri, recovery_key=did_of(key))
    statement = sign_statement(key, "MoveStatement", old_iri, iri, epoch, tx.now)
    move = open_move(
        tx,
        "coming",
        "done",
        peer_id="",
        name=enterprise.name,
        old_iri=old_iri,
        new_iri=iri,
        epoch=epoch,
        enterprise_id=enterprise.id,
        said={"renamed": {}, "statement": statement},
    )
    body = Move(enterprise=old_iri, moved_to=iri, epoch=epoch, statement=statement)
    for peer in peers(tx, limit=10_000):
        if peer.active:
            post(federation, tx, peer.id, "Move", body, on_behalf_of=iri)
    return move


def contest(
    federation: Federation, tx: Transaction, old_iri: str, moved_to: str, *, key: SigningKey | None = None
) -> None:
    """Announces to all peers that a move is false: of an enterprise of ours, or with its recovery key of any.

    Raises `Conflict` for an enterprise of another instance without the key.
    """
    if key is None and local_id(federation.base, old_iri, "enterprises") is None:
        raise Conflict("not_ours", "{iri} is not an enterprise of this instance; its key is needed.", iri=old_iri[:200])
    epoch = authority_of(tx, old_iri).epoch + 1
    statement = None if key is None else sign_statement(key, "ContestStatement", old_iri, moved_to, epoch, tx.now)
    body = MoveContest(enterprise=old_iri, moved_to=moved_to, statement=statement)
    for peer in peers(tx, limit=10_000):
        if peer.active:
            post(federation, tx, peer.id, "MoveContest", body)


def alert_owner(tx: Transaction, peer: Peer, enterprise: str, moved_to: str, until: str) -> None:
    """Alerts a person that somebody moves an enterprise of ours with its recovery key."""
    text = f"{enterprise} is moved to {moved_to} by its recovery key. If that is wrong, contest it until {until}."
    alert(tx, peer.id, "move", text)


def home_peer(tx: Transaction, iri: str) -> Peer | None:
    """Returns the old home, if it is an active peer; else None."""
    peer = peer_at(tx, iri)
    return peer if peer is not None and peer.active else None
