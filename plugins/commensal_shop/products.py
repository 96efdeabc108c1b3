"""Arranges the offers of a sale for its page: by shelf, with the sizes of one lot together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

from markupsafe import Markup

from commensal import (
    MEASURES,
    PageLine,
    PagePart,
    PluginFields,
    ProductField,
    Written,
    clean_html,
    in_language,
    plural,
    translate,
    value_in_words,
)
from commensal.products import PRODUCT_FIELDS
from commensal.sale_sessions import VisibleOffer

from .browsing import SHELVES, Maker, drawing_of, shelf_labels, shelf_of

_ORGANIC = frozenset({"Organic-AB", "Organic-EU"})  # DFC certifications
FEW = 10  # pieces: up to so many, the page says how many are left
_UNFOLDED = 40  # products: a page with more of them shows those of its first shelf, and opens the others when asked


@dataclass(frozen=True, kw_only=True)
class SizeField:
    """One size of a product, with its quantity field. `name` is for the reader."""

    offer: VisibleOffer
    name: Written
    orderable: bool
    per: str  # the measure of its unit price
    left: str  # a text if few are left, or ""
    value: str = ""
    error: str = ""  # of the field's value

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

    description: clean HTML, with its language
    shelf:  the name of its shelf
    drawing: the name of the drawing that stands where it has no picture
    badges: labels without a heading, those for organic farming as one word; labels: all of them by their full names
    lines:  further facts, each with its heading; details: those that are read by opening the product
    starred: whether the visitor has marked it; None: of a guest, who cannot
    """

    first: VisibleOffer
    maker: Maker
    shelf: str
    drawing: str
    description: Written
    sizes: tuple[SizeField, ...]
    badges: tuple[str, ...]
    labels: str
    lines: tuple[tuple[str, str], ...]
    details: tuple[tuple[str, str], ...]
    starred: bool | None = None

    @property
    def opens(self) -> bool:
        """Whether there is more to read about it than its row shows."""
        return bool(self.description.text or self.labels or self.details)

    @property
    def name(self) -> Written:
        return self.sizes[0].name

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:  # each page looks for the HTML of 300 cards by it
        return hash((self.sizes, self.maker))


@dataclass(frozen=True, kw_only=True)
class ProductGroup:
    """A shelf with its products. `id` is that of its heading. `open`: whether it shows them before it is opened."""

    shelf: str
    label: str
    products: Sequence[ProductCard]
    open: bool = True

    @property
    def id(self) -> str:
        return f"shelf-{self.shelf}"

    @property
    def drawings(self) -> list[str]:
        """The names of the drawings of its products without a picture."""
        return [card.drawing for card in self.products if not card.first.image_id]


def group_by_shelf(
    offers: Iterable[VisibleOffer],
    values: Mapping[str, str],
    errors: Mapping[str, str],
    *,
    now: datetime,
    language: str,
    own: str,
    declared: PluginFields,
    makers: Mapping[str, Maker],
    order: Sequence[str] = (),
    added: Sequence[PagePart] = (),
    starred: Collection[str] | None = None,
    folds: bool = False,
) -> list[ProductGroup]:
    """Groups the offers by shelf and lot. `values` and `errors` are those of the quantity fields, by item; `own` is the
    language of the shop, in which goods are named where they have no name in `language`; `declared` are the fields that
    plugins add to products; `makers` are the producers by id; `order` has the names of the shelves that come first;
    `added` are parts that plugins add, each with its product as the subject; `starred` are the lots that the visitor
    has marked, None for a guest. Of many products, `folds` shows those of the first shelf, and of shelves from which
    the visitor has taken something.

    The visitor's own marks are put on shelves that are the same for all, which are arranged once for the same offers.
    """
    offers = tuple(offers)
    shelves = _arrange(
        offers,
        frozenset(offer.item_id for offer in offers if offer.orderable_until <= now),
        (language, own),
        declared,
        tuple(makers.items()),
        tuple(order),
        tuple((part.subject, tuple(part.lines)) for part in added),
        starred is None,
        folds,
    )
    if not values and not errors and not starred:
        return list(shelves)
    items = {*values, *errors}
    lots = {offer.lot_id for offer in offers if offer.item_id in items}.union(starred or ())
    return [
        replace(
            shelf,
            open=shelf.open or any(size.offer.item_id in items for card in shelf.products for size in card.sizes),
            products=[
                _mark(card, values, errors, starred) if card.first.lot_id in lots else card for card in shelf.products
            ],
        )
        for shelf in shelves
    ]


def _mark(
    card: ProductCard, values: Mapping[str, str], errors: Mapping[str, str], starred: Collection[str] | None
) -> ProductCard:
    """The card with what this visitor has taken, mistaken and starred."""
    sizes = tuple(
        replace(size, value=values.get(size.offer.item_id, ""), error=errors.get(size.offer.item_id, ""))
        for size in card.sizes
    )
    return replace(card, sizes=sizes, starred=None if starred is None else card.first.lot_id in starred)


