"""Producers elsewhere: a hub's people answer what producers of other sites offer and propose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from starlette.responses import Response

from commensal import (
    Amount,
    Enterprise,
    Invalid,
    NotFound,
    PageLine,
    Problem,
    Screen,
    SuppliedProduct,
    Transaction,
    demand,
    read_decimal,
    translate,
)
from commensal.catalogs import first_catalog
from commensal.pages import Visit, any_field, on_refusal
from commensal.products import products_by_id

from ..catalogue.grants import accept_grant, end_grant, follow
from ..catalogue.listings import added_percent, list_all, margin_of, purchase_prices, received_items
from ..catalogue.price_listing import with_margin
from ..grants.questions import grant_by_id, grants_between
from ..messages.catalogue import Grant
from ..proposals.receiving import accept_sale, proposals_of, refuse_sale
from ..runtime import federation_of
from .allowances import FIELDS, budgets_of, save_allowance, typed_allowance
from .effects import orders_between

PATH = "producers/elsewhere"
_SHOWN = 200
_USUAL_MARGIN = Decimal(20)  # percent of the selling price, as the page of a producer here proposes


@dataclass(frozen=True, kw_only=True)
class PreviewedProduct:
    """A product at the margin that was typed: what the hub pays for it and what the hub's customers pay, in minor units
    of the hub's currency for one piece, with VAT or without as the hub's prices are."""

    product: SuppliedProduct
    purchase_price: Amount
    price: Amount


def _previewed(visit: Visit, tx: Transaction, hub: Enterprise) -> list[PreviewedProduct]:
    """The goods of the grant that is asked about, by name, at the typed margin. Raises `Invalid`, `NotFound`."""
    grant = grant_by_id(tx, visit.query["grant"], direction="received", enterprise_id=hub.id)
    added = added_percent(typed_margin(visit.query.get("margin", "")))
    items = received_items(tx, grant, limit=_SHOWN)
    prices = purchase_prices(tx, grant, {item.product_id: item.price for item in items})
    products = products_by_id(tx, prices)
    lines = [
        PreviewedProduct(product=products[id], purchase_price=price, price=with_margin(price, added))
        for id, price in prices.items()
    ]
    return sorted(lines, key=lambda line: line.product.name)


def _buying_page(visit: Visit, hub: Enterprise, lines: Sequence[PreviewedProduct] = ()) -> Screen:
    with visit.read() as tx:
        grants = grants_between(tx, enterprise_id=hub.id, direction="received", limit=_SHOWN)
        proposals = [sale for sale in proposals_of(tx, hub.id, limit=_SHOWN) if sale.direction == "received"]
        accepted = [grant for grant in grants if grant.state == "accepted"]
        budgets = budgets_of(visit, tx, hub.id, [grant.other_iri for grant in accepted])
        allowance = typed_allowance(visit, tx, hub)
    context = {
        "hub": hub,
        "offered": [grant for grant in grants if grant.state == "offered"],
        "accepted": accepted,
        "budgets": budgets,
        "allowance": allowance,
        "over": [grant for grant in grants if grant.state in ("refused", "revoked")],
        "proposals": proposals,
        "here": _address(hub),
        "done": visit.query.get("done", ""),
        "lines": lines,
        "asked": visit.query.get("grant") or visit.form.get("grant", ""),
        "margin_of": _kept_of,
        "typed": visit.query.get("margin") or visit.form.get("margin", ""),
    }
    return Screen(template="federation/buying.html", context=context)


@on_refusal(_buying_page, any_field)
def buying_page(visit: Visit, hub: Enterprise) -> Screen:
    with visit.read() as tx:
        lines = _previewed(visit, tx, hub) if visit.query.get("grant") else ()
    return _buying_page(visit, hub, lines)


@on_refusal(_buying_page, FIELDS)
def post_buying(visit: Visit, hub: Enterprise) -> Screen | Response:
    action = visit.query.get("then", "")
    if action == "give-up" and visit.form.get("sure") != "1":
        return _ending_page(visit, hub)
    with visit.write() as tx:
        _act(visit, tx, hub, action)
    return visit.redirect(f"{_address(hub)}?done={action}")


def _act(visit: Visit, tx: Transaction, hub: Enterprise, action: str) -> None:
    federation, form = federation_of(visit.instance), visit.form
    if action == "allowance":
        return save_allowance(visit, tx, hub)
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
    added = added_percent(typed_margin(visit.form.get("margin", "")))
    list_all(federation_of(visit.instance), tx, follow(tx, hub.id, grant_id, first_catalog(tx, hub.id).id, added))


def typed_margin(typed: str) -> Decimal:
    """The typed margin in percent of the selling price; 0 for an empty field. Raises `Invalid`."""
    try:
        return read_decimal(typed.strip().removesuffix("%").strip().replace(",", ".") or "0")
    except InvalidOperation:
        raise Invalid([Problem("margin", "Give a margin in percent, like 15 or 12.5.", "/margin")]) from None


def _kept_of(grant: Grant) -> Decimal:
    """What the hub keeps of the selling price, in percent; the usual margin where nothing is listed yet."""
    return _USUAL_MARGIN if grant.margin is None else margin_of(Decimal(grant.margin)).normalize()


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
