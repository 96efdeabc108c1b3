"""Messages over the JSON API, for operators: what waits or is dead, and what was said."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from commensal import Body, Call, Page, Routes, page_of

from ..runtime import federation_of
from .outbox.dead_letters import Letter, dead_letters, discard, replay
from .proofs import Kept, kept_message

routes = Routes("federation", where_off=True)

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Box = Literal["in", "out"]


class Letters(Body, frozen=True, kw_only=True):
    """`box`: out for what we have sent, in for what has come. By id, `after` is that of the last page."""

    box: Box = "out"
    state: Literal["dead", "waiting", "parked", "delivered", "done", "discarded"] = "dead"
    peer: Annotated[str, msgspec.Meta(max_length=50)] = ""
    after: Annotated[str, msgspec.Meta(max_length=500)] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50


class OneLetter(Body, frozen=True, kw_only=True):
    box: Box
    id: Id


class OneMessage(Body, frozen=True, kw_only=True):
    id: Id


@routes.get("/letters", scope="operator")
def list_letters(call: Call, query: Letters) -> Page[Letter]:
    """Messages by their state: dead (without effect) and discarded; waiting to be delivered and delivered (out);
    parked, for they wait for others, and done (in)."""
    letters = dead_letters(
        call.tx, query.box, state=query.state, peer_id=query.peer, after=query.after, limit=query.limit
    )
    return page_of(letters, query.limit, lambda letter: letter.id)


@routes.post("/letters/replay", scope="operator")
def replay_letter(call: Call, body: OneLetter) -> Letter:
    """Tries a dead letter again: one of ours is sent once more, one of a peer's handled once more."""
    return replay(federation_of(call.instance), call.tx, body.box, body.id)


@routes.post("/letters/discard", scope="operator")
def discard_letter(call: Call, body: OneLetter) -> Letter:
    """Puts a dead letter away. It is kept as evidence."""
    return discard(call.tx, body.box, body.id)


@routes.get("/message", scope="operator")
def show_message(call: Call, query: OneMessage) -> Kept:
    """A message that was sent or received, as it was signed, and whether its signature holds."""
    return kept_message(federation_of(call.instance), call.tx, query.id)
