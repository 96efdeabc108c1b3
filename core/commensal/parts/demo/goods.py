"""The goods of the demo's producers: draws them from rows of `goods.tsv`, writes and lists them."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path

from ...base.units.measures import MEASURES
from ...catalogs.offers import PurchaseTerms, set_purchase_terms
from ...catalogs.product_listing import Listing, list_products
from ...products.products import create_product
from ...storage.database import Transaction
from ..pictures.images import Image, Picture, PictureKind, add_image, set_enterprise_picture
from ..terminal.shell import spoken
from .drawings import DRAWINGS
from .values import DemoRegion, DrawnLot, Enterprises, Hub, PeopleIds, Progress, SeasonalItem, Size

_FILE = Path(__file__).with_name("goods.tsv")
_BY_WEIGHT = (
    "Gram",
    "Millilitre",
)  # prices and stocks of their rows are for the first size; of other units, for one unit
_CHEAPER = (Decimal(1), Decimal("0.93"), Decimal("0.87"))  # the larger sizes, for the same content


@dataclass(frozen=True, kw_only=True)
class Good:
    """A row of the file. `cents` is the price of `counted` units, `stock` a number of times `counted` units."""

    name: str
    product_type: str
    months: frozenset[int]
    unit: str
    sizes: tuple[Decimal, ...]
    cents: int
    stock: int
    vat_rate: Decimal
    deposit: int
    weighed: bool
    allergens: tuple[str, ...]

    @property
    def counted(self) -> Decimal:
        return self.sizes[0] if self.unit in _BY_WEIGHT else Decimal(1)


@cache
def goods_of(kind: str) -> tuple[Good, ...]:
    """All goods that a producer of this kind may make."""
    lines = _FILE.read_text(encoding="utf-8").splitlines()[1:]
    return tuple(_good(columns) for line in lines if (columns := line.split("\t"))[0] == kind)


def draw_lot(chance: random.Random, good: Good, *, number: int, labels: tuple[str, ...], praise: str) -> DrawnLot:
    """A producer's product, with prices and stock near the usual ones. Certified producers charge a tenth more."""
    factor = Decimal(chance.randint(92, 112)) / 100 * (Decimal("1.10") if labels else 1)
    sizes = tuple(
        Size(
            quantity=quantity,
            unit=good.unit,
            price=_price(good.cents * quantity / good.counted * factor * cheaper),
            sku=f"{number:03}-{place}",
        )
        for place, (quantity, cheaper) in enumerate(zip(good.sizes, _CHEAPER, strict=False), 1)
    )
    return DrawnLot(
        name=good.name,
        description=praise,
        product_type=good.product_type,
        months=good.months,
        sizes=sizes,
        on_hand=_on_hand(chance, good),
        vat_rate=good.vat_rate,
        deposit=good.deposit,
        weighed=good.weighed,
        labels=() if good.product_type == "inedible" else labels,
        allergens=good.allergens,
    )


def _on_hand(chance: random.Random, good: Good) -> Decimal | None:
    """The stock, 60 to 160 per cent of the usual one. None, without limit, for half of all bread, baked to order."""
    if good.product_type == "bread" and chance.random() < 0.5:
        return None
    amount = good.stock * chance.randint(60, 160) // 100
    measure = MEASURES[good.unit]
    content = Decimal(amount) * good.counted
    return content / 1000 if measure.term in _BY_WEIGHT else content


def _price(cents: Decimal) -> int:
    """Rounded to five cents."""
    return max(5, int((cents / 5).quantize(Decimal(1), rounding=ROUND_HALF_UP)) * 5)


def _good(columns: list[str]) -> Good:
    _, name, product_type, months, unit, sizes, cents, stock, vat, deposit, weighed, allergens = columns
    return Good(
        name=name,
        product_type=product_type,
        months=_months(months),
        unit=unit,
        sizes=tuple(Decimal(quantity) for quantity in sizes.split()),
        cents=int(cents),
        stock=int(stock),
        vat_rate=Decimal(vat),
        deposit=int(deposit),
        weighed=weighed == "weighed",
        allergens=tuple(allergens.split()),
    )


def _months(text: str) -> frozenset[int]:
    """``9-3`` is September to March."""
    first, last = (int(month) for month in text.split("-"))
    return frozenset((first + step - 1) % 12 + 1 for step in range((last - first) % 12 + 1))


# Writes the products of the region's producers, and lists them in the catalogs of its hubs with prices.

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
