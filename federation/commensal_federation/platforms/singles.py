"""Serves single things at their IRI, with their parts: a product with its stock, an item with its offers, a catalog
page by page, a category, a sale."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from starlette.responses import Response
from starlette.routing import BaseRoute

from commensal import (
    Enterprise,
    NotFound,
    Transaction,
    enterprises_by_id,
    list_categories,
    person_by_id,
    sale_by_id,
)
from commensal.pages import Visit
from commensal.trade import (
    SELF,
    Catalog,
    CatalogItem,
    StockedProduct,
    catalog_by_id,
    demand,
    item_by_id,
    items_of,
    items_of_offers,
    listings_of,
    lots_by_id,
    products_of,
    sessions_of_shop,
    stocked_by_id,
    whose,
)

from ..dfc.iris import catalog_iri, enterprise_iri, person_iri, product_list_iri, session_iri
from ..dfc.vocabulary import DfcPerson, Thing
from .access import demand_scope, refuse_anonymous, requested_enterprise
from .export import (
    catalog_thing,
    category_thing,
    enterprise_things,
    groups_of,
    item_things,
    lot_thing,
    product_thing,
)
from .layouts import layout_of
from .order_document import session_thing
from .order_pages import order_response
from .orders import is_platform_order
from .prices import Categories, categories_of, is_shown, visible_offers
from .responses import base_of, dfc_page, dfc_response

_PAGE, _MOST = 200, 1_000  # items of a catalog
_SESSIONS = 100


def single_routes() -> Sequence[BaseRoute]:
    """Routes of single things; `iris.py` has the IRIs."""
    return [
        dfc_page("/api/dfc/supplied_products/{product}", product),
        dfc_page("/api/dfc/enterprises/{enterprise}/supplied_products/{product}", listed_product),
        dfc_page("/api/dfc/Enterprises/{enterprise}/SuppliedProducts/{product}", listed_product),
        dfc_page("/api/dfc/product_groups/{group}", product_group),
        dfc_page("/api/dfc/catalog_items/{item}", item),
        dfc_page("/api/dfc/enterprises/{enterprise}/catalog_items/{item}", item),
        dfc_page("/api/dfc/Enterprises/{enterprise}/CatalogItems/{item}", item),
        dfc_page("/api/dfc/offers/{offer}", offer),
        dfc_page("/api/dfc/enterprises/{enterprise}/offers/{offer}", offer),
        dfc_page("/api/dfc/Enterprises/{enterprise}/Offers/{offer}", offer),
        dfc_page("/api/dfc/catalogs/{catalog}", catalog),
        dfc_page("/api/dfc/customer_categories/{category}", category),
        dfc_page("/api/dfc/enterprises/{enterprise}/sale_sessions", sale_sessions),
        dfc_page("/api/dfc/sale_sessions/{session}", sale_session),
        dfc_page("/api/dfc/persons/{person}", person),
    ]


def product(visit: Visit) -> Response:
    """A product as its producer lists it: with its stock, and with its items and their offers. An order that was sent
    to the address of the products is below that address too."""
    with visit.read() as tx:
        refuse_anonymous(visit)
        if is_platform_order(tx, visit.path["product"]):
            return order_response(visit, tx, visit.path["product"])
        enterprise = demand_scope(visit, tx, whose(tx, "product", visit.path["product"]), "ReadProducts")
        return dfc_response(visit, _product(visit, tx, enterprise))


def listed_product(visit: Visit) -> Response:
    """A product as an enterprise lists it: its own, or another producer's."""
    with visit.read() as tx:
        enterprise = demand_scope(visit, tx, requested_enterprise(visit, tx).id, "ReadProducts")
        is_own = whose(tx, "product", visit.path["product"]) == enterprise.id
        if not is_own and not listings_of(tx, enterprise.id, [visit.path["product"]]):
            raise NotFound
        return dfc_response(visit, _product(visit, tx, enterprise))


def product_group(visit: Visit) -> Response:
    """The product that several sizes share, with those sizes that the caller may see."""
    base, lot_id = base_of(visit), visit.path["group"]
    with visit.read() as tx:
        refuse_anonymous(visit)
        lot = lots_by_id(tx, [lot_id]).get(lot_id)
        if lot is None:
            raise NotFound
        enterprise = demand_scope(visit, tx, lot.enterprise_id, "ReadProducts")
        sizes = _shown_sizes(visit, tx, enterprise, lot_id)
        group = groups_of(base, sizes).get(lot_id)
        declared = tx.plugin_fields.products
    if group is None:
        raise NotFound
    list_iri = product_list_iri(base)
    products = [product_thing(base, size, enterprise.currency, declared, list_iri, group) for size in sizes]
    return dfc_response(visit, [group, *products])


