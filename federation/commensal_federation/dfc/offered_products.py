"""The products that a document offers, each with its size, stock and prices, and the case it is ordered by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from math import floor

from commensal import MEASURES, half_up

from .facts import NUTRIENTS, TEMPERATURE
from .findings import DocumentFindings
from .read import DfcDocument
from .vat import WITH_VAT, PriceBasis
from .vocabulary import DfcConsumption, DfcItem, DfcOffer, DfcPrice, DfcProduct, DfcProduction, DfcQuantity

# How many pieces of a product a quantity is.


def pieces_in(quantity: DfcQuantity, size: DfcQuantity | None) -> Fraction | None:
    """Returns how many pieces a quantity is, by count or by the content of a piece; None if the units do not compare.

    `size` is the net content of a piece, None if unknown. "Piece" counts pieces of the product, even where their
    content is counted too: two pieces of a box of six eggs are two boxes, and a dozen of them is two boxes as well.
    """
    measure = MEASURES.get(quantity.unit)
    if measure is None or measure.dimension in ("package", "ratio"):
        return None
    amount = Fraction(quantity.value) * measure.factor
    content = MEASURES.get(size.unit) if size is not None else None
    if measure.dimension == "count" and (measure.factor == 1 or content is None or content.dimension != "count"):
        return amount
    if size is None or content is None or not content.comparable(measure) or size.value <= 0:
        return None
    return amount / (Fraction(size.value) * content.factor)


_PIECE = DfcQuantity(value=Decimal(1))
_MOST_PIECES = 100_000  # in one case
# What products of DFC may say and products here have no field for, unless it was understood.
_WITHOUT_PLACE = {NUTRIENTS: "Nutrition", TEMPERATURE: "The storage temperature"}
_FINEST = 10**9  # largest denominator of a number of pieces


@dataclass(frozen=True, kw_only=True)
class Case:
    """The case by which a product is ordered.

    product: IRI of the case, which is a product itself
    offer:   IRI of the case's offer
    pieces:  pieces of the product in one case
    price:   of a case, for everybody; None if there is none
    by_category: prices of a case for customer categories, by the category's IRI
    stock:   cases that may be ordered; None: unlimited
    """

    product: str
    offer: str
    pieces: Fraction
    price: DfcPrice | None
    stock: int | None
    by_category: Mapping[str, DfcPrice] = field(default_factory=dict)

    def share(self, price: DfcPrice) -> DfcPrice:
        """What a piece costs if a case costs this much, rounded to minor units; what is not free never becomes free."""
        share = half_up(price.amount / self.pieces)
        return replace(price, amount=share or min(price.amount, 1))


@dataclass(frozen=True, kw_only=True)
class OfferedProduct:
    """A product as a document offers it. `item` and `offer` are None if the document has none for it.

    size:        net content of a piece
    stock:       pieces that may be ordered; None: unlimited
    price:       for everybody, else the only one; in the requested currency
    by_category: prices of customer categories, by the category's IRI
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
        """Percent: the product's VAT rate, else that of its price, or of its case's."""
        price = self.price or self.buying_price
        return price.vat_rate if self.product.vat_rate is None and price else self.product.vat_rate

    @property
    def pieces_left(self) -> int | None:
        """Pieces that a buyer can order: those in the cases that are left, for a product that comes in cases; None:
        unlimited."""
        if self.case is None:
            return self.stock
        return None if self.case.stock is None else floor(self.case.stock * self.case.pieces)

    @property
    def buying_price(self) -> DfcPrice | None:
        """What a piece costs a buyer: its share of the case for a product that comes in cases, unless cases have no
        price. Open Food Network counts in the same way."""
        return self.price if self.case is None or self.case.price is None else self.case.share(self.case.price)

    @property
    def buying_by_category(self) -> Mapping[str, DfcPrice]:
        """What a piece costs buyers of customer categories, by the category's IRI; as `buying_price`."""
        if self.case is None or not (self.case.price or self.case.by_category):
            return self.by_category
        return {category: self.case.share(price) for category, price in self.case.by_category.items()}


