"""Enterprises that move: for operators, who say whom they take in; and for the owner whom they have named."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import BaseRoute

from commensal import Invalid, NotFound, Problem, Screen, Transaction, Unauthorised, translate
from commensal.pages import Visit, explain, on_refusal, page
from commensal.people import person_by_email

from ..moving.moves import moves
from ..moving.new_home import ANSWERS, accept_move, ask_owner, decline_move, move_for, refuse_move
from ..moving.restored import complete_hand_over
from ..peers.peers import peer_by_id
from ..runtime import federation_of

PATH = "moves"
HERE = f"/office/instance/{PATH}"
_SHOWN = 200


def moves_page(visit: Visit, enterprise: None) -> Screen:
    with visit.read() as tx:
        rows = [move for move in moves(tx, limit=_SHOWN) if move.role != "following"]
        peers = {id: peer_by_id(tx, id).name for id in {move.peer_id for move in rows} if id}
    context = {
        "coming": [move for move in reversed(rows) if move.role == "coming"],
        "leaving": [move for move in reversed(rows) if move.role == "leaving"],
        "peers": peers,
        "here": HERE,
        "typed": visit.form,
        "done": visit.query.get("done", ""),
    }
    return Screen(template="federation/moves.html", context=context)


@on_refusal(moves_page)
def post_moves(visit: Visit, enterprise: None) -> Screen | Response:
    """Names the future owner of an enterprise that was offered, refuses it, or completes a move of before a restore."""
    action = visit.query.get("then", "")
    with visit.write() as tx:
        _act(visit, tx, action)
    return visit.redirect(f"{HERE}?done={action}")


def _act(visit: Visit, tx: Transaction, action: str) -> None:
    move_id = visit.form.get("move", "")
    if action == "name":
        try:
            owner = person_by_email(tx, visit.form.get("email", "").strip())
        except NotFound:
            text = "Nobody has an account with this address here: its owner signs up first."
            raise Invalid([Problem("email", text, "/email")]) from None
        ask_owner(tx, move_id, owner.id)
    elif action == "refuse":
        refuse_move(federation_of(visit.instance), tx, move_id)
    elif action == "complete":
        complete_hand_over(federation_of(visit.instance), tx, move_id)
    else:
        raise NotFound


def arrival_routes() -> Sequence[BaseRoute]:
    return [
        page("/moves/{move}", answer_page, on_error=_on_error),
        page("/moves/{move}", post_answer, methods=("POST",), on_error=_on_error),
    ]


def _on_error(visit: Visit, error: Exception) -> Response:
    if isinstance(error, Unauthorised):
        return visit.redirect(f"/login?next={quote(visit.here)}")
    text, status, _ = explain(visit, error)
    title = translate(visit.language, "This does not work")
    return visit.render("federation/plain_error.html", status=status, title=title, text=text)


def answer_page(visit: Visit) -> Response:
    """Asks the person whom the operator has named whether the enterprise shall come to them."""
    if visit.actor.person_id is None:
        raise Unauthorised
    with visit.read() as tx:
        move = move_for(tx, visit.path["move"], visit.actor.person_id)
        peer = peer_by_id(tx, move.peer_id)
    return visit.render("federation/arriving.html", move=move, peer=peer, here=f"/{ANSWERS}/{move.id}")


def post_answer(visit: Visit) -> Response:
    if visit.actor.person_id is None:
        raise Unauthorised
    federation, move_id = federation_of(visit.instance), visit.path["move"]
    with visit.write() as tx:
        if visit.form.get("answer") == "yes":
            accept_move(federation, tx, move_id, visit.actor.person_id)
        else:
            decline_move(tx, move_id, visit.actor.person_id)
    return visit.redirect(f"/{ANSWERS}/{move_id}")
