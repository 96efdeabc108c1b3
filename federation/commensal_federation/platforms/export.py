"""Exports an enterprise as values: itself, its products with their stock, and its catalogs with prices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from decimal import Decimal
from typing import TypeVar
from urllib.parse import urlsplit

from commensal import Enterprise, PluginFields, Transaction, customer_by_id, enterprise_by_id, list_categories
from commensal.catalogs import Catalog, CatalogItem, Offer, catalogs_of, items_of
from commensal.enterprises import CustomerCategory
from commensal.pages import Visit
from commensal.products import StockedProduct, products_of

from ..dfc.described import description_of
from ..dfc.iris import (
    address_iri,
    catalog_iri,
    category_iri,
    contact_iri,
    enterprise_iri,
    group_iri,
    item_iri,
    lot_iri,
    offer_iri,
    phone_iri,
    product_list_iri,
    social_media_iri,
)
from ..dfc.vat import gross_price
from ..dfc.vocabulary import (
    DfcAddress,
    DfcCatalog,
    DfcCategory,
    DfcEnterprise,
    DfcItem,
    DfcLot,
    DfcOffer,
    DfcPerson,
    DfcPhone,
    DfcProduct,
    DfcQuantity,
    DfcSocialMedia,
    Thing,
)
from ..linked_catalogues.tables import linked_producers
from ..runtime import federation_of
from .scopes import caller_access

# Which items and prices a caller may see: a platform those that it pays, people of the enterprise all of them.

Categories = frozenset[str]  # ids of customer categories


def categories_of(visit: Visit, tx: Transaction, enterprise_id: str) -> Categories | None:
    """The customer categories in which the caller buys at the enterprise. None for a caller who sees all prices: a
    person of the enterprise, or a platform that may change its products."""
    if not visit.actor.client:
        return None
    access = caller_access(federation_of(visit.instance), tx, enterprise_id, visit.actor.client)
    if "WriteProducts" in access.scopes:
        return None
    if access.customer_id is None:
        return frozenset()
    return frozenset(customer_by_id(tx, enterprise_id, access.customer_id).categories)


def is_for_caller(visit: Visit, tx: Transaction, enterprise_id: str, category_id: str) -> bool:
    """Whether the caller may know of a customer category: a platform of those in which it buys."""
    categories = categories_of(visit, tx, enterprise_id)
    return categories is None or category_id in categories


def is_shown(item: CatalogItem, categories: Categories | None) -> bool:
    """Whether a buyer in these categories may order the item, and at which price."""
    if categories is None:
        return True
    is_for_buyer = not item.shown_to or bool(categories.intersection(item.shown_to))
    return not item.hidden and is_for_buyer and bool(visible_offers(item, categories))


def visible_offers(item: CatalogItem, categories: Categories | None) -> tuple[Offer, ...]:
    """The item's offers: all of them, or the only one by which such a buyer pays.

    That is the lowest price for the buyer's categories, else the one for everybody, as in a sale (`offers_for`).
    """
    if categories is None:
        return item.offers
    special = [offer for offer in item.offers if offer.category_id in categories]
    if special:
        return (min(special, key=lambda offer: (offer.price, offer.id)),)
    return tuple(offer for offer in item.offers if offer.category_id is None)


_AT_ONCE = 500
T = TypeVar("T")


def export_enterprise(
    tx: Transaction,
    base: str,
    enterprise: Enterprise,
    *,
    categories: Categories | None = None,
    lots: bool = True,
    products: str = "",
) -> Iterator[Thing]:
    """Yields the enterprise with its catalogs: for its own people all of it, with hidden items, which are marked; for a
    buyer in `categories` what that buyer may order, each at the one price that it pays.

    Listed products of other producers come with those enterprises, except products linked from a platform, which offers
    them itself. `base` is this instance's address, `products` the address of the list below which products have theirs,
    by default that of all products; without `lots`, the stocks that sizes share are left out.
    """
    list_iri = products or product_list_iri(base)
    yield from enterprise_things(base, enterprise)
    if categories is None:
        yield from (category_thing(base, category) for category in list_categories(tx, enterprise.id))
    own = list(
        _pages(
            lambda after: products_of(tx, enterprise.id, after=after, limit=_AT_ONCE),
            lambda stocked: stocked.product.id,
        )
    )
    catalogs = list(
        _pages(lambda after: catalogs_of(tx, enterprise.id, after=after, limit=_AT_ONCE), lambda catalog: catalog.id)
    )
    items = [item for catalog in catalogs for item in _items(tx, enterprise.id, catalog.id)]
    linked = linked_producers(tx, enterprise.id)
    items = [item for item in items if item.producer_id not in linked and is_shown(item, categories)]
    foreign = sorted({item.producer_id for item in items} - {enterprise.id})
    others = [stocked_product for producer_id in foreign for stocked_product in _products_in(tx, producer_id, items)]
    for producer_id in foreign:
        yield from enterprise_things(base, enterprise_by_id(tx, producer_id))
    by_product = {stocked.product.id: stocked for stocked in (*own, *others)}
    if categories is not None:
        listed = {item.product_id for item in items}
        by_product = {id: stocked for id, stocked in by_product.items() if id in listed}
    currencies = {producer_id: enterprise_by_id(tx, producer_id).currency for producer_id in foreign}
    written_lots: set[str] = set()
    groups = groups_of(base, by_product.values())
    yield from groups.values()
    for stocked_product in by_product.values():
        if lots and stocked_product.lot.id not in written_lots:
            written_lots.add(stocked_product.lot.id)
            yield lot_thing(base, stocked_product)
        currency = currencies.get(stocked_product.product.enterprise_id, enterprise.currency)
        group = groups.get(stocked_product.lot.id)
        yield product_thing(base, stocked_product, currency, tx.plugin_fields.products, list_iri, group)
    yield from (catalog_thing(base, catalog) for catalog in catalogs)
    for item in items:
        listed_product = by_product.get(item.product_id)
        if listed_product is not None:
            yield from item_things(base, item, enterprise, listed_product, categories, list_iri)


def enterprise_things(base: str, enterprise: Enterprise) -> Iterator[Thing]:
    """The enterprise, its address, its telephone, its main contact, and its pages at social networks."""
    first, _, family = enterprise.contact_name.rpartition(" ")
    contact = DfcPerson(iri=contact_iri(base, enterprise.id), first_name=first, family_name=family)
    social = [
        DfcSocialMedia(iri=social_media_iri(base, f"{enterprise.id}.{number}"), name=network_of(url), url=url)
        for number, url in enumerate(enterprise.social_media.split(), start=1)
    ]
    phone = DfcPhone(iri=phone_iri(base, enterprise.id), number=enterprise.phone)
    address = DfcAddress(
        iri=address_iri(base, enterprise.id),
        street=enterprise.street,
        postcode=enterprise.postcode,
        city=enterprise.city,
        country=enterprise.country,
        latitude=enterprise.latitude,
        longitude=enterprise.longitude,
    )
    yield DfcEnterprise(
        iri=enterprise_iri(base, enterprise.id),
        name=enterprise.name,
        description=enterprise.description,
        vat_number=enterprise.vat_number,
        email=enterprise.email,
        website=enterprise.website,
        addresses=(address.iri,),
        phones=(phone.iri,) if enterprise.phone else (),
        social=tuple(page.iri for page in social),
        contact=contact.iri if enterprise.contact_name else None,
    )
    yield address
    yield from social
    if enterprise.contact_name:
        yield contact
    if enterprise.phone:
        yield phone


def network_of(url: str) -> str:
    """The name of a social network by the host of a page: "instagram" of https://www.instagram.com/farm."""
    labels = (urlsplit(url).hostname or "").split(".")
    return labels[-2] if len(labels) > 1 else ""


