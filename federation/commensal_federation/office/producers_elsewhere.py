"""Producers elsewhere: a hub's people answer what producers of other sites offer and propose."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from starlette.responses import Response

from commensal import (
    Conflict,
    Enterprise,
    Invalid,
    NotFound,
    PageLine,
    Problem,
    Refused,
    Screen,
    Transaction,
    demand,
    read_decimal,
    translate,
)
from commensal.pages import NO_MISTAKES, Mistakes, Visit, mistakes, status_of
from commensal.trade import catalogs_of

from ..catalogue.grants import accept_grant, end_grant, follow
from ..catalogue.listings import list_all
from ..grants.questions import grant_by_id, grants_between
from ..proposals.receiving import accept_sale, proposals_of, refuse_sale
from ..runtime import federation_of
from .effects import orders_between

PATH = "producers/elsewhere"
_SHOWN = 200


def buying_page(visit: Visit, hub: Enterprise) -> Screen:
    return _buying_page(visit, hub)


def _buying_page(visit: Visit, hub: Enterprise, errors: Mistakes = NO_MISTAKES, status: int = 200) -> Screen:
    with visit.read() as tx:
        grants = grants_between(tx, enterprise_id=hub.id, direction="received", limit=_SHOWN)
        proposals = [sale for sale in proposals_of(tx, hub.id, limit=_SHOWN) if sale.direction == "received"]
    context = {
        "hub": hub, "offered": [grant for grant in grants if grant.state == "offered"],
        "accepted": [grant for grant in grants if grant.state == "accepted"],
        "over": [grant for grant in grants if grant.state in ("refused", "revoked")],
        "proposals": proposals, "mistakes": errors, "here": _address(hub), "done": visit.query.get("done", ""),
    }  # fmt: skip
    return Screen(template="federation/buying.html", context=context, status=status)


def buying_now(visit: Visit, hub: Enterprise) -> Screen | Response:
    action = visit.query.get("then", "")
    if action == "give-up" and visit.form.get("sure") != "1":
        return _ending_page(visit, hub)
    try:
        with visit.write() as tx:
            _act(visit, tx, hub, action)
    except NotFound:
        raise
    except Refused as error:
        return _buying_page(visit, hub, mistakes(visit, error), status_of(error))
    return visit.redirect(f"{_address(hub)}?done={action}")


def _act(visit: Visit, tx: Transaction, hub: Enterprise, action: str) -> None:
    federation, form = federation_of(visit.instance), visit.form
    demand(tx, visit.actor, "sales:write" if action in ("hold", "decline") else "grants:write", hub.id)
    if action == "hold":
        accept_sale(federation, tx, hub.id, form.get("proposal", ""))
    elif action == "decline":
        refuse_sale(federation, tx, hub.id, form.get("proposal", ""))
    elif action in ("accept", "refuse", "give-up", "follow"):
        grant = grant_by_id(tx, form.get("grant", ""), direction="received", enterprise_id=hub.id)
        if action == "accept":
            accept_grant(federation, tx, grant.id, by=visit.actor.person_id)
        elif action == "follow":
            _follow(visit, tx, hub, grant.id)
        else:
            end_grant(federation, tx, grant.id)
    else:
        raise NotFound


def _follow(visit: Visit, tx: Transaction, hub: Enterprise, grant_id: str) -> None:
    """Lists all goods in the hub's first catalogue, at the producer's prices and a margin, also those that come."""
    catalog_id = first_catalog_id(tx, hub)
    list_all(tx, follow(tx, hub.id, grant_id, catalog_id, read_margin(visit)))


def first_catalog_id(tx: Transaction, hub: Enterprise) -> str:
    """The catalogue in which a hub lists goods of others. Raises `Conflict` if it has none."""
    catalogs = catalogs_of(tx, hub.id, limit=1)
    if not catalogs:
        raise Conflict("no_catalog", "The hub has no catalog yet.")
    return catalogs[0].id


def read_margin(visit: Visit) -> Decimal:
    """The typed margin in percent; 0 for an empty field. Raises `Invalid`."""
    typed = visit.form.get("margin", "").strip().removesuffix("%").strip().replace(",", ".")
    try:
        return read_decimal(typed or "0")
    except InvalidOperation:
        raise Invalid([Problem("margin", "Give a margin in percent, like 15 or 12.5.", "/margin")]) from None


def _ending_page(visit: Visit, hub: Enterprise) -> Screen:
    """Shows whom it concerns before the hub gives a permission up."""
    with visit.read() as tx:
        demand(tx, visit.actor, "grants:write", hub.id)
        grant = grant_by_id(tx, visit.form.get("grant", ""), direction="received", enterprise_id=hub.id)
        orders = orders_between(tx, hub.id, grant.other_iri)
    context = {"grant": grant, "orders": orders, "held": [], "here": _address(hub), "is_given": False}
    return Screen(template="federation/grant_ending.html", context=context)


def offer_lines(tx: Transaction, hub_id: str, language: str) -> list[PageLine]:
    """What waits for an answer of the hub's people, for their week."""
    offers = grants_between(tx, enterprise_id=hub_id, direction="received", state="offered")
    sales = [sale for sale in proposals_of(tx, hub_id) if sale.direction == "received" and sale.state == "offered"]
    offering = translate(language, "{name} offers you its goods")
    proposing = translate(language, "{name} proposes the sale “{sale}”")
    texts = [
        *(offering.format(name=offer.other_name) for offer in offers),
        *(proposing.format(name=sale.other_name, sale=sale.name) for sale in sales),
    ]
    url, action = f"/office/{hub_id}/{PATH}", translate(language, "Answer it")
    return [PageLine(text=text, url=url, action=action) for text in texts]


def _address(hub: Enterprise) -> str:
    return f"/office/{hub.id}/{PATH}"