def item(visit: Visit) -> Response:
    """A catalog item with its product, stock and offers."""
    with visit.read() as tx:
        refuse_anonymous(visit)
        enterprise = demand_scope(visit, tx, whose(tx, "item", visit.path["item"]), "ReadProducts")
        _demand_enterprise_in_path(visit, tx, enterprise)
        return _item(visit, tx, enterprise, visit.path["item"])


def offer(visit: Visit) -> Response:
    """An offer with the item that it prices."""
    offer_id = visit.path["offer"]
    with visit.read() as tx:
        refuse_anonymous(visit)
        enterprise = demand_scope(visit, tx, whose(tx, "offer", offer_id), "ReadProducts")
        _demand_enterprise_in_path(visit, tx, enterprise)
        item_id = items_of_offers(tx, [offer_id])[offer_id]
        offered = visible_offers(item_by_id(tx, enterprise.id, item_id), categories_of(visit, tx, enterprise.id))
        if offer_id not in {offer.id for offer in offered}:
            raise NotFound
        return _item(visit, tx, enterprise, item_id)


def catalog(visit: Visit) -> Response:
    """A catalog with a page of its items (``?limit=``) sorted by id; ``?after=`` the last id of the page before."""
    base, catalog_id = base_of(visit), visit.path["catalog"]
    with visit.read() as tx:
        refuse_anonymous(visit)
        enterprise = demand_scope(visit, tx, whose(tx, "catalog", catalog_id), "ReadProducts")
        limit = _limit(visit)
        items = items_of(tx, enterprise.id, catalog_id, after=visit.query.get("after", "")[:100], limit=limit)
        catalog: Catalog = catalog_by_id(tx, enterprise.id, catalog_id)
        things = {thing.iri: thing for thing in (catalog_thing(base, catalog), *_items(visit, tx, enterprise, items))}
    response = dfc_response(visit, things.values())
    if len(items) == limit:
        url = catalog_iri(base, catalog_id)
        response.headers["Link"] = f'<{url}?after={items[-1].id}&limit={limit}>; rel="next"'
    return response


def category(visit: Visit) -> Response:
    category_id = visit.path["category"]
    with visit.read() as tx:
        refuse_anonymous(visit)
        enterprise = demand_scope(visit, tx, whose(tx, "category", category_id), "ReadEnterprise")
        (category,) = (category for category in list_categories(tx, enterprise.id) if category.id == category_id)
    return dfc_response(visit, [category_thing(base_of(visit), category)])


def sale_sessions(visit: Visit) -> Response:
    """Sales, newest first, closed ones included; ``?after=`` the last id of the page before."""
    base = base_of(visit)
    with visit.read() as tx:
        enterprise = demand_scope(visit, tx, requested_enterprise(visit, tx).id, "ReadOrders")
        sessions = sessions_of_shop(tx, enterprise.id, after=visit.query.get("after", "")[:100], limit=_SESSIONS)
    response = dfc_response(
        visit,
        [session_thing(base, session) for session in sessions],
        [session_iri(base, session.id) for session in sessions],
    )
    if len(sessions) == _SESSIONS:
        url = f"{enterprise_iri(base, enterprise.id)}/sale_sessions"
        response.headers["Link"] = f'<{url}?after={sessions[-1].id}>; rel="next"'
    return response


def sale_session(visit: Visit) -> Response:
    with visit.read() as tx:
        refuse_anonymous(visit)
        demand_scope(visit, tx, whose(tx, "session", visit.path["session"]), "ReadOrders")
        session = sale_by_id(tx, visit.path["session"]).session
    return dfc_response(visit, [session_thing(base_of(visit), session)])


def person(visit: Visit) -> Response:
    """A person may read only themselves: an enterprise's customers are not served in DFC."""
    with visit.read() as tx:
        refuse_anonymous(visit)
        if visit.actor.person_id != visit.path["person"]:
            raise NotFound
        demand(tx, visit.actor, SELF)
        person = person_by_id(tx, visit.path["person"])
    first, _, family = person.name.rpartition(" ")
    base = base_of(visit)
    thing = DfcPerson(iri=person_iri(base, person.id), first_name=first, family_name=family, email=person.email)
    return dfc_response(visit, [thing])