def category_thing(base: str, category: CustomerCategory) -> DfcCategory:
    return DfcCategory(
        iri=category_iri(base, category.id), name=category.name, enterprise=enterprise_iri(base, category.enterprise_id)
    )


def catalog_thing(base: str, catalog: Catalog) -> DfcCatalog:
    return DfcCatalog(
        iri=catalog_iri(base, catalog.id), name=catalog.name, enterprise=enterprise_iri(base, catalog.enterprise_id)
    )


def product_thing(
    base: str, stocked: StockedProduct, currency: str, declared: PluginFields, list_iri: str, group: DfcProduct | None
) -> DfcProduct:
    """The product as a value. `currency` is the producer's, for the deposit; `declared` are the fields of plugins;
    `list_iri` is the address of the list below which the product has its own; it is a size of `group`."""
    product = stocked.product
    return DfcProduct(
        iri=f"{list_iri}/{product.id}",
        enterprise=enterprise_iri(base, product.enterprise_id),
        variant_of=group.iri if group else None,
        images=(f"{base}/api/images/{product.image_id}",) if product.image_id else (),
        stock=None if stocked.left is None else Decimal(stocked.left),
        lot=lot_iri(base, product.lot_id),
        **description_of(product, currency, declared, split_claims=True),
    )


def groups_of(base: str, products: Collection[StockedProduct]) -> dict[str, DfcProduct]:
    """The product of which each lot has several sizes among these, by the lot's id. It has no size, and is not sold."""
    lots = {stocked.lot.id: stocked.lot for stocked in products}
    sizes = Counter(stocked.lot.id for stocked in products)
    return {
        id: DfcProduct(iri=group_iri(base, id), name=lot.name, enterprise=enterprise_iri(base, lot.enterprise_id))
        for id, lot in lots.items()
        if sizes[id] > 1
    }


