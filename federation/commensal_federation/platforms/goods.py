"""Goods at an address: products with their stock, and a seller's items of them with their prices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import BaseRoute

from commensal import Enterprise, NotFound, Transaction, demand, enterprises_by_id, list_categories, person_by_id
from commensal.catalogs import Catalog, CatalogItem, catalog_by_id, items_by_id, items_of, listings_of
from commensal.pages import Visit
from commensal.people import SELF
from commensal.products import StockedProduct, products_of, stocked_by_id
from commensal.sale_sessions import items_of_offers, whose
from commensal.stock import lots_by_id

from ..dfc.iris import person_iri, product_list_iri
from ..dfc.vocabulary import DfcPerson, Thing
from .export import (
    Categories,
    catalog_thing,
    categories_of,
    category_thing,
    enterprise_things,
    groups_of,
    is_for_caller,
    is_shown,
    item_things,
    lot_thing,
    product_thing,
    visible_offers,
)
from .layouts import layout_of
from .responses import base_of, dfc_page, dfc_response
from .scopes import Scope, demand_owner, demand_scope, refuse_anonymous, requested_enterprise

MOST_SIZES = 1_000  # of one lot


@dataclass(frozen=True, kw_only=True)
class Goods:
    """Products, by id, whichever producer they belong to, and the seller's items of them that the caller may see.

    `categories` are those in which the caller buys there, None for a caller who sees all prices.
    """

    seller: Enterprise
    products: Mapping[str, StockedProduct]
    items: Sequence[CatalogItem]
    categories: Categories | None


FindGoods = Callable[[Visit, Transaction, Scope], Goods]


def goods_of_product(visit: Visit, tx: Transaction, scope: Scope) -> Goods:
    """A product as its producer lists it. Raises `NotFound` and what `demand_scope` does, like all functions here."""
    refuse_anonymous(visit)
    seller = demand_scope(visit, tx, whose(tx, "product", visit.path["product"]), scope)
    return goods_of_products(visit, tx, seller, [visit.path["product"]])


def goods_of_listed_product(visit: Visit, tx: Transaction, scope: Scope) -> Goods:
    """A product as the enterprise in the path lists it: its own, or another producer's."""
    seller = demand_scope(visit, tx, requested_enterprise(visit, tx).id, scope)
    is_own = whose(tx, "product", visit.path["product"]) == seller.id
    if not is_own and not listings_of(tx, seller.id, [visit.path["product"]]):
        raise NotFound
    return goods_of_products(visit, tx, seller, [visit.path["product"]])


def goods_of_item(visit: Visit, tx: Transaction, scope: Scope) -> Goods:
    """One item."""
    refuse_anonymous(visit)
    seller = demand_scope(visit, tx, whose(tx, "item", visit.path["item"]), scope)
    return _single_item(visit, tx, seller, visit.path["item"])


def goods_of_offer(visit: Visit, tx: Transaction, scope: Scope) -> Goods:
    """The item that an offer prices."""
    refuse_anonymous(visit)
    offer_id = visit.path["offer"]
    seller = demand_scope(visit, tx, whose(tx, "offer", offer_id), scope)
    goods = _single_item(visit, tx, seller, items_of_offers(tx, [offer_id])[offer_id])
    if offer_id not in {offer.id for item in goods.items for offer in visible_offers(item, goods.categories)}:
        raise NotFound
    return goods


def goods_of_lot(visit: Visit, tx: Transaction, scope: Scope) -> Goods:
    """All sizes of a lot that the caller may see."""
    refuse_anonymous(visit)
    lot = lots_by_id(tx, [visit.path["lot"]]).get(visit.path["lot"])
    if lot is None:
        raise NotFound
    seller = demand_scope(visit, tx, lot.enterprise_id, scope)
    sizes = [size.product.id for size in products_of(tx, seller.id, lot_id=lot.id, limit=MOST_SIZES)]
    goods = goods_of_products(visit, tx, seller, sizes)
    if goods.categories is not None and not goods.items:
        raise NotFound
    return goods


def goods_things(visit: Visit, tx: Transaction, goods: Goods) -> Iterator[Thing]:
    """The goods as values, with their producers, catalogs and lots."""
    base, seller, products = base_of(visit), goods.seller, goods.products
    groups = groups_of(base, _with_sizes(tx, list(products.values())))
    yield from groups.values()
    list_iri = layout_of(visit, seller.id).products
    producers = enterprises_by_id(tx, {stocked.product.enterprise_id for stocked in products.values()})
    for enterprise in {seller.id: seller, **producers}.values():
        yield from enterprise_things(base, enterprise)
    for catalog_id in sorted({item.catalog_id for item in goods.items}):
        yield catalog_thing(base, catalog_by_id(tx, seller.id, catalog_id))
    yield from {stocked.lot.id: lot_thing(base, stocked) for stocked in products.values()}.values()
    for stocked in products.values():
        currency = producers[stocked.product.enterprise_id].currency
        group = groups.get(stocked.lot.id)
        yield product_thing(base, stocked, currency, tx.plugin_fields.products, list_iri, group)
    for item in goods.items:
        yield from item_things(base, item, seller, products[item.product_id], goods.categories, list_iri)


def goods_of_products(visit: Visit, tx: Transaction, seller: Enterprise, product_ids: Sequence[str]) -> Goods:
    """The products, and the seller's items of them that the caller may see. Checks no scope."""
    categories = categories_of(visit, tx, seller.id)
    items = _shown_items(tx, seller, product_ids, categories)
    return Goods(seller=seller, products=stocked_by_id(tx, product_ids), items=items, categories=categories)


