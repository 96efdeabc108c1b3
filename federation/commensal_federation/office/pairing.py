"""Pairing in five minutes: a link or QR code, six digits that both pages show, and two clicks on each side."""

from __future__ import annotations

from collections.abc import Sequence

import segno
from starlette.responses import Response
from starlette.routing import BaseRoute

from commensal import NotFound, Screen, translate
from commensal.pages import Visit, explain, on_refusal, page

from ..peering.pairing.inviting import make_invitation
from ..peering.pairing.joining import agree, end, join
from ..peering.pairing.pairings import code, pairing_by_id
from ..peers.peers import peer_by_iri
from ..runtime import federation_of
from .neighbours import HERE, level_words, scopes_of_level


def post_invite(visit: Visit, enterprise: None) -> Screen:
    """Makes a link, and shows it, since nobody can show it again."""
    federation = federation_of(visit.instance)
    with visit.write() as tx:
        pairing, link = make_invitation(federation, tx, visit.form.get("note", ""))
    picture = segno.make(link, error="m").svg_data_uri(scale=4, border=4, light="white")
    context = {"pairing": pairing, "link": link, "picture": picture, "there": f"{HERE}/pairings/{pairing.id}"}
    return Screen(template="federation/invitation.html", context=context)


def join_page(visit: Visit, enterprise: None) -> Screen:
    context = {"link": _typed_link(visit), "here": f"{HERE}/join"}
    return Screen(template="federation/join.html", context=context)


@on_refusal(join_page)
def post_join(visit: Visit, enterprise: None) -> Screen | Response:
    pairing = join(federation_of(visit.instance), _typed_link(visit))
    return visit.redirect(f"{HERE}/pairings/{pairing.id}")


def _typed_link(visit: Visit) -> str:
    return visit.form.get("link", "").strip()[:500]


def pairing_page(visit: Visit, enterprise: None) -> Screen | Response:
    federation = federation_of(visit.instance)
    with visit.read() as tx:
        pairing = pairing_by_id(tx, visit.path["pairing"])
        peer = peer_by_iri(tx, pairing.iri) if pairing.iri else None
        state = pairing.shown_state(tx.now)
        digits = code(federation, tx, pairing) if state == "shown" else ""
    if peer is not None and peer.active:
        return visit.redirect(f"{HERE}/{peer.id}")
    context = {
        "pairing": pairing,
        "state": state,
        "digits": digits,
        "levels": level_words(visit.language),
        "name": pairing.their_document().name if pairing.iri else "",
        "chosen": visit.form.get("level", "trade"),
        "here": f"{HERE}/pairings/{pairing.id}",
        "host": pairing.base.partition("://")[2],
    }
    return Screen(template="federation/pairing.html", context=context)


@on_refusal(pairing_page, {"level"})
def post_pairing(visit: Visit, enterprise: None) -> Screen | Response:
    """The operator's answer to the digits."""
    federation, pairing_id = federation_of(visit.instance), visit.path["pairing"]
    action = visit.query.get("then", "")
    if action == "agree":
        agree(federation, pairing_id, scopes_of_level(visit.form.get("level", "")))
    elif action == "different":
        end(federation, pairing_id, "different")
    elif action == "cancel":
        end(federation, pairing_id, "cancelled")
    else:
        raise NotFound
    return visit.redirect(f"{HERE}/pairings/{pairing_id}")


# The page to which the link of an invitation leads: it says what to do with it. The secret part never reaches it.


def welcome_routes() -> Sequence[BaseRoute]:
    return [page("/join", welcome_page, on_error=_on_error)]


def welcome_page(visit: Visit) -> Response:
    """The same for everybody, whether there is an invitation or not."""
    return visit.render("federation/welcome.html")


def _on_error(visit: Visit, error: Exception) -> Response:
    text, status, _ = explain(visit, error)
    title = translate(visit.language, "An invitation to trade")
    return visit.render("federation/plain_error.html", status=status, title=title, text=text)
