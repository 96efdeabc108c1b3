"""What a visitor wants to see of a sale: words, a shelf, a producer, a label, no allergen; and its shelves."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from urllib.parse import urlencode

from sqlalchemy import bindparam, delete, func, select

from commensal import (
    ALLERGENS,
    LABELS,
    LANGUAGES,
    Conflict,
    Enterprise,
    NotFound,
    Transaction,
    enterprises_by_id,
    finds,
    finds_nearly,
    insert_once,
    lineage,
    search_key,
    translate,
)
from commensal.orders import usual_items
from commensal.sale_sessions import VisibleOffer, new_items, suppliers_on_sale
from commensal.stock import lots_by_id

from .tables import shop_favourite

# The shelves of the shop: product types as shoppers look for them, under names that stand on shelves.
#
# The product types of DFC classify goods; as headings they are strange. DFC has eggs among meat products, and calls
# dried goods "local grocery store". A shelf takes a branch of that tree, except for smaller branches that other
# shelves take.

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


# Goods that people have marked with a star, to find them again first.

STAR, UNSTAR = "star/", "unstar/"  # before the id of a lot, in the values of buttons
MOST = 500  # of one person
_row = shop_favourite.c
_LOTS = select(_row.lot_id).where(_row.person_id == bindparam("person"))


def favourites_of(tx: Transaction, person_id: str | None) -> frozenset[str]:
    """The lots of the goods that a person has marked; none for a guest."""
    if person_id is None:
        return frozenset()
    return frozenset(row["lot_id"] for row in tx.all(_LOTS, {"person": person_id}))


def mark_favourite(tx: Transaction, person_id: str, lot_id: str, *, marked: bool) -> None:
    """Marks goods, or takes the mark off; twice does no harm. Raises `NotFound`, `Conflict` for too many."""
    if not marked:
        tx.execute(delete(shop_favourite).where(_row.person_id == person_id, _row.lot_id == lot_id))
        return
    if lot_id not in lots_by_id(tx, [lot_id]):
        raise NotFound
    if tx.value(select(func.count()).where(_row.person_id == person_id)) >= MOST:
        raise Conflict("too_many_favourites", "You have marked {most} goods already.", most=MOST)
    insert_once(tx, shop_favourite, {"person_id": person_id, "lot_id": lot_id, "marked_at": tx.now})


_LONGEST = 200  # characters of each
_FIELDS = {
    "words": "q",
    "shelf": "shelf",
    "producer": "producer",
    "label": "label",
    "without": "without",
    "only": "only",
}
USUALS, NEWS = "usuals", "new"


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Conditions on offers, all of which must hold; "" is not a condition.

    shelf: its name; producer: the id of a supplier; label: a DFC certification; without: an allergen; only: `USUALS`
    (what the person has marked, first, and ordered in their latest orders at the shop) or `NEWS` (what no earlier sale
    of the shop had)
    """

    words: str = ""
    shelf: str = ""
    producer: str = ""
    label: str = ""
    without: str = ""
    only: str = ""

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in _FIELDS)

    @property
    def narrows(self) -> bool:
        """Whether there is a condition besides words."""
        return any(getattr(self, name) for name in _FIELDS if name != "words")

    @property
    def query(self) -> str:
        """The conditions as the query of an address; "" without any."""
        return urlencode({field: value for name, field in _FIELDS.items() if (value := getattr(self, name))})


@dataclass(frozen=True, kw_only=True)
class FilterOptions:
    """What the fields of filters offer: values with their labels."""

    producers: Sequence[tuple[str, str]] = ()
    labels: Sequence[tuple[str, str]] = ()
    allergens: Sequence[tuple[str, str]] = ()


NO_OPTIONS = FilterOptions()


def read_filters(values: Mapping[str, str]) -> Filters:
    """The filters in a query or a form."""
    return Filters(**{name: values.get(field, "").strip()[:_LONGEST] for name, field in _FIELDS.items()})


