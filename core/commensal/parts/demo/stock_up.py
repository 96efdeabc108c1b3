"""Writes the products of the region's producers, and lists them in the catalogs of its hubs with prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...catalogs.offers import PurchaseTerms, set_purchase_terms
from ...catalogs.product_listing import Listing, list_products
from ...products.products import create_product
from ...storage.database import Transaction
from ..pictures.images import Image, Picture, PictureKind, add_image, set_enterprise_picture
from ..terminal.shell import spoken
from .drawings import DRAWINGS
from .values import DemoRegion, DrawnLot, Enterprises, Hub, PeopleIds, Progress, SeasonalItem, Size

_FOR_GROUPS = ("vegetables", "fruit", "bakery", "groceries")  # kinds of goods with prices for customer categories


def stock_up(
    tx: Transaction,
    region: DemoRegion,
    people: PeopleIds,
    enterprises: Enterprises,
    pictures: Mapping[str, Picture],
    watch: Progress,
) -> Sequence[Sequence[SeasonalItem]]:
    """Writes products, whose sizes share one stock, and the catalog of each hub. Returns the items of the catalogs.
    `pictures` are by the kind of the producer."""
    catalogs: list[list[SeasonalItem]] = [[] for _ in region.hubs]
    for place, producer in enumerate(watch(region.producers, spoken("Products"))):
        seller, owner = enterprises.producers[place], people.producer_owners[place]
        drawing = DRAWINGS[producer.kind]
        image = show_picture(tx, seller, "logo", pictures[producer.kind], drawing.alt)
        with_ids = [
            (lot, _write_lot(tx, seller, owner, lot, image.id if drawing.shows(lot.product_type) else None))
            for lot in producer.lots
        ]
        for hub in producer.hubs:
            catalogs[hub] += _list(tx, region, enterprises, hub, producer.kind, with_ids)
    return catalogs


def show_picture(tx: Transaction, enterprise_id: str, kind: PictureKind, picture: Picture, alt: str) -> Image:
    """Gives an enterprise its logo or its cover."""
    image = add_image(tx, enterprise_id=enterprise_id, picture=picture, alt=alt)
    set_enterprise_picture(tx, enterprise_id, kind, image.id)
    return image


def _write_lot(tx: Transaction, enterprise_id: str, owner_id: str, lot: DrawnLot, image_id: str | None) -> list[str]:
    """Writes all sizes of a product. The first size opens the lot, which the others share. Returns their ids."""
    lot_id: str | None = None
    ids = []
    for size in lot.sizes:
        product = create_product(
            tx,
            enterprise_id=enterprise_id,
            name=lot.name,
            description=f"<p>{lot.description}</p>",
            product_type=lot.product_type,
            sku=size.sku,
            quantity=size.quantity,
            unit=size.unit,
            vat_rate=lot.vat_rate,
            lot_id=lot_id,
            on_hand=lot.on_hand if lot_id is None else None,
            unlimited=lot.on_hand is None and lot_id is None,
            weighed=lot.weighed,
            labels=lot.labels,
            allergens=lot.allergens,
            deposit=lot.deposit,
            image_id=image_id,
            person_id=owner_id,
        )
        lot_id = product.lot_id
        ids.append(product.id)
    return ids


def _list(
    tx: Transaction,
    region: DemoRegion,
    enterprises: Enterprises,
    hub: int,
    kind: str,
    with_ids: Sequence[tuple[DrawnLot, list[str]]],
) -> list[SeasonalItem]:
    """Lists all products of a producer in the hub's catalog, at the producer's prices with the hub's markup."""
    group = enterprises.categories[hub] if kind in _FOR_GROUPS else None
    sizes = [
        (lot, product_id, size)
        for lot, products in with_ids
        for product_id, size in zip(products, lot.sizes, strict=True)
    ]
    listings = [_listing(region.hubs[hub], product_id, size, group) for _, product_id, size in sizes]
    items = list_products(tx, enterprises.hubs[hub], enterprises.catalogs[hub], listings)
    costs = {item: PurchaseTerms(price=size.price) for item, (_, _, size) in zip(items, sizes, strict=True)}
    set_purchase_terms(tx, enterprises.hubs[hub], costs)
    return [SeasonalItem(item_id=item_id, months=lot.months) for item_id, (lot, _, _) in zip(items, sizes, strict=True)]


def _listing(hub: Hub, product_id: str, size: Size, group: str | None) -> Listing:
    usual = _to_five(size.price * (100 + hub.markup))
    lower = {group: _to_five(usual * (100 - hub.off))} if group else {}
    return Listing(product_id=product_id, price=usual, category_prices=lower)


def _to_five(hundredths: int) -> int:
    """Cents from hundredths of a cent, rounded to five cents; at least five."""
    return max(5, (hundredths + 250) // 500 * 5)