def goods_of_items(visit: Visit, tx: Transaction, seller: Enterprise, items: Iterable[CatalogItem]) -> Goods:
    """Those of the seller's items that the caller may see."""
    categories = categories_of(visit, tx, seller.id)
    shown = [item for item in items if is_shown(item, categories)]
    products = stocked_by_id(tx, {item.product_id for item in shown})
    return Goods(seller=seller, products=products, items=shown, categories=categories)


def sizes_of_lot(visit: Visit, tx: Transaction, seller: Enterprise, lot_id: str) -> list[StockedProduct]:
    """The sizes of a lot that the caller may see: for buyers those that they may order."""
    sizes = products_of(tx, seller.id, lot_id=lot_id, limit=MOST_SIZES)
    categories = categories_of(visit, tx, seller.id)
    if categories is None:
        return sizes
    shown = {item.product_id for item in _shown_items(tx, seller, [size.product.id for size in sizes], categories)}
    return [size for size in sizes if size.product.id in shown]


def _single_item(visit: Visit, tx: Transaction, seller: Enterprise, item_id: str) -> Goods:
    """Raises `NotFound` if the path names another enterprise than the seller, or the caller may not see the item."""
    demand_owner(visit, tx, seller.id)
    goods = goods_of_items(visit, tx, seller, items_by_id(tx, seller.id, [item_id]))
    if not goods.items:
        raise NotFound
    return goods


def _shown_items(
    tx: Transaction, seller: Enterprise, product_ids: Sequence[str], categories: Categories | None
) -> list[CatalogItem]:
    """The seller's items of these products that a buyer in `categories` may order, or all."""
    item_ids = [item_id for ids in listings_of(tx, seller.id, product_ids).values() for item_id in ids]
    return [
        item for item in items_by_id(tx, seller.id, item_ids) if item.archived_at is None and is_shown(item, categories)
    ]


def _with_sizes(tx: Transaction, products: Sequence[StockedProduct]) -> Sequence[StockedProduct]:
    """The products, and for a single one another size of its lot: that tells whether it is one of several."""
    if len(products) != 1:
        return products
    product = products[0].product
    return products_of(tx, product.enterprise_id, lot_id=product.lot_id, limit=2)


# Serves single things at their IRI, with their parts: a catalog page by page, a category, a person.

_PAGE, _MOST = 200, 1_000  # items of a catalog


def single_routes() -> Sequence[BaseRoute]:
    """Routes of single things; `../dfc/iris.py` has the IRIs."""
    return [
        dfc_page("/api/dfc/product_groups/{group}", product_group),
        dfc_page("/api/dfc/catalogs/{catalog}", catalog),
        dfc_page("/api/dfc/customer_categories/{category}", category),
        dfc_page("/api/dfc/persons/{person}", person),
    ]


def product_group(visit: Visit) -> Response:
    """The product that several sizes share, with those sizes that the caller may see."""
    base, lot_id = base_of(visit), visit.path["group"]
    with visit.read() as tx:
        refuse_anonymous(visit)
        lot = lots_by_id(tx, [lot_id]).get(lot_id)
        if lot is None:
            raise NotFound
        enterprise = demand_scope(visit, tx, lot.enterprise_id, "ReadProducts")
        sizes = sizes_of_lot(visit, tx, enterprise, lot_id)
        group = groups_of(base, sizes).get(lot_id)
        declared = tx.plugin_fields.products
    if group is None:
        raise NotFound
    list_iri = product_list_iri(base)
    products = [product_thing(base, size, enterprise.currency, declared, list_iri, group) for size in sizes]
    return dfc_response(visit, [group, *products])


def catalog(visit: Visit) -> Response:
    """A catalog with a page of its items (``?limit=``) sorted by id; ``?after=`` the last id of the page before."""
    base, catalog_id = base_of(visit), visit.path["catalog"]
    with visit.read() as tx:
        refuse_anonymous(visit)
        enterprise = demand_scope(visit, tx, whose(tx, "catalog", catalog_id), "ReadProducts")
        demand_owner(visit, tx, enterprise.id)
        limit = _limit(visit)
        items = items_of(tx, enterprise.id, catalog_id, after=visit.query.get("after", "")[:100], limit=limit)
        catalog: Catalog = catalog_by_id(tx, enterprise.id, catalog_id)
        goods = goods_of_items(visit, tx, enterprise, items)
        things = {thing.iri: thing for thing in (catalog_thing(base, catalog), *goods_things(visit, tx, goods))}
    response = dfc_response(visit, things.values())
    if len(items) == limit:
        url = f"{base}{visit.request.url.path}"
        response.headers["Link"] = f'<{url}?after={items[-1].id}&limit={limit}>; rel="next"'
    return response


def category(visit: Visit) -> Response:
    category_id = visit.path["category"]
    with visit.read() as tx:
        refuse_anonymous(visit)
        enterprise = demand_scope(visit, tx, whose(tx, "category", category_id), "ReadEnterprise")
        demand_owner(visit, tx, enterprise.id)
        if not is_for_caller(visit, tx, enterprise.id, category_id):
            raise NotFound
        (category,) = (category for category in list_categories(tx, enterprise.id) if category.id == category_id)
    return dfc_response(visit, [category_thing(base_of(visit), category)])


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


def _limit(visit: Visit) -> int:
    limit = visit.query.get("limit", "")
    return min(max(int(limit), 1), _MOST) if limit.isascii() and limit.isdecimal() and len(limit) < 6 else _PAGE
