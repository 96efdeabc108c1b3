"""Arranges the offers of a sale for its page: grouped by product type, with the sizes of one lot together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from commensal import (
    LABELS,
    MEASURES,
    PluginFields,
    ProductField,
    clean_html,
    finds,
    lineage,
    plural,
    search_key,
    translate,
)
from commensal.trade import PRODUCT_FIELDS, VisibleOffer

FEW = 10  # pieces: up to so many, the page says how many are left


@dataclass(frozen=True, kw_only=True)
class SizeField:
    """One size of a product, with its quantity field."""

    offer: VisibleOffer
    value: str
    error: str  # of the field's value
    orderable: bool
    per: str  # the measure of its unit price
    left: str  # a text if few are left, or ""

    def __hash__(self) -> int:
        return hash((self.offer, self.value, self.orderable))  # quick, and enough to distinguish nearly all

    @property
    def shows_unit_price(self) -> bool:
        """Whether it differs from the price; an equal one need not be shown (directive 98/6/EC, article 3)."""
        return self.offer.unit_price is not None and self.offer.unit_price.price.amount != self.offer.price

    @property
    def sold_out(self) -> bool:
        return self.offer.left == 0


@dataclass(frozen=True, kw_only=True)
class ProductCard:
    """All sizes that share a lot. Name, description and badges are those of the first; `lines` are of all sizes.

    badges: labels without a heading; lines: further facts, each with its heading
    """

    first: VisibleOffer
    description: Markup
    sizes: tuple[SizeField, ...]
    badges: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]

    def __hash__(self) -> int:
        return hash(self.sizes)


@dataclass(frozen=True, kw_only=True)
class ProductGroup:
    """A top branch of the product types, with its products."""

    term: str
    label: str
    products: Sequence[ProductCard]


def group_by_kind(
    offers: Iterable[VisibleOffer],
    values: Mapping[str, str],
    errors: Mapping[str, str],
    *,
    now: datetime,
    language: str,
    declared: PluginFields,
) -> list[ProductGroup]:
    """Groups the offers by product type and lot. `values` and `errors` are those of the quantity fields, by item;
    `declared` are the fields that plugins add to products."""
    sizes: dict[str, list[SizeField]] = {}
    for offer in offers:
        value, error = values.get(offer.item_id, ""), errors.get(offer.item_id, "")
        size = _size_field(offer, value, error, now < offer.orderable_until, language)
        sizes.setdefault(offer.lot_id, []).append(size)
    branches: dict[str, list[ProductCard]] = {}
    for group in sizes.values():
        product = _card(tuple(group), language, declared)
        branches.setdefault(lineage(product.first.product_type)[0].term, []).append(product)
    groups = [_group(term, products, language) for term, products in branches.items()]
    return sorted(groups, key=lambda kind: search_key(kind.label))


def measure(term: str, language: str) -> str:
    """The symbol or label of a measure, as after the slash in €/kg."""
    return MEASURES[term].symbol or MEASURES[term].label(language)


def search_offers(offers: Iterable[VisibleOffer], typed: str) -> list[VisibleOffer]:
    """The offers with every word of `typed` in their name, producer, product type or labels."""
    return [offer for offer in offers if finds(_search_text(offer), typed)]


def _search_text(offer: VisibleOffer) -> str:
    kinds = " ".join(f"{product_type.fr} {product_type.en}" for product_type in lineage(offer.product_type))
    labels = " ".join(f"{LABELS[term].fr} {LABELS[term].en}" for term in offer.labels if term in LABELS)
    return f"{offer.name} {offer.supplier_name} {kinds} {labels}"


def _pieces_left(left: int | None, language: str) -> str:
    if left is None or not 0 < left <= FEW:
        return ""
    return plural(language, "only {number} left", "only {number} left", left).format(number=left)


@lru_cache(maxsize=2_000)
def _size_field(offer: VisibleOffer, value: str, error: str, orderable: bool, language: str) -> SizeField:
    return SizeField(
        offer=offer,
        value=value,
        error=error,
        orderable=orderable,
        per=measure(offer.unit_price.per, language) if offer.unit_price else "",
        left=_pieces_left(offer.left, language),
    )


@lru_cache(maxsize=2_000)
def _card(sizes: tuple[SizeField, ...], language: str, declared: PluginFields) -> ProductCard:
    first = sizes[0].offer
    return ProductCard(
        first=first,
        description=Markup(clean_html(first.description)) if first.description else Markup(),  # noqa: S704 - now it is
        sizes=tuple(sorted(sizes, key=lambda size: size.offer.lot_quantity)),
        badges=tuple(
            text for field, values in _shown_as("badge", [first], declared) for text in _texts(field, values, language)
        ),
        lines=tuple(
            (field.label(language), ", ".join(texts))
            for field, values in _shown_as("line", [size.offer for size in sizes], declared)
            if (texts := _texts(field, values, language))
        ),
    )


def _shown_as(
    place: str, offers: Sequence[VisibleOffer], declared: PluginFields
) -> Iterator[tuple[ProductField, list[Any]]]:
    """The fields of the core and of plugins that are shown so, each with its values in the offers."""
    for field in PRODUCT_FIELDS.values():
        if field.shown == place:
            yield field, [getattr(offer, field.name) for offer in offers]
    for plugin, field in declared:
        if field.shown == place:
            yield field, [offer.plugin_fields.get(plugin, {}).get(field.name, field.default) for offer in offers]


def _texts(field: ProductField, values: Iterable[Any], language: str) -> list[str]:
    """The values in words, each once."""
    if field.kind == "terms":
        terms = dict.fromkeys(term for value in values for term in value)
        return [field.vocabulary[term].label(language) for term in terms if term in field.vocabulary]
    if field.kind == "flag":
        return [translate(language, "yes")] if any(values) else []
    if field.kind == "term":
        return [field.vocabulary[term].label(language) for term in dict.fromkeys(values) if term in field.vocabulary]
    return [str(value) for value in dict.fromkeys(values) if value]


def _group(term: str, products: list[ProductCard], language: str) -> ProductGroup:
    label = lineage(term)[0].label(language)
    return ProductGroup(term=term, label=label[:1].upper() + label[1:], products=products)
