"""The new home of an enterprise whose old home does not help: the producer moves it with the recovery key."""

from __future__ import annotations

from dataclasses import dataclass

from commensal import Conflict, Transaction, enterprise_by_id

from ..authority.authority import authority_of, refuse_moved, refuse_moving, set_authority
from ..catalogue.grants import grants_between
from ..delivery import post
from ..delivery.alerts import alert
from ..dfc.iris import enterprise_iri, local_id
from ..messages.bodies.moving import Move, MoveContest, MoveRow, RecoveryKeyTold
from ..messages.types import Refuse
from ..peers.peers import peers
from ..peers.values import Peer
from ..runtime import Federation
from ..signing import SigningKey
from .moves import open_move, peer_at
from .statements import did_of, recovery_key, state


@dataclass(frozen=True)
class RecoveryKey:
    """`secret` is shown once, and kept nowhere: whoever has it can take the enterprise to another instance.

    `key` is its public half, as did:key.
    """

    key: str
    secret: str


def has_recovery_key(federation: Federation, tx: Transaction, enterprise_id: str) -> bool:
    """Whether the enterprise could move without this instance."""
    return bool(authority_of(tx, enterprise_iri(federation.base, enterprise_id)).recovery_key)


def make_recovery_key(federation: Federation, tx: Transaction, enterprise_id: str) -> RecoveryKey:
    """A new key, in the place of the one before. Peers that were granted something are told its public half.

    Raises `NotFound`, `Conflict` for an enterprise that moves or lives elsewhere.
    """
    one = enterprise_by_id(tx, enterprise_id)
    refuse_moving(tx, one.id)
    iri = enterprise_iri(federation.base, one.id)
    if authority_of(tx, iri).moved_to:
        raise Conflict("lives_elsewhere", "{name} lives at another instance; only there can it move.", name=one.name)
    key = recovery_key()
    set_authority(tx, iri, recovery_key=did_of(key))
    given = grants_between(tx, enterprise_id=one.id, direction="given", state="accepted", limit=10_000)
    for peer_id in sorted({grant.peer_id for grant in given}):
        tell_recovery_key(federation, tx, peer_id, one.id)
    return RecoveryKey(did_of(key), key.secret())


def tell_recovery_key(federation: Federation, tx: Transaction, peer_id: str, enterprise_id: str) -> None:
    """Nothing where there is none."""
    iri = enterprise_iri(federation.base, enterprise_id)
    key = authority_of(tx, iri).recovery_key
    if key:
        post(federation, tx, peer_id, "RecoveryKey", RecoveryKeyTold(enterprise=iri, key=key), on_behalf_of=iri)


def hear_recovery_key(tx: Transaction, peer: Peer, said: RecoveryKeyTold) -> None:
    """Kept for the day on which the old home is gone. Raises `Refuse`."""
    if local_id(peer.base, said.enterprise, "enterprises") is None:
        raise Refuse("authority", "An instance tells keys of enterprises of its own only.")
    refuse_moved(tx, said.enterprise)
    before = authority_of(tx, said.enterprise).recovery_key
    set_authority(tx, said.enterprise, recovery_key=said.key)
    if before and before != said.key:
        alert(tx, peer.id, "move", f"{said.enterprise} has another recovery key now.")


def recover(
    federation: Federation, tx: Transaction, enterprise_id: str, old_iri: str, key: SigningKey, *, epoch: int = 0
) -> MoveRow:
    """Says to all peers, by the producer's key, that the enterprise at `old_iri` is this one of ours now.

    They wait for three days, in which the old home can object. The stock here counts from then on: count it. `epoch` is
    the authority epoch that begins, where this instance does not know of earlier moves. Raises `NotFound`, `Conflict`.
    """
    one = enterprise_by_id(tx, enterprise_id)
    iri = enterprise_iri(federation.base, one.id)
    before = authority_of(tx, iri)
    if before.came_from or before.moved_to or local_id(federation.base, old_iri, "enterprises") is not None:
        raise Conflict("has_moved", "{name} has moved before, or was never elsewhere.", name=one.name)
    epoch = epoch or authority_of(tx, old_iri).epoch + 1
    set_authority(tx, iri, epoch=epoch, came_from=old_iri, recovery_key=did_of(key))
    statement = state(key, "MoveStatement", old_iri, iri, epoch, tx.now)
    move = open_move(
        tx, "coming", "done", peer_id="", name=one.name, old_iri=old_iri, new_iri=iri, epoch=epoch,
        enterprise_id=one.id, said={"renamed": {}, "statement": statement},
    )  # fmt: skip
    body = Move(enterprise=old_iri, moved_to=iri, epoch=epoch, statement=statement)
    for peer in peers(tx, limit=10_000):
        if peer.active:
            post(federation, tx, peer.id, "Move", body, on_behalf_of=iri)
    return move


def contest(
    federation: Federation, tx: Transaction, old_iri: str, moved_to: str, *, key: SigningKey | None = None
) -> None:
    """Says to all peers that this is not so: for an enterprise of ours, or, with its recovery key, for any.

    Raises `Conflict` for an enterprise of another instance without the key.
    """
    if key is None and local_id(federation.base, old_iri, "enterprises") is None:
        raise Conflict("not_ours", "{iri} is no enterprise of this instance; its key is needed.", iri=old_iri[:200])
    epoch = authority_of(tx, old_iri).epoch + 1
    statement = None if key is None else state(key, "ContestStatement", old_iri, moved_to, epoch, tx.now)
    body = MoveContest(enterprise=old_iri, moved_to=moved_to, statement=statement)
    for peer in peers(tx, limit=10_000):
        if peer.active:
            post(federation, tx, peer.id, "MoveContest", body)


def tell_owner(tx: Transaction, peer: Peer, enterprise: str, moved_to: str, until: str) -> None:
    """A peer tells us that somebody moves an enterprise of ours with its key."""
    text = f"{enterprise} is moved to {moved_to} by its recovery key. If that is wrong, contest it until {until}."
    alert(tx, peer.id, "move", text)


def home_peer(tx: Transaction, iri: str) -> Peer | None:
    """The old home, if it is a peer that listens."""
    peer = peer_at(tx, iri)
    return peer if peer is not None and peer.active else None