def lot_thing(base: str, stocked: StockedProduct) -> DfcLot:
    lot = stocked.lot
    return DfcLot(
        iri=lot_iri(base, lot.id),
        name=lot.name,
        enterprise=enterprise_iri(base, lot.enterprise_id),
        quantity=None if lot.unlimited else DfcQuantity(value=lot.free, unit=lot.unit),
        per_unit=Decimal(lot.per_unit),
        unlimited=lot.unlimited,
    )


def item_things(
    base: str,
    item: CatalogItem,
    enterprise: Enterprise,
    stocked: StockedProduct,
    categories: Categories | None,
    list_iri: str,
) -> Iterator[Thing]:
    """The item and its offers to a buyer in `categories`, or all, at prices with the VAT in force. `list_iri` is as for
    `product_thing`."""
    iri = item_iri(base, item.id)
    yield DfcItem(
        iri=iri,
        name=item.name or "",
        product=f"{list_iri}/{item.product_id}",
        catalogs=(catalog_iri(base, item.catalog_id),),
        enterprise=enterprise_iri(base, enterprise.id),
        sku=stocked.product.sku or "",
        stock=None if stocked.left is None else Decimal(stocked.left),
        hidden=item.hidden,
    )
    for offer in visible_offers(item, categories):
        has_vat = enterprise.prices_include_vat
        price = gross_price(offer.price, enterprise.currency, stocked.product.vat_rate, has_vat=has_vat)
        category = category_iri(base, offer.category_id) if offer.category_id and categories is None else None
        yield DfcOffer(iri=offer_iri(base, offer.id), item=iri, category=category, price=price)


def _items(tx: Transaction, enterprise_id: str, catalog_id: str) -> Iterator[CatalogItem]:
    items = _pages(
        lambda after: items_of(tx, enterprise_id, catalog_id, after=after, limit=_AT_ONCE), lambda item: item.id
    )
    return (item for item in items if item.archived_at is None)


def _products_in(tx: Transaction, producer_id: str, items: list[CatalogItem]) -> Iterator[StockedProduct]:
    product_ids = {item.product_id for item in items}
    products = _pages(
        lambda after: products_of(tx, producer_id, after=after, limit=_AT_ONCE), lambda stocked: stocked.product.id
    )
    return (stocked for stocked in products if stocked.product.id in product_ids)


def _pages(ask: Callable[[str], list[T]], id_of: Callable[[T], str]) -> Iterator[T]:
    after = ""
    while rows := ask(after):
        yield from rows
        after = id_of(rows[-1])
