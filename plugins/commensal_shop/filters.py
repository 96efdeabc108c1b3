"""What a visitor wants to see of a sale: words, a shelf, a producer, a label, no allergen, usual goods or new ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlencode

from sqlalchemy import bindparam, delete, func, select

from commensal import (
    ALLERGENS,
    LABELS,
    LANGUAGES,
    Conflict,
    NotFound,
    Transaction,
    finds,
    finds_nearly,
    insert_once,
    lineage,
    search_key,
    translate,
)
from commensal.orders import usual_items
from commensal.sale_sessions import VisibleOffer, new_items
from commensal.stock import lots_by_id

from .shelves import shelf_labels, shelf_of
from .tables import shop_favourite

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
