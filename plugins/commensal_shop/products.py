"""What a sale offers, arranged as people look for it: by kind of product, the sizes of one heap together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from markupsafe import Markup

from commensal import ALLERGENS, LABELS, MEASURES, VisibleOffer, clean_html, finds, lineage, plural, search_key

FEW = 10  # pieces: from here on it is said how many are left


@dataclass(frozen=True, kw_only=True)
class Size:
    """One size, with what stands in its field."""

    offer: VisibleOffer
    wanted: str
    wrong: str  # with what was typed
    orderable: bool
    per: str  # of what its unit price is
    left: str  # how few are left, where it is said

    def __hash__(self) -> int:
        return hash((self.offer, self.wanted, self.orderable))  # enough to tell nearly all apart, and soon told

    @property
    def shows_unit_price(self) -> bool:
        """It need not stand beside a price that is the same (directive 98/6/EC, article 3)."""
        return self.offer.unit_price is not None and self.offer.unit_price.price.amount != self.offer.price

    @property
    def gone(self) -> bool:
        return self.offer.left == 0


@dataclass(frozen=True, kw_only=True)
class Product:
    """All sizes that share a lot. The first one speaks for all, but each one's allergens are named."""

    first: VisibleOffer
    description: Markup
    sizes: tuple[Size, ...]
    labels: tuple[str, ...]
    allergens: tuple[str, ...]

    def __hash__(self) -> int:
        return hash(self.sizes)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A branch of the product types, with its products."""

    term: str
    label: str
    products: Sequence[Product]


def kinds(
    offers: Iterable[VisibleOffer], wanted: Mapping[str, str], wrong: Mapping[str, str], *, now: datetime, language: str
) -> list[Kind]:
    """The offers by kind and lot. `wanted` is what stands in the fields and `wrong` what is against it, by item."""
    sizes: dict[str, list[Size]] = {}
    for offer in offers:
        typed, against = wanted.get(offer.item_id, ""), wrong.get(offer.item_id, "")
        size = _size(offer, typed, against, now < offer.orderable_until, language)
        sizes.setdefault(offer.lot_id, []).append(size)
    branches: dict[str, list[Product]] = {}
    for group in sizes.values():
        product = _product(tuple(group), language)
        branches.setdefault(lineage(product.first.product_type)[0].term, []).append(product)
    found = [_kind(term, products, language) for term, products in branches.items()]
    return sorted(found, key=lambda kind: search_key(kind.label))


def measure(term: str, language: str) -> str:
    """How a measure is written after a slash: €/kg."""
    return MEASURES[term].symbol or MEASURES[term].label(language)


def found_by(offers: Iterable[VisibleOffer], typed: str) -> list[VisibleOffer]:
    """Those whose name, producer, kind or labels have every word that was typed."""
    return [one for one in offers if finds(_searched(one), typed)]


def _searched(offer: VisibleOffer) -> str:
    kinds = " ".join(f"{one.fr} {one.en}" for one in lineage(offer.product_type))
    labels = " ".join(f"{LABELS[term].fr} {LABELS[term].en}" for term in offer.labels if term in LABELS)
    return f"{offer.name} {offer.supplier_name} {kinds} {labels}"


def _left(left: int | None, language: str) -> str:
    if left is None or not 0 < left <= FEW:
        return ""
    return plural(language, "only {number} left", "only {number} left", left).format(number=left)


@lru_cache(maxsize=2_000)
def _size(offer: VisibleOffer, wanted: str, wrong: str, orderable: bool, language: str) -> Size:
    return Size(
        offer=offer,
        wanted=wanted,
        wrong=wrong,
        orderable=orderable,
        per=measure(offer.unit_price.per, language) if offer.unit_price else "",
        left=_left(offer.left, language),
    )


@lru_cache(maxsize=2_000)
def _product(sizes: tuple[Size, ...], language: str) -> Product:
    first = sizes[0].offer
    allergens = dict.fromkeys(term for size in sizes for term in size.offer.allergens)
    return Product(
        first=first,
        description=Markup(clean_html(first.description)) if first.description else Markup(),  # noqa: S704 - now it is
        sizes=tuple(sorted(sizes, key=lambda size: size.offer.lot_quantity)),
        labels=tuple(LABELS[term].label(language) for term in first.labels if term in LABELS),
        allergens=tuple(ALLERGENS[term].label(language) for term in allergens if term in ALLERGENS),
    )


def _kind(term: str, products: list[Product], language: str) -> Kind:
    label = lineage(term)[0].label(language)
    return Kind(term=term, label=label[:1].upper() + label[1:], products=products)
