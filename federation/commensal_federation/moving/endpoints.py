"""Moves over the JSON API: owners offer, operators agree and name who will own it, that person takes it."""

from __future__ import annotations

from typing import Annotated

import msgspec

from commensal import Body, Call, NotFound, Page, Paging, Routes, page_of

from ..runtime import federation_of
from .coming import accept_move, name_owner, refuse_move
from .leaving import cancel_leaving, offer_move
from .moves import move_by_id, moves
from .values import MoveRow

routes = Routes("federation_moving")

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Destination(Body, frozen=True, kw_only=True):
    """The peer at which the enterprise is to live."""

    peer_id: Id


class Owner(Body, frozen=True, kw_only=True):
    """Who will own the enterprise here: a person with a confirmed address."""

    person_id: Id


@routes.get("/moves", scope="operator")
def all_moves(call: Call, query: Paging) -> Page[MoveRow]:
    """Enterprises that leave, come, or have moved elsewhere."""
    return page_of(moves(call.tx, after=query.after, limit=query.limit), query.limit, lambda one: one.id)


@routes.post("/enterprises/{enterprise}/move", scope="members:write", status=201)
def offer(call: Call, enterprise: str, body: Destination) -> MoveRow:
    """Offers the enterprise to another instance, for good. Nothing changes until its people agree."""
    return offer_move(federation_of(call.instance), call.tx, enterprise, body.peer_id, by=call.actor.person_id)


@routes.post("/enterprises/{enterprise}/moves/{move}/cancel", scope="enterprise:read")
def cancel(call: Call, enterprise: str, move: str) -> MoveRow:
    """It stays, if it is not handed over yet. Those who could offer it can cancel, also while it is frozen."""
    found = move_by_id(call.tx, move)
    was = found.said.get("roles", {}).get(call.actor.person_id, "owner" if found.state == "offered" else "")
    if found.enterprise_id != enterprise or found.role != "leaving" or was != "owner":
        raise NotFound("no_move", "There is no such move.")
    return cancel_leaving(federation_of(call.instance), call.tx, move)


@routes.post("/moves/{move}/owner", scope="operator")
def agree(call: Call, move: str, body: Owner) -> MoveRow:
    """The operator agrees that the enterprise comes, if this person wants to own it here."""
    return name_owner(call.tx, move, body.person_id)


@routes.post("/moves/{move}/accept", scope="self")
def accept(call: Call, move: str) -> MoveRow:
    """The person whom the operator has named takes the enterprise: its old home sends it."""
    return accept_move(federation_of(call.instance), call.tx, move, call.person_id)


@routes.post("/moves/{move}/refuse", scope="operator")
def refuse(call: Call, move: str) -> MoveRow:
    """The enterprise does not come here."""
    return refuse_move(federation_of(call.instance), call.tx, move)
