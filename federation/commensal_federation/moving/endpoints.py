"""Moves over the JSON API: an owner offers, the new operator agrees and names an owner, who accepts."""

from __future__ import annotations

from typing import Annotated

import msgspec

from commensal import Body, Call, Invalid, NotFound, Page, Paging, Problem, Routes, page_of

from ..dfc.iris import enterprise_iri
from ..messages.moving import MoveRow
from ..runtime import federation_of
from ..signing import BadKey
from .moves import move_by_id, moves
from .new_home import accept_move, ask_owner, refuse_move
from .old_home import cancel_leaving, demand_leaving, offer_move
from .recovering import RecoveryKey, contest, make_recovery_key, read_recovery_key, recover
from .restored import complete_hand_over

routes = Routes("federation_moving", where_off=True)

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Iri = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Destination(Body, frozen=True, kw_only=True):
    """The peer to which the enterprise moves."""

    peer_id: Id


class Owner(Body, frozen=True, kw_only=True):
    """The future owner of the enterprise: a person with a confirmed address."""

    person_id: Id


class Recovery(Body, frozen=True, kw_only=True):
    """`old_iri` is the enterprise's former address, `secret` its recovery key. `epoch` is the authority epoch that
    begins, for an enterprise that has moved before without this instance's knowledge; 0: the next known one."""

    old_iri: Iri
    secret: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    epoch: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0


class Contested(Body, frozen=True, kw_only=True):
    """The address to which the enterprise has allegedly moved."""

    moved_to: Iri


@routes.get("/moves", scope="operator")
def all_moves(call: Call, query: Paging) -> Page[MoveRow]:
    """Lists the moves of enterprises that leave, arrive, or have moved elsewhere."""
    return page_of(moves(call.tx, after=query.after, limit=query.limit), query.limit, lambda move: move.id)


@routes.post("/enterprises/{enterprise}/move", scope="members:write", status=201)
def offer_enterprise(call: Call, enterprise: str, body: Destination) -> MoveRow:
    """Offers the enterprise to another instance, for good. Nothing changes until its people agree."""
    return offer_move(federation_of(call.instance), call.tx, enterprise, body.peer_id, by=call.actor.person_id)


@routes.post("/enterprises/{enterprise}/moves/{move}/cancel", scope="enterprise:read")
def cancel_enterprise_move(call: Call, enterprise: str, move: str) -> MoveRow:
    """Cancels a move that is not handed over yet. Those who could offer it can cancel, also while it is frozen."""
    move_row = move_by_id(call.tx, move)
    if move_row.enterprise_id != enterprise:
        raise NotFound("no_move", "There is no such move.")
    demand_leaving(call.tx, call.actor, move_row)
    return cancel_leaving(federation_of(call.instance), call.tx, move)


@routes.post("/enterprises/{enterprise}/recovery-key", scope="members:write", status=201, keeps=False)
def new_recovery_key(call: Call, enterprise: str) -> RecoveryKey:
    """Creates a recovery key, with which the producer can move the enterprise when this instance is gone.

    It is shown once: print it. The previous key becomes invalid.
    """
    return make_recovery_key(federation_of(call.instance), call.tx, enterprise)


@routes.post("/enterprises/{enterprise}/recover", scope="members:write", status=201)
def recover_enterprise(call: Call, enterprise: str, body: Recovery) -> MoveRow:
    """Announces to all peers, signed by the recovery key, that an enterprise whose home is gone is this one now.

    Peers wait for three days. Count the stock before they are over.
    """
    try:
        key = read_recovery_key(body.secret)
    except BadKey:
        raise Invalid([Problem("secret", "This is not a recovery key.", "/secret")]) from None
    return recover(federation_of(call.instance), call.tx, enterprise, body.old_iri, key, epoch=body.epoch)


@routes.post("/enterprises/{enterprise}/contest", scope="members:write", status=204)
def contest_move(call: Call, enterprise: str, body: Contested) -> None:
    """Announces to all peers that the enterprise has not moved there, whatever its recovery key has signed."""
    federation = federation_of(call.instance)
    contest(federation, call.tx, enterprise_iri(federation.base, enterprise), body.moved_to)
    call.tx.trace("contested", "federation_move", enterprise_id=enterprise, moved_to=body.moved_to)


@routes.post("/moves/{move}/owner", scope="operator")
def agree(call: Call, move: str, body: Owner) -> MoveRow:
    """Agrees, as the operator, that the enterprise moves here, if this person wants to own it."""
    return ask_owner(call.tx, move, body.person_id)


@routes.post("/moves/{move}/accept", scope="self")
def accept_enterprise(call: Call, move: str) -> MoveRow:
    """Accepts the enterprise, as the person named by the operator: its old home sends the export."""
    return accept_move(federation_of(call.instance), call.tx, move, call.person_id)


@routes.post("/moves/{move}/refuse", scope="operator")
def refuse(call: Call, move: str) -> MoveRow:
    """Refuses an enterprise that was offered."""
    return refuse_move(federation_of(call.instance), call.tx, move)


@routes.post("/moves/{move}/complete", scope="operator")
def complete(call: Call, move: str) -> MoveRow:
    """Completes a move of before a restore: the enterprise becomes a copy of the one at its new home."""
    return complete_hand_over(federation_of(call.instance), call.tx, move)
