"""Moves over the JSON API: owners offer, operators agree and name who will own it, that person takes it."""

from __future__ import annotations

from typing import Annotated

import msgspec

from commensal import Body, Call, Invalid, NotFound, Page, Paging, Problem, Routes, demand, page_of

from ..dfc.iris import enterprise_iri
from ..messages.bodies.moving import MoveRow
from ..runtime import federation_of
from ..signing import BadKey
from .moves import move_by_id, moves
from .new_home import accept_move, name_owner, refuse_move
from .old_home import cancel_leaving, offer_move
from .recovering import RecoveryKey, contest, make_recovery_key, recover
from .statements import read_recovery_key

routes = Routes("federation_moving", where_off=True)

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Iri = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Destination(Body, frozen=True, kw_only=True):
    """The peer at which the enterprise is to live."""

    peer_id: Id


class Owner(Body, frozen=True, kw_only=True):
    """Who will own the enterprise here: a person with a confirmed address."""

    person_id: Id


class Recovery(Body, frozen=True, kw_only=True):
    """`old_iri` is the address of the enterprise before, `secret` its recovery key. `epoch` is the authority epoch that
    begins, where it has moved before without this instance knowing; 0: the next one that is known."""

    old_iri: Iri
    secret: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    epoch: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0


class Contested(Body, frozen=True, kw_only=True):
    """The address to which the enterprise is said to have moved."""

    moved_to: Iri


@routes.get("/moves", scope="operator")
def all_moves(call: Call, query: Paging) -> Page[MoveRow]:
    """Enterprises that leave, come, or have moved elsewhere."""
    return page_of(moves(call.tx, after=query.after, limit=query.limit), query.limit, lambda one: one.id)


@routes.post("/enterprises/{enterprise}/move", scope="members:write", status=201)
def offer_enterprise(call: Call, enterprise: str, body: Destination) -> MoveRow:
    """Offers the enterprise to another instance, for good. Nothing changes until its people agree."""
    return offer_move(federation_of(call.instance), call.tx, enterprise, body.peer_id, by=call.actor.person_id)


@routes.post("/enterprises/{enterprise}/moves/{move}/cancel", scope="enterprise:read")
def cancel_enterprise_move(call: Call, enterprise: str, move: str) -> MoveRow:
    """It stays, if it is not handed over yet. Those who could offer it can cancel, also while it is frozen."""
    found = move_by_id(call.tx, move)
    if found.enterprise_id != enterprise or found.role != "leaving":
        raise NotFound("no_move", "There is no such move.")
    if found.state != "frozen":
        demand(call.tx, call.actor, "members:write", enterprise)
    elif found.said["roles"].get(call.actor.person_id) != "owner":  # meanwhile nobody holds more than a look at it
        raise NotFound("no_move", "There is no such move.")
    return cancel_leaving(federation_of(call.instance), call.tx, move)


@routes.post("/enterprises/{enterprise}/recovery-key", scope="members:write", status=201, keeps=False)
def new_recovery_key(call: Call, enterprise: str) -> RecoveryKey:
    """A key by which the producer can take the enterprise elsewhere when this instance is gone. It is shown once: print
    it. The one before means nothing any more."""
    return make_recovery_key(federation_of(call.instance), call.tx, enterprise)


@routes.post("/enterprises/{enterprise}/recover", scope="members:write", status=201)
def recover_enterprise(call: Call, enterprise: str, body: Recovery) -> MoveRow:
    """Says to all peers, by the producer's recovery key, that an enterprise whose home is gone is this one now. They
    wait for three days. Count the stock before those are over."""
    try:
        key = read_recovery_key(body.secret)
    except BadKey:
        raise Invalid([Problem("secret", "This is no recovery key.", "/secret")]) from None
    return recover(federation_of(call.instance), call.tx, enterprise, body.old_iri, key, epoch=body.epoch)


@routes.post("/enterprises/{enterprise}/contest", scope="members:write", status=204)
def contest_move(call: Call, enterprise: str, body: Contested) -> None:
    """Says to all peers that the enterprise has not moved there, whatever its recovery key says."""
    federation = federation_of(call.instance)
    contest(federation, call.tx, enterprise_iri(federation.base, enterprise), body.moved_to)
    call.tx.trace("contested", "federation_move", enterprise_id=enterprise, moved_to=body.moved_to)


@routes.post("/moves/{move}/owner", scope="operator")
def agree(call: Call, move: str, body: Owner) -> MoveRow:
    """The operator agrees that the enterprise comes, if this person wants to own it here."""
    return name_owner(call.tx, move, body.person_id)


@routes.post("/moves/{move}/accept", scope="self")
def accept_enterprise(call: Call, move: str) -> MoveRow:
    """The person whom the operator has named takes the enterprise: its old home sends it."""
    return accept_move(federation_of(call.instance), call.tx, move, call.person_id)


@routes.post("/moves/{move}/refuse", scope="operator")
def refuse(call: Call, move: str) -> MoveRow:
    """The enterprise does not come here."""
    return refuse_move(federation_of(call.instance), call.tx, move)
