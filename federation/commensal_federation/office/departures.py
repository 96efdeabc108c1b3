"""Move to another site: an owner offers the enterprise to a neighbour, sees how far it is, and calls it off."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from commensal import Enterprise, NotFound, Refused, Screen, Transaction, demand
from commensal.pages import Visit, on_refusal
from commensal.products import count_products

from ..dfc.iris import enterprise_iri
from ..grants.questions import grants_between
from ..messages.moving import MoveRow
from ..moving.moves import last_departure
from ..moving.old_home import UNDER_WAY, cancel_leaving, demand_leaving, offer_move
from ..peers.peers import Peer, peer_by_id, peers
from ..runtime import federation_of

PATH = "hubs/move"
_SHOWN = 200  # neighbours


@dataclass(frozen=True, kw_only=True)
class MovePreview:
    """What an owner decides about: how many products go along, and the names of hubs elsewhere that would follow."""

    destination: Peer
    products: int
    hubs: list[str]


def departure_page(visit: Visit, enterprise: Enterprise) -> Screen:
    with visit.read() as tx:
        move = _move_of(tx, visit, enterprise)
        context = {
            "enterprise": enterprise,
            "move": move,
            "under_way": move is not None and move.state in UNDER_WAY,
            "new_home": peer_by_id(tx, move.peer_id) if move else None,
            "destinations": _destinations(tx),
            "may_cancel": move is not None and _may_cancel(tx, visit, move),
            "here": _address(enterprise),
            "done": visit.query.get("done", ""),
        }
    return Screen(template="federation/leaving.html", context=context)


def _move_of(tx: Transaction, visit: Visit, enterprise: Enterprise) -> MoveRow | None:
    return last_departure(tx, enterprise_iri(federation_of(visit.instance).base, enterprise.id))


def _destinations(tx: Transaction) -> list[Peer]:
    """The neighbours that take enterprises of this site in."""
    return [peer for peer in peers(tx, limit=_SHOWN) if peer.active and "enterprise.move" in peer.scopes_received]


def _may_cancel(tx: Transaction, visit: Visit, move: MoveRow) -> bool:
    try:
        demand_leaving(tx, visit.actor, move)
    except Refused:
        return False
    return True


@on_refusal(departure_page)
def post_departure(visit: Visit, enterprise: Enterprise) -> Screen | Response:
    """Offers the enterprise, after a page that says what that means; or calls the move off."""
    action = visit.query.get("then", "")
    if action == "offer" and visit.form.get("sure") != "1":
        return _sure_page(visit, enterprise)
    with visit.write() as tx:
        _act(visit, tx, enterprise, action)
    return visit.redirect(f"{_address(enterprise)}?done={action}")


def _act(visit: Visit, tx: Transaction, enterprise: Enterprise, action: str) -> None:
    federation = federation_of(visit.instance)
    if action == "offer":
        demand(tx, visit.actor, "members:write", enterprise.id)
        offer_move(federation, tx, enterprise.id, visit.form.get("peer", ""), by=visit.actor.person_id)
    elif action == "cancel":
        move = _move_of(tx, visit, enterprise)
        if move is None:
            raise NotFound
        demand_leaving(tx, visit.actor, move)
        cancel_leaving(federation, tx, move.id)
    else:
        raise NotFound


def _sure_page(visit: Visit, enterprise: Enterprise) -> Screen:
    with visit.read() as tx:
        demand(tx, visit.actor, "members:write", enterprise.id)
        grants = grants_between(tx, enterprise_id=enterprise.id, direction="given", state="accepted")
        preview = MovePreview(
            destination=peer_by_id(tx, visit.form.get("peer", "")),
            products=count_products(tx, enterprise.id),
            hubs=sorted({grant.other_name for grant in grants}),
        )
    context = {"preview": preview, "enterprise": enterprise, "here": _address(enterprise)}
    return Screen(template="federation/leaving_sure.html", context=context)


def _address(enterprise: Enterprise) -> str:
    return f"/office/{enterprise.id}/{PATH}"
