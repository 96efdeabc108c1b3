"""One thing by its own address, with what it is made of: a product with its stock, an item with its offers, a catalog
page by page, a category, a sale."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from starlette.responses import Response
from starlette.routing import BaseRoute

from commensal import (
    SELF,
    Catalog,
    CatalogItem,
    Enterprise,
    NotFound,
    SaleSession,
    Transaction,
    Visit,
    catalog_by_id,
    demand,
    enterprises_by_id,
    item_by_id,
    items_of,
    items_of_offers,
    list_categories,
    person_by_id,
    sale_by_id,
    sessions_of_shop,
    stocked_by_id,
    whose,
)

from ..dfc.iris import catalog_iri, enterprise_iri, person_iri, session_iri
from ..dfc.vocabulary import DfcPerson, DfcSession, Thing
from .dfc_answering import base_of, dfc_page, document
from .dfc_asking import asked_enterprise, demand_scope, refuse_nobody
from .export import catalog_thing, category_thing, item_things, lot_thing, product_thing

_PAGE, _MOST = 200, 1_000  # items of a catalog
_SESSIONS = 100


def single_routes() -> Sequence[BaseRoute]:
    """Each thing at the address by which documents name it; see `iris.py`."""
    return [
        dfc_page("/api/dfc/supplied_products/{product}", product),
        dfc_page("/api/dfc/catalog_items/{item}", item),
        dfc_page("/api/dfc/offers/{offer}", offer),
        dfc_page("/api/dfc/catalogs/{catalog}", catalog),
        dfc_page("/api/dfc/customer_categories/{category}", category),
        dfc_page("/api/dfc/enterprises/{enterprise}/sale_sessions", sale_sessions),
        dfc_page("/api/dfc/sale_sessions/{session}", sale_session),
        dfc_page("/api/dfc/persons/{person}", person),
    ]


def product(visit: Visit) -> Response:
    """With the stock from which it is taken."""
    with visit.read() as tx:
        refuse_nobody(visit)
        found = demand_scope(visit, tx, whose(tx, "product", visit.path["product"]), "ReadProducts")
        stocked = stocked_by_id(tx, [visit.path["product"]])[visit.path["product"]]
    base = base_of(visit)
    return document(visit, [product_thing(base, stocked, found.currency), lot_thing(base, stocked)])


def item(visit: Visit) -> Response:
    """With its product, stock and offers."""
    with visit.read() as tx:
        refuse_nobody(visit)
        found = demand_scope(visit, tx, whose(tx, "item", visit.path["item"]), "ReadProducts")
        return document(visit, _items(visit, tx, found, [item_by_id(tx, found.id, visit.path["item"])]))


def offer(visit: Visit) -> Response:
    """With the item that it prices."""
    wanted = visit.path["offer"]
    with visit.read() as tx:
        refuse_nobody(visit)
        found = demand_scope(visit, tx, whose(tx, "offer", wanted), "ReadProducts")
        item_id = items_of_offers(tx, [wanted])[wanted]
        return document(visit, _items(visit, tx, found, [item_by_id(tx, found.id, item_id)]))


def catalog(visit: Visit) -> Response:
    """With its items, so many at a time (``?limit=``), by id: ``?after=`` the last of the page before."""
    base, wanted = base_of(visit), visit.path["catalog"]
    with visit.read() as tx:
        refuse_nobody(visit)
        found = demand_scope(visit, tx, whose(tx, "catalog", wanted), "ReadProducts")
        limit = _limit(visit)
        listed = items_of(tx, found.id, wanted, after=visit.query.get("after", "")[:100], limit=limit)
        of_it: Catalog = catalog_by_id(tx, found.id, wanted)
        things = [catalog_thing(base, of_it), *_items(visit, tx, found, listed)]
    response = document(visit, things)
    if len(listed) == limit:
        here = catalog_iri(base, wanted)
        response.headers["Link"] = f'<{here}?after={listed[-1].id}&limit={limit}>; rel="next"'
    return response


def category(visit: Visit) -> Response:
    wanted = visit.path["category"]
    with visit.read() as tx:
        refuse_nobody(visit)
        found = demand_scope(visit, tx, whose(tx, "category", wanted), "ReadEnterprise")
        (one,) = (one for one in list_categories(tx, found.id) if one.id == wanted)
    return document(visit, [category_thing(base_of(visit), one)])


def sale_sessions(visit: Visit) -> Response:
    """The newest first, those that are over too; ``?after=`` the id of the last of the page before."""
    base = base_of(visit)
    with visit.read() as tx:
        found = demand_scope(visit, tx, asked_enterprise(visit, tx).id, "ReadOrders")
        listed = sessions_of_shop(tx, found.id, after=visit.query.get("after", "")[:100], limit=_SESSIONS)
    response = document(
        visit, [session_thing(base, one) for one in listed], [session_iri(base, one.id) for one in listed]
    )
    if len(listed) == _SESSIONS:
        here = f"{enterprise_iri(base, found.id)}/sale_sessions"
        response.headers["Link"] = f'<{here}?after={listed[-1].id}>; rel="next"'
    return response


def sale_session(visit: Visit) -> Response:
    with visit.read() as tx:
        refuse_nobody(visit)
        demand_scope(visit, tx, whose(tx, "session", visit.path["session"]), "ReadOrders")
        found = sale_by_id(tx, visit.path["session"]).session
    return document(visit, [session_thing(base_of(visit), found)])


def person(visit: Visit) -> Response:
    """People may read themselves here, and nobody else: who a customer is, an enterprise tells nobody in DFC."""
    with visit.read() as tx:
        refuse_nobody(visit)
        if visit.actor.person_id != visit.path["person"]:
            raise NotFound
        demand(tx, visit.actor, SELF)
        found = person_by_id(tx, visit.path["person"])
    first, _, family = found.name.rpartition(" ")
    base = base_of(visit)
    said = DfcPerson(iri=person_iri(base, found.id), first_name=first, family_name=family, email=found.email)
    return document(visit, [said])


def session_thing(base: str, session: SaleSession) -> DfcSession:
    return DfcSession(
        iri=session_iri(base, session.id), name=session.name, opens_at=session.opens_at, closes_at=session.closes_at
    )


def _items(visit: Visit, tx: Transaction, shop: Enterprise, items: Sequence[CatalogItem]) -> Iterable[Thing]:
    """The items with all that they need to be understood, whoever's products they list."""
    base, known = base_of(visit), stocked_by_id(tx, {one.product_id for one in items})
    producers = enterprises_by_id(tx, {one.product.enterprise_id for one in known.values()})
    lots = {one.lot.id: lot_thing(base, one) for one in known.values()}
    yield from lots.values()
    for one in known.values():
        yield product_thing(base, one, producers[one.product.enterprise_id].currency)
    for listed in items:
        yield from item_things(base, listed, shop, known[listed.product_id])


def _limit(visit: Visit) -> int:
    said = visit.query.get("limit", "")
    return min(max(int(said), 1), _MOST) if said.isascii() and said.isdecimal() and len(said) < 6 else _PAGE