def select_offers(
    tx: Transaction, offers: Iterable[VisibleOffer], filters: Filters, *, session_id: str, person_id: str | None
) -> list[VisibleOffer]:
    """The offers that meet all conditions. If no offer has the words, those that nearly have them: *carotes*."""
    item_ids = _items_of(tx, filters.only, session_id, person_id)
    favourites = favourites_of(tx, person_id) if filters.only == USUALS else frozenset()
    selected = [
        offer
        for offer in sorted(offers, key=lambda offer: offer.lot_id not in favourites)
        if (item_ids is None or offer.item_id in item_ids or offer.lot_id in favourites)
        and filters.producer in ("", offer.supplier_id)
        and filters.shelf in ("", shelf_of(offer.product_type))
        and (not filters.label or filters.label in offer.labels)
        and (not filters.without or filters.without not in offer.allergens)
    ]
    if not filters.words:
        return selected
    exactly = [offer for offer in selected if finds(_search_text(offer), filters.words)]
    if exactly:
        return sorted(exactly, key=lambda offer: not _is_called(offer, filters.words))
    return [offer for offer in selected if finds_nearly(_search_text(offer), filters.words)]


def shelves_of_names(offers: Iterable[VisibleOffer], words: str) -> list[str]:
    """The shelves of what is called so: for *pommes* that of apples, neither of potatoes nor of juice."""
    return list(dict.fromkeys(shelf_of(offer.product_type) for offer in offers if words and _is_called(offer, words)))


def _is_called(offer: VisibleOffer, words: str) -> bool:
    """Whether the name begins with the words, and does not go on to name something else, as *pomme de terre* does."""
    typed = search_key(words).rstrip("s")
    names = [search_key(name) for name in (offer.name, *offer.names.values())]
    rests = [name.removeprefix(typed).removeprefix("s") for name in names if name.startswith(typed)]
    return any(not rest[:1].isalpha() and not rest.startswith((" de ", " d'")) for rest in rests)


def filter_options(offers: Iterable[VisibleOffer], language: str) -> FilterOptions:
    """The producers, labels and allergens of these offers, each by its label."""
    return _filter_options(tuple(offers), language)


@lru_cache(maxsize=64)
def _filter_options(offers: tuple[VisibleOffer, ...], language: str) -> FilterOptions:
    producers, labels, allergens = dict[str, str](), set[str](), set[str]()
    for offer in offers:
        producers[offer.supplier_id] = offer.supplier_name
        labels.update(offer.labels)
        allergens.update(offer.allergens)
    return FilterOptions(
        producers=_by_label(producers),
        labels=_by_label(
            {term: translate(language, LABELS[term].label(language)) for term in labels if term in LABELS}
        ),
        allergens=_by_label(
            {term: translate(language, ALLERGENS[term].label(language)) for term in allergens if term in ALLERGENS}
        ),
    )


def _by_label(labels: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(labels.items(), key=lambda pair: search_key(pair[1]))


def _items_of(tx: Transaction, only: str, session_id: str, person_id: str | None) -> Collection[str] | None:
    if only == USUALS:
        return usual_items(tx, session_id, person_id) if person_id else ()
    return new_items(tx, session_id) if only == NEWS else None


@lru_cache(maxsize=2_000)
def _search_text(offer: VisibleOffer) -> str:
    """Everything by which people look for it, in every language: a shelf, a type and a label have a name in each."""
    types = [f"{product_type.fr} {product_type.en}" for product_type in lineage(offer.product_type)]
    shelf = [shelf_labels(language)[shelf_of(offer.product_type)] for language in LANGUAGES]
    labels = [f"{LABELS[term].fr} {LABELS[term].en}" for term in offer.labels if term in LABELS]
    return " ".join((offer.name, *offer.names.values(), offer.supplier_name, *types, *shelf, *labels))