class OfferedProducts:
    """``OfferedProducts(document, "EUR", findings, basis)`` iterates over the products that a document offers.

    It adds to `findings` what it leaves out, and where it chose one of several readings.
    """

    def __init__(
        self, document: DfcDocument, currency: str, findings: DocumentFindings, basis: PriceBasis = WITH_VAT
    ) -> None:
        self._document, self._currency, self._basis, self._findings = document, currency, basis, findings
        self._items: dict[str | None, list[DfcItem]] = defaultdict(list)
        for item in document.all(DfcItem):
            self._items[item.product].append(item)
        self._offers: dict[str | None, list[DfcOffer]] = defaultdict(list)
        for offer in document.all(DfcOffer):
            self._offers[offer.item].append(offer)
        self._groups = {product.variant_of for product in document.all(DfcProduct)}
        self._cases = self._read_cases(document)

    def __iter__(self) -> Iterator[OfferedProduct]:
        for product in self._document.all(DfcProduct):
            if product.quantity is not None:
                self._note_left_out(product)
                yield self._offered_product(product, product.quantity)
            elif product.iri not in self._groups:
                text = "A product without a size cannot be sold, and is left out."
                self._findings.note("no_size", text, product.iri)

    def _note_left_out(self, product: DfcProduct) -> None:
        """Names what products here have no place for, so that nothing is lost silently."""
        for property, name in _WITHOUT_PLACE.items():
            if property in product.extra:
                text = "{name} is left out: products here have no place for it but the description."
                self._findings.note("no_place", text, product.iri, property, name=name)

    def _offered_product(self, product: DfcProduct, size: DfcQuantity) -> OfferedProduct:
        items = self._items[product.iri]
        if len(items) > 1:
            self._findings.note("many_items", "A product that is listed more than once is taken in once.", product.iri)
        item = items[0] if items else None
        for_all, by_category = self._prices(product, item, product.vat_rate)
        return OfferedProduct(
            product=product if product.name else replace(product, name=self._other_name(product, item)),
            item=item,
            size=self._size(product, size),
            stock=self._stock(product, item, for_all),
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

    def _other_name(self, product: DfcProduct, item: DfcItem | None) -> str:
        """The name of a product without one: that of its item, else of the product that it is a size of."""
        group = self._document.get(DfcProduct, product.variant_of)
        return (item.name if item else "") or (group.name if group else "")

    def _stock(self, product: DfcProduct, item: DfcItem | None, offer: DfcOffer | None) -> int | None:
        """The stock of the item, else of the product, within the limit of the offer."""
        stocks = [item.stock if item is not None and item.stock is not None else product.stock]
        stocks += [offer.stock] if offer is not None else []
        stock = min((stock for stock in stocks if stock is not None), default=None)
        if stock is None:
            return None
        whole = int(stock)
        if whole != stock:
            self._findings.note("part_of_piece", "Parts of a piece cannot be sold; stock is rounded down.", product.iri)
        return whole

    def _prices(
        self, product: DfcProduct, item: DfcItem | None, rate: Decimal | None
    ) -> tuple[DfcOffer | None, dict[str, DfcPrice]]:
        """The offer for everybody, else the only one; and the prices of customer categories. `rate` is the VAT's."""
        offered = [*self._offers[product.iri], *(self._offers[item.iri] if item else ())]
        read = [replace(offer, price=self._own_price(offer.price, product, rate)) for offer in offered]
        priced = [offer for offer in read if offer.price is not None]
        for_all = next((offer for offer in priced if offer.category is None), None)
        if for_all is None and len(priced) == 1:
            return priced[0], {}
        by_category = {
            offer.category: offer.price for offer in priced if offer.category is not None and offer.price is not None
        }
        if for_all is None and priced:
            text = "A product with prices for customer categories only is left without a price for everybody."
            self._findings.note("category_prices", text, product.iri)
        return for_all, by_category

    def _own_price(self, price: DfcPrice | None, product: DfcProduct, rate: Decimal | None) -> DfcPrice | None:
        """The price in the reader's currency, with VAT or without as the reader's are; None if it cannot be read so."""
        if price is not None and price.currency not in ("", self._currency):
            text = "Prices in {theirs} are left out: this enterprise sells in {ours}."
            self._findings.wrong("other_currency", text, product.iri, theirs=price.currency, ours=self._currency)
            return None
        own_price = price and self._basis.read(price, rate)
        if price and own_price is None:
            text = "A price is left out: it is not known which VAT is in it, or has to be added. Name a rate."
            self._findings.wrong("no_vat", text, product.iri)
        return own_price

    def _read_cases(self, document: DfcDocument) -> dict[str, Case]:
        """The case of each product: of several sizes the smallest, since it leaves the least over."""
        cases: dict[str, Case] = {}
        for product, case, pieces in sorted(cases_in(document, self._findings), key=lambda entry: entry[2]):
            rate = case.vat_rate if product.vat_rate is None else product.vat_rate
            offered_case = self._case(case, pieces, rate)
            if offered_case is None:
                continue
            if product.iri in cases:
                text = "Of several cases of a product the smallest counts; the others are products of their own."
                self._findings.note("many_cases", text, product.iri)
            cases.setdefault(product.iri, offered_case)
        return self._without_circles(cases)

    def _without_circles(self, cases: Mapping[str, Case]) -> dict[str, Case]:
        """Leaves out cases of products that are made of each other: nobody could say which of them is the piece."""
        circles = _in_circles(cases)
        for iri in sorted(circles):
            text = "This product and its case are made of each other, so it is not ordered by the case."
            self._findings.note("case_circle", text, iri)
        return {iri: case for iri, case in cases.items() if iri not in circles}

    def _case(self, product: DfcProduct, pieces: Fraction, rate: Decimal | None) -> Case | None:
        """The case with its offer; None if nobody offers it. `rate` is the VAT's."""
        items = self._items[product.iri]
        offers = [offer for iri in (product.iri, *(item.iri for item in items)) for offer in self._offers[iri]]
        if not offers:
            return None
        for_all, by_category = self._prices(product, items[0] if items else None, rate)
        offer = for_all or next((offer for offer in offers if offer.category is None), offers[0])
        return Case(
            product=product.iri,
            offer=offer.iri,
            pieces=pieces,
            price=for_all.price if for_all else None,
            stock=self._stock(product, items[0] if items else None, offer),
            by_category=by_category,
        )


def _in_circles(cases: Mapping[str, Case]) -> set[str]:
    """The products whose case leads back to them, over the case of that case. Each product is visited once."""
    walks: dict[str, str] = {}  # the start of the walk that came by, by product
    circles: set[str] = set()
    for start in cases:
        iri = start
        while iri in cases and iri not in walks:
            walks[iri] = start
            iri = cases[iri].product
        while walks.get(iri) == start and iri not in circles:
            circles.add(iri)
            iri = cases[iri].product
    return circles


def cases_in(document: DfcDocument, findings: DocumentFindings) -> Iterator[tuple[DfcProduct, DfcProduct, Fraction]]:
    """Yields each product with a product made of it (its case), and how many pieces fill one case, as planned
    transformations declare it: a rational number, since one sack may fill three bags. Notes and skips unclear ones."""
    productions: dict[str | None, DfcProduction] = {
        production.transformation: production for production in document.all(DfcProduction) if production.transformation
    }
    for flow in document.all(DfcConsumption):
        output = productions.get(flow.transformation)
        product, case = (
            document.get(DfcProduct, flow.product),
            document.get(DfcProduct, output.product if output else None),
        )
        if output is None or product is None or case is None or product.iri == case.iri:
            continue
        used = pieces_in(flow.quantity or _PIECE, product.quantity)
        filled = pieces_in(output.quantity or _PIECE, case.quantity)
        pieces = used / filled if used and filled else Fraction(0)
        if not 0 < pieces <= _MOST_PIECES or pieces.denominator > _FINEST:
            text = "It is not clear how many pieces fill a case, so this product is not ordered by the case."
            findings.note("case", text, flow.iri)
            continue
        yield product, case, pieces
