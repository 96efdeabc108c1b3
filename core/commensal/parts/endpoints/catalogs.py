"""Catalogs over the API: what an enterprise lists, who sees it, and what it costs."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

import msgspec

from ...api.endpoint import Body, Call, Page, Paging, Routes, changes, page_of
from ...catalogs.catalogs import (
    catalog_by_id,
    catalogs_of,
    change_catalog,
    create_catalog,
    remove_catalog,
    sellable_products,
)
from ...catalogs.items import add_item, change_item, item_by_id, items_of, remove_item
from ...catalogs.offers import PurchaseTerms, purchase_terms_of, remove_price, set_price, set_purchase_terms
from ...catalogs.values import Catalog, CatalogItem, Offer
from ...products.values import StockedProduct
from ..supply.ranges import RangeLine, list_range, plan_range

routes = Routes("catalogs")

Unset = msgspec.UnsetType
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Ids = Annotated[tuple[Id, ...], msgspec.Meta(max_length=200)]
Position = Annotated[int, msgspec.Meta(ge=0, le=10**9)]


class CatalogName(Body, frozen=True, kw_only=True):
    name: Name


class NewItem(Body, frozen=True, kw_only=True):
    """`name` is the enterprise's own (left out: the producer's); without a `position` it comes last; `shown_to` are
    customer categories (none: everybody sees it)."""

    product_id: Id
    name: Name | Unset | None = msgspec.UNSET
    position: Position | Unset = msgspec.UNSET
    hidden: bool | Unset = msgspec.UNSET
    shown_to: Ids | Unset = msgspec.UNSET


class ItemPatch(Body, frozen=True, kw_only=True):
    """What is hidden is not sold, in running sales neither."""

    name: Name | Unset | None = msgspec.UNSET
    position: Position | Unset = msgspec.UNSET
    hidden: bool | Unset = msgspec.UNSET
    shown_to: Ids | Unset = msgspec.UNSET


class Price(Body, frozen=True, kw_only=True):
    """In minor units of the enterprise's currency, for one piece."""

    price: Annotated[int, msgspec.Meta(ge=0, le=10**12)]


class TermsWanted(Body, frozen=True, kw_only=True):
    """`price` in minor units for one piece, or `margin` in percent of the selling price; neither: the selling price."""

    price: Annotated[int, msgspec.Meta(ge=0, le=10**12)] | None = None
    margin: Decimal | None = None


class TermsOfItems(Body, frozen=True, kw_only=True):
    """By the id of the catalog item."""

    items: Annotated[dict[Id, TermsWanted], msgspec.Meta(max_length=1000)]


class RangeQuery(Body, frozen=True, kw_only=True):
    """`margin` in percent of the selling price; prices are rounded up to a multiple of `step` minor units."""

    margin: Decimal = Decimal(0)
    step: Literal[1, 5, 10, 50, 100] = 1


class RangeToList(Body, frozen=True, kw_only=True):
    """As `RangeQuery`."""

    margin: Decimal = Decimal(0)
    step: Literal[1, 5, 10, 50, 100] = 1


class SellableQuery(Paging, frozen=True, kw_only=True):
    """`search`: words of the name or the reference; `producer`: the id of one enterprise."""

    search: Annotated[str, msgspec.Meta(max_length=200)] = ""
    producer: Annotated[str, msgspec.Meta(max_length=64)] = ""


_CATALOG = "/enterprises/{enterprise}/catalogs/{catalog}"
_ITEM = "/enterprises/{enterprise}/items/{item}"


@routes.get("/enterprises/{enterprise}/catalogs", scope="catalogs:read")
def catalogs(call: Call, enterprise: str, query: Paging) -> Page[Catalog]:
    """The enterprise's catalogs."""
    found_catalogs = catalogs_of(call.tx, enterprise, after=query.after, limit=query.limit)
    return page_of(found_catalogs, query.limit, lambda catalog: catalog.id)


@routes.post("/enterprises/{enterprise}/catalogs", scope="catalogs:write", status=201)
def add_catalog(call: Call, enterprise: str, body: CatalogName) -> Catalog:
    """Makes a catalog."""
    return create_catalog(call.tx, enterprise_id=enterprise, name=body.name)


@routes.get(_CATALOG, scope="catalogs:read")
def catalog(call: Call, enterprise: str, catalog: str) -> Catalog:
    """One catalog."""
    return catalog_by_id(call.tx, enterprise, catalog)


@routes.patch(_CATALOG, scope="catalogs:write", edits=True)
def rename_catalog(call: Call, enterprise: str, catalog: str, body: CatalogName) -> Catalog:
    """Renames a catalog."""
    return change_catalog(call.tx, enterprise, catalog, call.version, name=body.name)


@routes.delete(_CATALOG, scope="catalogs:write")
def drop_catalog(call: Call, enterprise: str, catalog: str) -> None:
    """Removes an empty catalog."""
    remove_catalog(call.tx, enterprise, catalog)