@lru_cache(maxsize=64)
def _arrange(
    offers: tuple[VisibleOffer, ...],
    closed: frozenset[str],
    languages: tuple[str, str],
    declared: PluginFields,
    makers: tuple[tuple[str, Maker], ...],
    order: tuple[str, ...],
    added: tuple[tuple[str, tuple[PageLine, ...]], ...],
    guest: bool,
    folds: bool,
) -> tuple[ProductGroup, ...]:
    """The shelves without what one visitor has taken or starred. `closed` are the items that are orderable no more.
    `languages` are those of the reader and of the shop."""
    added_lines: dict[str, list[PageLine]] = {}
    for product_id, added_to_it in added:
        added_lines.setdefault(product_id, []).extend(added_to_it)
    sizes: dict[str, list[SizeField]] = {}
    for offer in offers:
        size = _size_field(offer, offer.item_id not in closed, *languages)
        sizes.setdefault(offer.lot_id, []).append(size)
    shelves: dict[str, list[ProductCard]] = {}
    makers_by_id = dict(makers)
    for group in sizes.values():
        product_ids = dict.fromkeys(size.offer.product_id for size in group) if added_lines else ()
        lines = tuple(line for product_id in product_ids for line in added_lines.get(product_id, ()))
        maker = makers_by_id[group[0].offer.supplier_id]
        card = _card(tuple(group), maker, languages, declared, lines, guest)
        shelves.setdefault(card.shelf, []).append(card)
    labels = shelf_labels(languages[0])
    folds = folds and len(sizes) > _UNFOLDED
    return tuple(
        ProductGroup(
            shelf=shelf,
            label=labels[shelf],
            products=sorted(shelves[shelf], key=_is_sold_out),
            open=not folds or place == 0,
        )
        for place, shelf in enumerate(name for name in dict.fromkeys((*order, *SHELVES)) if name in shelves)
    )


def _is_sold_out(card: ProductCard) -> bool:
    return all(size.sold_out for size in card.sizes)


def measure(term: str, language: str) -> str:
    """The symbol or label of a measure, as after the slash in €/kg."""
    return MEASURES[term].symbol or translate(language, MEASURES[term].label(language))


def _pieces_left(left: int | None, language: str) -> str:
    if left is None or not 0 < left <= FEW:
        return ""
    return plural(language, "only {number} left", "only {number} left", left).format(number=left)


@lru_cache(maxsize=2_000)
def _size_field(offer: VisibleOffer, orderable: bool, language: str, own: str) -> SizeField:
    return SizeField(
        offer=offer,
        name=in_language(language, own, offer.name, offer.names),
        orderable=orderable,
        per=measure(offer.unit_price.per, language) if offer.unit_price else "",
        left=_pieces_left(offer.left, language),
    )


@lru_cache(maxsize=2_000)
def _card(
    sizes: tuple[SizeField, ...],
    maker: Maker,
    languages: tuple[str, str],
    declared: PluginFields,
    added: tuple[PageLine, ...],
    guest: bool,
) -> ProductCard:
    first, (language, own) = sizes[0].offer, languages
    description = in_language(language, own, first.description, first.descriptions)
    return ProductCard(
        first=first,
        maker=maker,
        shelf=shelf_of(first.product_type),
        drawing=drawing_of(first.product_type),
        description=replace(description, text=Markup(clean_html(description.text))),  # noqa: S704 - now it is
        sizes=tuple(sorted(sizes, key=lambda size: size.offer.lot_quantity)),
        badges=(*_badges(first, declared, language), *(line.text for line in added if not line.detail)),
        labels=", ".join(_texts(PRODUCT_FIELDS["labels"], [first.labels], language, first.currency)),
        lines=(
            *_lines_of("line", sizes, declared, language),
            *((line.text, line.detail) for line in added if line.detail),
        ),
        details=_lines_of("detail", sizes, declared, language),
        starred=None if guest else False,
    )


def _lines_of(
    place: str, sizes: Sequence[SizeField], declared: PluginFields, language: str
) -> tuple[tuple[str, str], ...]:
    """The fields that are shown so, each with its label and the values of all sizes."""
    offers = [size.offer for size in sizes]
    return tuple(
        (translate(language, field.label(language)), ", ".join(texts))
        for field, values in _shown_as(place, offers, declared)
        if (texts := _texts(field, values, language, offers[0].currency))
    )


def _badges(offer: VisibleOffer, declared: PluginFields, language: str) -> tuple[str, ...]:
    """All labels in short, so that they fit into a row: the two marks of organic farming mean the same to people."""
    texts: list[str] = []
    for field, values in _shown_as("badge", [offer], declared):
        if field.name == "labels" and _ORGANIC.intersection(offer.labels):
            texts.append(translate(language, "Organic"))
            values = [tuple(label for label in offer.labels if label not in _ORGANIC)]
        texts += _as_badges(field, values, language, offer.currency)
    return tuple(texts)


def _as_badges(field: ProductField, values: Sequence[Any], language: str, currency: str) -> list[str]:
    """Terms and texts speak for themselves. "yes" and a number say nothing without the field's label."""
    label = translate(language, field.label(language))
    if field.kind == "flag":
        return [label] if any(values) else []
    texts = _texts(field, values, language, currency)
    if field.kind in ("number", "amount"):
        heading = translate(language, "{heading}:").format(heading=label)
        return [f"{heading} {text}" for text in texts]
    return texts


def _shown_as(
    place: str, offers: Sequence[VisibleOffer], declared: PluginFields
) -> Iterator[tuple[ProductField, list[object]]]:
    """The fields of the core and of plugins that are shown so, each with its values in the offers."""
    for field in PRODUCT_FIELDS.values():
        if field.shown == place:
            yield field, [getattr(offer, field.name) for offer in offers]
    for plugin, field in declared:
        if field.shown == place:
            yield field, [offer.plugin_fields.get(plugin, {}).get(field.name, field.default) for offer in offers]


def _texts(field: ProductField, values: Iterable[Any], language: str, currency: str) -> list[str]:
    """The values in words, each once."""
    if field.kind == "terms":
        terms = dict.fromkeys(term for value in values for term in value)
        return [_word(field, term, language) for term in terms if term in field.vocabulary]
    texts = (value_in_words(field, value, language, currency) for value in dict.fromkeys(values))
    return [text for text in texts if text]


def _word(field: ProductField, term: str, language: str) -> str:
    """The label of a term. DFC has French and English ones; a catalogue translates the English one further."""
    return translate(language, field.vocabulary[term].label(language))