def _demand_enterprise_in_path(visit: Visit, tx: Transaction, enterprise: Enterprise) -> None:
    """Raises `NotFound` if the path names another enterprise than the owner."""
    if "enterprise" in visit.path and requested_enterprise(visit, tx).id != enterprise.id:
        raise NotFound


def _item(visit: Visit, tx: Transaction, seller: Enterprise, item_id: str) -> Response:
    """One item with its product and offers. Raises `NotFound` if the caller may not see it."""
    item, categories = item_by_id(tx, seller.id, item_id), categories_of(visit, tx, seller.id)
    if not is_shown(item, categories):
        raise NotFound
    return dfc_response(visit, _with_producers(visit, tx, seller, [item.product_id], [item], categories))


def _product(visit: Visit, tx: Transaction, seller: Enterprise) -> Iterable[Thing]:
    product_id, categories = visit.path["product"], categories_of(visit, tx, seller.id)
    items = _shown_items(tx, seller, [product_id], categories)
    return _with_producers(visit, tx, seller, [product_id], items, categories)


def _items(visit: Visit, tx: Transaction, seller: Enterprise, items: Sequence[CatalogItem]) -> Iterable[Thing]:
    """The items that the caller may see, each with its product."""
    categories = categories_of(visit, tx, seller.id)
    shown = [item for item in items if is_shown(item, categories)]
    return _with_producers(visit, tx, seller, sorted({item.product_id for item in shown}), shown, categories)


def _with_producers(
    visit: Visit,
    tx: Transaction,
    seller: Enterprise,
    product_ids: Sequence[str],
    items: Sequence[CatalogItem],
    categories: Categories | None,
) -> Iterable[Thing]:
    """Products with their producers, stock and the seller's items for them, whichever producer they belong to.

    `items` are those that a buyer in `categories` may order, or all.
    """
    base, stocked_products = base_of(visit), stocked_by_id(tx, product_ids)
    groups = groups_of(base, _with_sizes(tx, list(stocked_products.values())))
    yield from groups.values()
    list_iri = layout_of(visit, seller.id).products
    producers = enterprises_by_id(tx, {stocked.product.enterprise_id for stocked in stocked_products.values()})
    for enterprise in {seller.id: seller, **producers}.values():
        yield from enterprise_things(base, enterprise)
    for catalog_id in sorted({catalog_item.catalog_id for catalog_item in items}):
        yield catalog_thing(base, catalog_by_id(tx, seller.id, catalog_id))
    yield from {stocked.lot.id: lot_thing(base, stocked) for stocked in stocked_products.values()}.values()
    for stocked_product in stocked_products.values():
        currency = producers[stocked_product.product.enterprise_id].currency
        group = groups.get(stocked_product.lot.id)
        yield product_thing(base, stocked_product, currency, tx.plugin_fields.products, list_iri, group)
    for catalog_item in items:
        stocked_product = stocked_products[catalog_item.product_id]
        yield from item_things(base, catalog_item, seller, stocked_product, categories, list_iri)


def _shown_sizes(visit: Visit, tx: Transaction, enterprise: Enterprise, lot_id: str) -> list[StockedProduct]:
    """The sizes of a lot that the caller may see: for buyers those that they may order."""
    sizes = products_of(tx, enterprise.id, lot_id=lot_id, limit=_MOST)
    categories = categories_of(visit, tx, enterprise.id)
    if categories is None:
        return sizes
    shown = _shown_items(tx, enterprise, [size.product.id for size in sizes], categories)
    return [size for size in sizes if size.product.id in {item.product_id for item in shown}]


def _shown_items(
    tx: Transaction, seller: Enterprise, product_ids: Sequence[str], categories: Categories | None
) -> list[CatalogItem]:
    """The seller's items of these products that a buyer in `categories` may order, or all."""
    item_ids = [item_id for ids in listings_of(tx, seller.id, product_ids).values() for item_id in ids]
    items = [item_by_id(tx, seller.id, item_id) for item_id in item_ids]
    return [item for item in items if item.archived_at is None and is_shown(item, categories)]


def _with_sizes(tx: Transaction, products: Sequence[StockedProduct]) -> Sequence[StockedProduct]:
    """The products, and for a single one another size of its lot: that tells whether it is one of several."""
    if len(products) != 1:
        return products
    product = products[0].product
    return products_of(tx, product.enterprise_id, lot_id=product.lot_id, limit=2)


def _limit(visit: Visit) -> int:
    limit = visit.query.get("limit", "")
    return min(max(int(limit), 1), _MOST) if limit.isascii() and limit.isdecimal() and len(limit) < 6 else _PAGE
