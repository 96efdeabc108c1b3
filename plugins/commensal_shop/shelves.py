"""The shelves of the shop: product types as shoppers look for them, under names that stand on shelves.

The product types of DFC classify goods; as headings they are strange. DFC has eggs among meat products, and calls dried
goods "local grocery store". A shelf takes a branch of that tree, except for smaller branches that other shelves take.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from commensal import Enterprise, Transaction, enterprises_by_id, lineage, translate
from commensal.sale_sessions import VisibleOffer, suppliers_on_sale

# Shelves by name, with the DFC terms whose branches they take, in the order in which most people write their list.
SHELVES: Mapping[str, tuple[str, ...]] = {
    "vegetables": ("vegetable",),
    "fruit": ("fruit",),
    "dairy": ("dairy-product",),
    "eggs": ("egg",),
    "bread": ("bakery",),
    "meat": ("meat-product",),
    "fish": ("fishery-product",),
    "groceries": ("local-grocery-store",),
    "drinks": ("drink",),
    "frozen": ("frozen",),
    "household": ("inedible",),
}
# Drawings of what looks unlike the rest of its shelf, by name, with the DFC terms whose branches they stand for.
DRAWINGS: Mapping[str, tuple[str, ...]] = {
    "potato": ("potato", "jerusalem-artichoke", "yam"),
    "onion": ("onion", "shallot", "garlic", "green-garlic"),
    "leek": ("leek", "asparagus", "celery-branch", "fennel", "rhubarb"),
    "cabbage": ("cabbage", "artichoke"),
    "salad": ("salad", "chard"),
    "beet": ("beetroot", "turnip", "radish", "celeriac", "rutabaga"),
    "tomato": ("tomato", "pepper"),
    "squash": ("squash", "melon"),
    "cucumber": ("courgette", "cucumber", "eggplant"),
    "mushroom": ("mushroom",),
    "herb": ("herb",),
    "bean": ("bean", "dried-vegetable"),
    "berry": ("berry", "cherry"),
    "grape": ("grape",),
    "nut": ("nut",),
    "pear": ("pear", "quince", "fig"),
    "cheese": (
        "cream-cheese",
        "fresh-cheese",
        "mature-cheese",
        "other-cheese",
        "goat-fresh-cheese",
        "goat-mature-cheese",
        "sheep-fresh-cheese",
        "sheep-mature-cheese",
    ),
}
_OTHERS = "groceries"
_BY_TYPE = {term: shelf for shelf, terms in SHELVES.items() for term in terms}
_DRAWING_BY_TYPE = {term: drawing for drawing, terms in DRAWINGS.items() for term in terms}


@cache
def shelf_of(product_type: str) -> str:
    """The name of the shelf for a DFC product type: that of its nearest ancestor with one."""
    terms = (concept.term for concept in reversed(lineage(product_type)))
    return next((_BY_TYPE[term] for term in terms if term in _BY_TYPE), _OTHERS)


@cache
def drawing_of(product_type: str) -> str:
    """The name of the drawing for a DFC product type: that of its nearest ancestor with one, or else of its shelf."""
    terms = (concept.term for concept in reversed(lineage(product_type)))
    return next((_DRAWING_BY_TYPE[term] for term in terms if term in _DRAWING_BY_TYPE), shelf_of(product_type))


@cache
def shelf_labels(language: str) -> Mapping[str, str]:
    """What stands on each shelf, by its name."""
    return {
        "vegetables": translate(language, "Vegetables"),
        "fruit": translate(language, "Fruit"),
        "dairy": translate(language, "Dairy"),
        "eggs": translate(language, "Eggs"),
        "bread": translate(language, "Bread"),
        "meat": translate(language, "Meat"),
        "fish": translate(language, "Fish"),
        "groceries": translate(language, "Groceries"),
        "drinks": translate(language, "Drinks"),
        "frozen": translate(language, "Frozen"),
        "household": translate(language, "Household"),
    }


# The producers of the goods of a sale: where their pages are, and how far they live from the shop.

_EARTH = 6371.0  # kilometres: the mean radius


@dataclass(frozen=True, kw_only=True)
class Maker:
    """A producer as a product names it.

    city:       "" if the producer is hidden
    url:        of its page; "" if the producer is hidden
    kilometres: from the shop, in a straight line; None if it is not known where both are
    """

    name: str
    city: str = ""
    url: str = ""
    kilometres: int | None = None


def makers_of(tx: Transaction, offers: Iterable[VisibleOffer], shop_id: str) -> Mapping[str, Maker]:
    """The producers of these offers by their ids, in one statement."""
    names = {offer.supplier_id: offer.supplier_name for offer in offers}
    enterprises = enterprises_by_id(tx, {*names, shop_id}) if names else {}
    shop = enterprises.get(shop_id)
    return {id: _maker(name, enterprises.get(id), shop) for id, name in names.items()}


def makers_at(tx: Transaction, shop: Enterprise) -> list[Maker]:
    """The producers whose goods the shop sells now or soon, by name, at most 50; without those that are hidden."""
    return [_maker(producer.name, producer, shop) for producer in suppliers_on_sale(tx, shop.id)]


def _maker(name: str, producer: Enterprise | None, shop: Enterprise | None) -> Maker:
    if producer is None or producer.visibility == "hidden" or producer.archived_at is not None:
        return Maker(name=name)
    url = f"/producers/{producer.slug}"
    kilometres = _distance(producer, shop) if shop and shop.id != producer.id else None
    return Maker(name=name, city=producer.city, url=url, kilometres=kilometres)


def _distance(producer: Enterprise, shop: Enterprise) -> int | None:
    """Kilometres along a great circle (haversine formula), at least 1."""
    if producer.latitude is None or producer.longitude is None or shop.latitude is None or shop.longitude is None:
        return None
    north, north_of_shop = math.radians(producer.latitude), math.radians(shop.latitude)
    across = math.sin((north_of_shop - north) / 2) ** 2
    along = math.sin(math.radians(shop.longitude - producer.longitude) / 2) ** 2
    share = across + math.cos(north) * math.cos(north_of_shop) * along
    return max(1, round(2 * _EARTH * math.asin(math.sqrt(share))))
