"""What messages about moving an enterprise do here."""

from __future__ import annotations

from commensal import Transaction

from ..catalogue.grantor import send_catalogue
from ..catalogue.grants import take_grant_answer
from ..catalogue.restored import recover_answer
from ..dfc.iris import local_id
from ..messages import Handler, MessageType, Received
from ..messages.catalogue import GRANT_ANSWER, GrantAnswer
from ..messages.moving import (
    MOVE,
    MOVE_ACCEPT,
    MOVE_CANCEL,
    MOVE_CONTEST,
    MOVE_EXPORT,
    MOVE_FOLLOWED,
    MOVE_NOTICE,
    MOVE_OFFER,
    MOVE_READY,
    RECOVERY_KEY,
    Move,
    MoveAccept,
    MoveCancel,
    MoveContest,
    MoveExport,
    MoveFollowed,
    MoveNotice,
    MoveOffer,
    MoveReady,
    RecoveryKeyTold,
)
from ..runtime import Federation
from ..signing.profile import write_moment
from .followers import take_move
from .new_home import take_export_part, take_followed, take_move_cancel, take_move_offer
from .old_home import hand_over_enterprise, take_export_refusal, take_move_answer
from .quarantine import take_contest
from .recovering import alert_owner, send_recovery_key, take_recovery_key
from .restored import recover_hand_over


def handle_grant_answer(federation: Federation, tx: Transaction, received: Received[GrantAnswer]) -> None:
    """Notes whether the hub takes the grant; one that does is sent the whole catalogue, and the recovery key by which
    it will believe a move."""
    grant = take_grant_answer(federation, tx, received.peer, received.body)
    if grant is not None and grant.state == "accepted":
        send_catalogue(federation, tx, grant, again=True)
        send_recovery_key(federation, tx, received.peer.id, grant.enterprise_id)


def handle_recovery_key(federation: Federation, tx: Transaction, received: Received[RecoveryKeyTold]) -> None:
    """Keeps the public recovery key of an enterprise of the peer."""
    take_recovery_key(tx, received.peer, received.body)


def handle_move_offer(federation: Federation, tx: Transaction, received: Received[MoveOffer]) -> None:
    """Shows the operator that an enterprise of the peer would like to move here."""
    take_move_offer(federation, tx, received.peer, received.body)


def handle_move_accept(federation: Federation, tx: Transaction, received: Received[MoveAccept]) -> None:
    """Exports the enterprise to the home that accepts it, or lets it stay."""
    take_move_answer(federation, tx, received.peer, received.body)


def handle_move_export(federation: Federation, tx: Transaction, received: Received[MoveExport]) -> None:
    """Keeps one part of the export; the last part starts the import."""
    take_export_part(federation, tx, received.peer, received.body)


def handle_move_ready(federation: Federation, tx: Transaction, received: Received[MoveReady]) -> None:
    """Hands the enterprise over to its new home."""
    hand_over_enterprise(federation, tx, received.peer, received.body)


def handle_move_cancel(federation: Federation, tx: Transaction, received: Received[MoveCancel]) -> None:
    """Drops what was received of an enterprise that stays where it is."""
    take_move_cancel(tx, received.peer, received.body)


def handle_move(federation: Federation, tx: Transaction, received: Received[Move]) -> None:
    """Follows an enterprise to its new home."""
    take_move(federation, tx, received.peer, received.body)


def handle_move_followed(federation: Federation, tx: Transaction, received: Received[MoveFollowed]) -> None:
    """Takes over, as the new home, what the peer had with the old one."""
    take_followed(federation, tx, received.peer, received.body)


def handle_move_notice(federation: Federation, tx: Transaction, received: Received[MoveNotice]) -> None:
    """Warns the owner of an enterprise of ours that somebody moves it with its recovery key."""
    body = received.body
    if local_id(federation.base, body.enterprise, "enterprises") is not None:
        alert_owner(tx, received.peer, body.enterprise, body.moved_to, write_moment(body.until))


def handle_move_contest(federation: Federation, tx: Transaction, received: Received[MoveContest]) -> None:
    """Undoes or stops a move that the old home or the recovery key contests."""
    take_contest(tx, received.peer, received.body)


HANDLERS: dict[MessageType, Handler] = {
    GRANT_ANSWER: Handler(handle_grant_answer, recover=recover_answer),
    MOVE_OFFER: Handler(handle_move_offer),
    MOVE_ACCEPT: Handler(handle_move_accept),
    MOVE_EXPORT: Handler(handle_move_export, failed=take_export_refusal),
    MOVE_READY: Handler(handle_move_ready),
    MOVE_CANCEL: Handler(handle_move_cancel),
    MOVE: Handler(handle_move, recover=recover_hand_over),
    MOVE_FOLLOWED: Handler(handle_move_followed),
    RECOVERY_KEY: Handler(handle_recovery_key),
    MOVE_NOTICE: Handler(handle_move_notice),
    MOVE_CONTEST: Handler(handle_move_contest),
}
