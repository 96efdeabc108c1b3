"""What a document offers: each product with its size, stock and prices, wherever the platform says them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import floor

from .cases import cases_in
from .findings import Findings
from .read import DfcDocument
from .vocabulary import DfcItem, DfcOffer, DfcPrice, DfcProduct, DfcQuantity

_PIECE = DfcQuantity(value=Decimal(1))


@dataclass(frozen=True, kw_only=True)
class Case:
    """A product is ordered by the case: so many pieces of it come as one of `product`, at `offer`, whose price is None
    where none is said. `stock` is in cases, None: as many as you like."""

    product: str
    offer: str
    pieces: Fraction
    price: DfcPrice | None
    stock: int | None


@dataclass(frozen=True, kw_only=True)
class Good:
    """A product as it is offered. `item` and `offer` are None where the platform has none.

    stock:     pieces that may be ordered; None: as many as you like
    price:     for everybody, or else the only one there is; in the currency that was asked for
    by_category: prices of customer categories, by their IRIs
    """

    product: DfcProduct
    item: DfcItem | None
    size: DfcQuantity
    stock: int | None
    offer: DfcOffer | None
    price: DfcPrice | None
    by_category: Mapping[str, DfcPrice] = field(default_factory=dict)
    case: Case | None = None

    @property
    def vat_rate(self) -> Decimal | None:
        """Percent, of the product, or as its price says it."""
        if self.product.vat_rate is not None or self.price is None:
            return self.product.vat_rate
        return self.price.vat_rate

    @property
    def pieces_left(self) -> int | None:
        """Pieces that may be ordered, by the case where it says nothing else; None: as many as you like."""
        if self.stock is None and self.case is not None and self.case.stock is not None:
            return floor(self.case.stock * self.case.pieces)
        return self.stock


class Goods:
    """``Goods(document, "EUR", findings)``: iterates over what is offered; what had to be left out, or was understood
    in some way of several, is noted."""

    def __init__(self, document: DfcDocument, currency: str, findings: Findings) -> None:
        self._document, self._currency, self._findings = document, currency, findings
        self._items: dict[str | None, list[DfcItem]] = defaultdict(list)
        for item in document.all(DfcItem):
            self._items[item.product].append(item)
        self._offers: dict[str | None, list[DfcOffer]] = defaultdict(list)
        for offer in document.all(DfcOffer):
            self._offers[offer.item].append(offer)
        self._groups = {one.variant_of for one in document.all(DfcProduct)}
        self._cases = dict(self._found_cases(document))

    def __iter__(self) -> Iterator[Good]:
        for product in self._document.all(DfcProduct):
            if product.quantity is not None:
                yield self._good(product, product.quantity)
            elif product.iri not in self._groups:
                text = "A product without a size cannot be sold, and is left out."
                self._findings.note("no_size", text, product.iri)

    def _good(self, product: DfcProduct, size: DfcQuantity) -> Good:
        items = self._items[product.iri]
        if len(items) > 1:
            self._findings.note("many_items", "A product that is listed more than once is taken in once.", product.iri)
        item = items[0] if items else None
        for_all, by_category = self._prices(product, item)
        return Good(
            product=product,
            item=item,
            size=self._size(product, size),
            stock=self._stock(product, item),
            offer=for_all,
            price=for_all.price if for_all else None,
            by_category=by_category,
            case=self._cases.get(product.iri),
        )

    def _size(self, product: DfcProduct, size: DfcQuantity) -> DfcQuantity:
        if size.value > 0:
            return size
        text = "A product whose size is nothing is taken in as one piece."
        self._findings.note("no_size", text, product.iri)
        return _PIECE

    def _stock(self, product: DfcProduct, item: DfcItem | None) -> int | None:
        """What an item says counts before what its product says."""
        stock = item.stock if item is not None else product.stock
        if stock is None:
            return None
        whole = int(stock)
        if whole != stock:
            self._findings.note("part_of_piece", "Parts of a piece cannot be sold; stock is rounded down.", product.iri)
        return whole

    def _prices(self, product: DfcProduct, item: DfcItem | None) -> tuple[DfcOffer | None, dict[str, DfcPrice]]:
        """The offer for everybody, else the only one there is; and what customer categories pay."""
        offered = [*self._offers[product.iri], *(self._offers[item.iri] if item else ())]
        priced = [one for one in offered if one.price is not None and self._is_ours(one.price, product)]
        for_all = next((one for one in priced if one.category is None), None)
        if for_all is None and len(priced) == 1:
            return priced[0], {}
        by_category = {one.category: one.price for one in priced if one.category is not None and one.price is not None}
        if for_all is None and priced:
            text = "A product with prices for customer categories only is left without a price for everybody."
            self._findings.note("category_prices", text, product.iri)
        return for_all, by_category

    def _is_ours(self, price: DfcPrice, product: DfcProduct) -> bool:
        if price.currency in ("", self._currency):
            return True
        text = "Prices in {theirs} are left out: this enterprise sells in {ours}."
        self._findings.wrong("other_currency", text, product.iri, theirs=price.currency, ours=self._currency)
        return False

    def _found_cases(self, document: DfcDocument) -> Iterator[tuple[str, Case]]:
        """Of cases of several sizes the smallest, of which the least is left over."""
        found = sorted(cases_in(document, self._findings), key=lambda one: -one[2])
        for product, case, pieces in found:
            offered = self._case(case, pieces)
            if offered is not None:
                yield product.iri, offered

    def _case(self, product: DfcProduct, pieces: Fraction) -> Case | None:
        """None where nobody offers the case."""
        items = self._items[product.iri]
        offers = [offer for iri in (product.iri, *(one.iri for one in items)) for offer in self._offers[iri]]
        if not offers:
            return None
        offer = next((one for one in offers if one.category is None), offers[0])
        price = offer.price if offer.price is not None and self._is_ours(offer.price, product) else None
        stock = self._stock(product, items[0] if items else None)
        return Case(product=product.iri, offer=offer.iri, pieces=pieces, price=price, stock=stock)