@routes.get("/enterprises/{enterprise}/sellable-products", scope="catalogs:read")
def products_to_list(call: Call, enterprise: str, query: SellableQuery) -> Page[StockedProduct]:
    """Products that the enterprise may list: its own, and those of producers that let it sell them."""
    sellable = sellable_products(
        call.tx,
        enterprise,
        producer_id=query.producer or None,
        search=query.search,
        after=query.after,
        limit=query.limit,
    )
    return page_of(sellable, query.limit, lambda stocked: stocked.product.id)


@routes.get(f"{_CATALOG}/items", scope="catalogs:read")
def catalog_items(call: Call, enterprise: str, catalog: str, query: Paging) -> Page[CatalogItem]:
    """What a catalog lists, with prices."""
    catalog_by_id(call.tx, enterprise, catalog)
    items = items_of(call.tx, enterprise, catalog, after=query.after, limit=query.limit)
    return page_of(items, query.limit, lambda item: item.id)


@routes.post(f"{_CATALOG}/items", scope="catalogs:write", status=201)
def list_product(call: Call, enterprise: str, catalog: str, body: NewItem) -> CatalogItem:
    """Lists a product: the enterprise's own, or of a producer that lets it sell. It has no price yet."""
    return add_item(call.tx, enterprise, catalog, **changes(body))


@routes.get(_ITEM, scope="catalogs:read")
def catalog_item(call: Call, enterprise: str, item: str) -> CatalogItem:
    """One item with its prices."""
    return item_by_id(call.tx, enterprise, item)


@routes.patch(_ITEM, scope="catalogs:write", edits=True)
def edit_item(call: Call, enterprise: str, item: str, body: ItemPatch) -> CatalogItem:
    """Changes an item's name, place or visibility."""
    return change_item(call.tx, enterprise, item, call.version, **changes(body))


@routes.delete(_ITEM, scope="catalogs:write")
def drop_item(call: Call, enterprise: str, item: str) -> None:
    """Takes an item that was never on sale off its catalog."""
    remove_item(call.tx, enterprise, item)


@routes.put(f"{_ITEM}/price", scope="catalogs:write")
def put_price(call: Call, enterprise: str, item: str, body: Price) -> Offer:
    """Sets what everybody pays."""
    return set_price(call.tx, enterprise, item, body.price)


@routes.delete(f"{_ITEM}/price", scope="catalogs:write")
def drop_price(call: Call, enterprise: str, item: str) -> None:
    """Takes everybody's price back; only categories with a price of their own see the item."""
    remove_price(call.tx, enterprise, item)


@routes.put(f"{_ITEM}/prices/{{category}}", scope="catalogs:write")
def put_category_price(call: Call, enterprise: str, item: str, category: str, body: Price) -> Offer:
    """Sets what a customer category pays."""
    return set_price(call.tx, enterprise, item, body.price, category_id=category)


@routes.delete(f"{_ITEM}/prices/{{category}}", scope="catalogs:write")
def drop_category_price(call: Call, enterprise: str, item: str, category: str) -> None:
    """Takes a category's price back; it pays what everybody does."""
    remove_price(call.tx, enterprise, item, category_id=category)


_RANGE = f"{_CATALOG}/ranges/{{supplier}}"


@routes.get(_RANGE, scope="catalogs:read")
def range_to_list(call: Call, enterprise: str, catalog: str, supplier: str, query: RangeQuery) -> list[RangeLine]:
    """A producer's whole range with the price at which listing it would sell each product; changes nothing."""
    return plan_range(call.tx, enterprise, catalog, supplier, margin=query.margin, step=query.step)


@routes.post(_RANGE, scope="catalogs:write", status=201)
def list_whole_range(call: Call, enterprise: str, catalog: str, supplier: str, body: RangeToList) -> list[RangeLine]:
    """Lists what a producer's range has more than the catalog, and notes the producer's prices as what is paid for it.

    Answers with what was added; products without a price of their producer are left out."""
    return list_range(call.tx, enterprise, catalog, supplier, margin=body.margin, step=body.step)


@routes.get(f"{_CATALOG}/purchase-terms", scope="payments:read")
def terms_of_items(call: Call, enterprise: str, catalog: str) -> dict[str, PurchaseTerms]:
    """What the enterprise pays for the items of a catalog, by item; those not here cost what they are sold for."""
    return purchase_terms_of(call.tx, enterprise, catalog)


@routes.put("/enterprises/{enterprise}/purchase-terms", scope="catalogs:write", status=204)
def put_terms_of_items(call: Call, enterprise: str, body: TermsOfItems) -> None:
    """Sets what the enterprise pays for items that are ordered from now on; all of them or none."""
    terms = {item: PurchaseTerms(price=entry.price, margin=entry.margin) for item, entry in body.items.items()}
    set_purchase_terms(call.tx, enterprise, terms)
