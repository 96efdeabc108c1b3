"""Messages over the JSON API, for operators: those that wait or failed, and those that were exchanged."""

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
    """`box`: "out" for messages that we sent, "in" for received ones. `after` is the last id of the page before."""

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
    """Lists messages by their state: dead (without effect) and discarded; waiting and delivered (out); parked, because
    they need another message, and done (in)."""
    letters = dead_letters(
        call.tx, query.box, state=query.state, peer_id=query.peer, after=query.after, limit=query.limit
    )
    return page_of(letters, query.limit, lambda letter: letter.id)


@routes.post("/letters/replay", scope="operator")
def replay_letter(call: Call, body: OneLetter) -> Letter:
    """Tries a dead letter again: one of ours is sent again, one of a peer is handled again."""
    return replay(federation_of(call.instance), call.tx, body.box, body.id)


@routes.post("/letters/discard", scope="operator")
def discard_letter(call: Call, body: OneLetter) -> Letter:
    """Discards a dead letter. It is kept as evidence."""
    return discard(call.tx, body.box, body.id)


@routes.get("/message", scope="operator")
def show_message(call: Call, query: OneMessage) -> Kept:
    """A message that was sent or received, as it was signed, and whether its signature holds."""
    return kept_message(federation_of(call.instance), call.tx, query.id)
