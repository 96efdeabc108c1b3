"""Reads from a document what it changes of goods: each value that it says and that differs from the present one.

What a document does not say stays as it is, so that programs may send all that they read, or only what changes. Any
node of goods may be in it: a product with its stock, its items, their offers, and the lot from which it is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

from commensal import MEASURES, Invalid, PluginFields, Problem, StockLot, SuppliedProduct
from commensal.catalogs import CatalogItem, Offer
from commensal.products import PRODUCT_FIELDS, StockedProduct

from ..dfc.described import CLAIMS, COLD, description_in
from ..dfc.facts import SAID_BY
from ..dfc.findings import Paths
from ..dfc.iris import ResourceKind, local_id
from ..dfc.read import DfcDocument
from ..dfc.vat import PriceBasis
from ..dfc.vocabulary import DfcItem, DfcLot, DfcOffer, DfcPrice, DfcProduct, DfcQuantity, Thing
from .goods import Goods
from .layouts import id_in_any_layout

T = TypeVar("T")
_MOST_PROBLEMS = 50  # in one refusal
_LONGEST = 300  # characters of a name in an error
_FIELDS = [field for field in PRODUCT_FIELDS.values() if field.copied and field.name not in ("quantity", "unit")]


@dataclass(frozen=True, kw_only=True)
class GoodsChanges:
    """What changes, by the ids of things of ours.

    products: fields of `change_product`; items: fields of `change_item`
    rates:    VAT in percent, by product
    stocks:   what may still be ordered, in the lot's unit, by lot; None: unlimited
    prices:   minor units of the seller's currency, by item and customer category (None: for everybody)
    places:   where in the document each value stands (a path of RFC 9535), by id and field
    """

    products: Mapping[str, dict[str, Any]]
    rates: Mapping[str, Decimal]
    stocks: Mapping[str, Decimal | None]
    items: Mapping[str, dict[str, Any]]
    prices: Mapping[tuple[str, str | None], int]
    places: Mapping[tuple[str, str], str]


@dataclass
class GoodsReader:
    """``GoodsReader(base, goods, document, paths, declared).changes()``. `paths` are those of the document's JSON;
    `declared` are the fields that plugins declare for products."""

    base: str
    goods: Goods
    document: DfcDocument
    paths: Paths
    declared: PluginFields
    _problems: list[Problem] = field(default_factory=list)
    _products: dict[str, dict[str, Any]] = field(default_factory=dict)
    _rates: dict[str, Decimal] = field(default_factory=dict)
    _stocks: dict[str, Decimal | None] = field(default_factory=dict)
    _items: dict[str, dict[str, Any]] = field(default_factory=dict)
    _prices: dict[tuple[str, str | None], int] = field(default_factory=dict)
    _places: dict[tuple[str, str], str] = field(default_factory=dict)
    _read: int = 0  # things of these goods in the document

    def changes(self) -> GoodsChanges:
        """Raises `Invalid` with every mistake, for a document about other goods, and for one that says nothing."""
        for finding in self.document.findings:
            if finding.weight == "wrong":
                where = self.paths.path_of(finding.iri, finding.property_name) or finding.iri
                self._problems.append(Problem(finding.code, finding.problem.text, where, finding.problem.values))
        for thing in self.document.things.values():
            for kind, read in _READERS:
                if isinstance(thing, kind):
                    read(self, thing)
        if not self._read and not self._problems:
            text = "The document says nothing of the goods at this address."
            self._problems.append(Problem("nothing", text, "$"))
        if self._problems:
            raise Invalid(self._problems[:_MOST_PROBLEMS])
        return GoodsChanges(
            products=self._products,
            rates=self._rates,
            stocks=self._stocks,
            items=self._items,
            prices=self._prices,
            places=self._places,
        )

    # ---------------------------------------------------------------------------------------- things

    def _read_product(self, sent: DfcProduct) -> None:
        stocked = self._own_thing(sent, "supplied_products", self.goods.products)
        if stocked is None:
            return
        product = stocked.product
        for name, value, property in self._content(sent, product):
            self._change_product(product, name, value, sent, property)
        self._change_rate(product, sent.vat_rate, sent, "own:VATrate")
        if sent.quantity is not None and not _is_same(sent.quantity, product.quantity, product.unit):
            for name, value in (("quantity", sent.quantity.value), ("unit", sent.quantity.unit)):
                self._change_product(product, name, value, sent, "dfc-b:hasQuantity")
        self._count_pieces(stocked, sent, "dfc-b:totalTheoriticalStock", sent.stock)

    def _read_item(self, sent: DfcItem) -> None:
        item = self._own_thing(sent, "catalog_items", {item.id: item for item in self.goods.items})
        if item is None:
            return
        stocked = self.goods.products[item.product_id]
        name = None if sent.name == stocked.product.name else sent.name or None
        if self._says(sent, "dfc-b:name") and name != item.name:
            self._change_item(item, "name", name, sent, "dfc-b:name")
        if self._says(sent, "own:hidden") and sent.hidden != item.hidden:
            self._change_item(item, "hidden", sent.hidden, sent, "own:hidden")
        if self._says(sent, "dfc-b:sku") and sent.sku != (stocked.product.sku or ""):
            self._change_product(stocked.product, "sku", sent.sku or None, sent, "dfc-b:sku")
        self._count_pieces(stocked, sent, "dfc-b:stockLimitation", sent.stock)

    def _read_offer(self, sent: DfcOffer) -> None:
        known = {offer.id: (item, offer) for item in self.goods.items for offer in item.offers}
        item, offer = known.get(id_in_any_layout(self.base, sent.iri, "offers") or "", (None, None))
        item = item or self._item_of(sent)
        if item is None:
            self._refuse_elsewhere(sent)
            return
        self._read += 1
        stocked = self.goods.products[item.product_id]
        self._count_pieces(stocked, sent, "dfc-b:stockLimitation", sent.stock)
        if sent.price is None or not self._is_in_currency(sent.price, sent, "dfc-b:hasPrice"):
            return
        self._change_rate(stocked.product, sent.price.vat_rate, sent, "dfc-b:hasPrice")
        category = self._category_of(sent, offer)
        if isinstance(category, Problem):
            self._problems.append(category)
            return
        present = {offer.category_id: offer.price for offer in item.offers}
        price = PriceBasis(with_vat=self.goods.seller.prices_include_vat, rate=stocked.product.vat_rate).read(
            sent.price, self._rates.get(stocked.product.id)
        )
        if price is not None and price.amount != present.get(category):
            self._prices[item.id, category] = price.amount
            self._places[item.id, "price"] = self._path(sent, "dfc-b:hasPrice")

    def _read_lot(self, sent: DfcLot) -> None:
        lots = {stocked.lot.id: stocked.lot for stocked in self.goods.products.values()}
        lot = self._own_thing(sent, "stocks", lots)
        if lot is None:
            return
        if sent.unlimited:
            self._set_stock(lot, None, sent, "own:unlimited")
        elif sent.quantity is not None:
            quantity = _in_unit_of(lot, sent.quantity, self._path(sent, "dfc-b:hasQuantity"))
            if isinstance(quantity, Problem):
                self._problems.append(quantity)
            else:
                self._set_stock(lot, quantity, sent, "dfc-b:hasQuantity")

    # ---------------------------------------------------------------------------------------- values

    def _content(self, sent: DfcProduct, product: SuppliedProduct) -> list[tuple[str, object, str]]:
        """The fields of the product that differ: name, new value, property."""
        if sent.deposit is not None and not self._is_in_currency(sent.deposit, sent, "own:deposit"):
            return []
        described = description_in(sent, self.declared)
        described |= {"labels": self._labels(sent, product), "handling": self._handling(sent, product, described)}
        content = [
            (entry.name, described[entry.name], entry.dfc)
            for entry in _FIELDS
            if entry.name in ("labels", "handling") or self._says_in_any_form(sent, entry.dfc)
            if described[entry.name] != getattr(product, entry.name)
        ]
        plugin_fields = {
            plugin: values
            for plugin, values in described["plugin_fields"].items()
            if any(product.plugin_fields.get(plugin, {}).get(name) != value for name, value in values.items())
        }
        return [*content, *([("plugin_fields", plugin_fields, "")] if plugin_fields else [])]

    def _labels(self, sent: DfcProduct, product: SuppliedProduct) -> tuple[str, ...]:
        """The labels afterwards. DFC has two properties for them, and a document may have either."""
        stated = {
            False: sent.labels if self._says(sent, "dfc-b:hasCertification") else None,
            True: sent.claims if self._says(sent, "dfc-b:hasClaim") else None,
        }
        present = [label for label in product.labels if stated[label in CLAIMS] is None]
        labels = tuple(dict.fromkeys((*present, *(stated[False] or ()), *(stated[True] or ()))))
        return product.labels if set(labels) == set(product.labels) else labels

    def _handling(self, sent: DfcProduct, product: SuppliedProduct, described: Mapping[str, Any]) -> tuple[str, ...]:
        """How the goods are kept afterwards: a flag of DFC's counts more than the list, which only we have."""
        terms = list(described["handling"] if self._says(sent, "own:handling") else product.handling)
        for flag, term in COLD.items():
            if self._says(sent, f"dfc-b:{flag}"):
                terms = [other for other in terms if other != term] + [term] * getattr(sent, flag)
        return product.handling if set(terms) == set(product.handling) else tuple(terms)

    def _count_pieces(self, stocked: StockedProduct, sent: Thing, property: str, pieces: Decimal | None) -> None:
        """Reads a number of pieces that may still be ordered; None where the document says that there is no limit."""
        if not self._says(sent, property) or pieces == stocked.left:
            return
        product, lot = stocked.product, stocked.lot
        if "quantity" in self._products.get(product.id, {}):
            text = "The size of a piece changes, so it is not clear how much this is. Send the stock afterwards."
            self._problems.append(Problem("size_and_stock", text, self._path(sent, property)))
        elif pieces is None:
            self._set_stock(lot, None, sent, property)
        elif pieces != int(pieces):
            text = "{number} is not a whole number of pieces."
            self._problems.append(Problem("not_whole", text, self._path(sent, property), {"number": str(pieces)[:40]}))
        else:
            units = Decimal(int(pieces) * product.lot_quantity) / lot.per_unit
            self._set_stock(lot, units - lot.beyond, sent, property)

    def _set_stock(self, lot: StockLot, free: Decimal | None, sent: Thing, property: str) -> None:
        present = None if lot.unlimited else lot.free
        if free == present or self._is_others(lot.enterprise_id, sent, property):
            return
        if self._stocks.setdefault(lot.id, free) != free:
            text = "The document says two different stocks of {name}. Send one."
            self._problems.append(Problem("two_stocks", text, self._path(sent, property), {"name": lot.name}))
        self._places.setdefault((lot.id, "on_hand"), self._path(sent, property))

    def _change_product(self, product: SuppliedProduct, name: str, value: object, sent: Thing, property: str) -> None:
        if not self._is_others(product.enterprise_id, sent, property):
            self._products.setdefault(product.id, {})[name] = value
            self._places[product.id, name] = self._path(sent, property)

    def _change_item(self, item: CatalogItem, name: str, value: object, sent: Thing, property: str) -> None:
        self._items.setdefault(item.id, {})[name] = value
        self._places[item.id, name] = self._path(sent, property)

    def _change_rate(self, product: SuppliedProduct, rate: Decimal | None, sent: Thing, property: str) -> None:
        if rate is None or rate == product.vat_rate or self._is_others(product.enterprise_id, sent, property):
            return
        if self._rates.setdefault(product.id, rate) != rate:
            text = "The document says two different VAT rates of {name}. Send one."
            self._problems.append(Problem("two_rates", text, self._path(sent, property), {"name": product.name}))
        self._places.setdefault((product.id, "rate"), self._path(sent, property))

    # ---------------------------------------------------------------------------------------- whose, and where

    def _own_thing(self, sent: Thing, kind: ResourceKind, things: Mapping[str, T]) -> T | None:
        thing = things.get(id_in_any_layout(self.base, sent.iri, kind) or "")
        if thing is None:
            self._refuse_elsewhere(sent)
        else:
            self._read += 1
        return thing

    def _refuse_elsewhere(self, sent: Thing) -> None:
        """Refuses other goods, but for the product that sizes share: it has nothing that could be set."""
        if not local_id(self.base, sent.iri, "product_groups"):
            text = "This address is not that of {iri}. Send it to its own address."
            values = {"iri": sent.iri[:_LONGEST]}
            self._problems.append(Problem("other_goods", text, self.paths.path_of(sent.iri) or "$", values))

    def _is_others(self, owner_id: str, sent: Thing, property: str) -> bool:
        """Whether another enterprise decides on this; then it is a problem."""
        if owner_id == self.goods.seller.id:
            return False
        text = "This is for the producer to say, not for an enterprise that sells the goods."
        self._problems.append(Problem("not_yours", text, self._path(sent, property)))
        return True

    def _is_in_currency(self, price: DfcPrice, sent: Thing, property: str) -> bool:
        ours = self.goods.seller.currency
        if price.currency in ("", ours):
            return True
        text = "Prices here are in {ours}, not in {theirs}."
        values = {"ours": ours, "theirs": price.currency}
        self._problems.append(Problem("other_currency", text, self._path(sent, property), values))
        return False

    def _item_of(self, sent: DfcOffer) -> CatalogItem | None:
        """The item that an offer of the sender's own prices, by the item or by its product."""
        item_id = id_in_any_layout(self.base, sent.item or "", "catalog_items")
        product_id = id_in_any_layout(self.base, sent.item or "", "supplied_products")
        matches = [item for item in self.goods.items if item.id == item_id or item.product_id == product_id]
        return matches[0] if len(matches) == 1 else None

    def _category_of(self, sent: DfcOffer, offer: Offer | None) -> str | Problem | None:
        if sent.category is None:
            return offer.category_id if offer else None
        category_id = local_id(self.base, sent.category, "customer_categories")
        text = "There is no such customer category."
        return category_id or Problem("no_category", text, self._path(sent, "dfc-b:offersTo"))

    def _says_in_any_form(self, sent: Thing, property: str) -> bool:
        """Whether the document says this by the property, or by the nodes of DFC that are read into it."""
        return self._says(sent, property) or (property in SAID_BY and self._says(sent, SAID_BY[property]))

    def _says(self, sent: Thing, property: str) -> bool:
        return bool(self.paths.property_path(sent.iri, property))

    def _path(self, sent: Thing, property: str) -> str:
        return self.paths.path_of(sent.iri, property) or sent.iri


_READERS: tuple[tuple[type[Thing], Callable[[GoodsReader, Any], None]], ...] = (
    (DfcProduct, GoodsReader._read_product),
    (DfcItem, GoodsReader._read_item),
    (DfcOffer, GoodsReader._read_offer),
    (DfcLot, GoodsReader._read_lot),
)


def _is_same(sent: DfcQuantity, quantity: Decimal, unit: str) -> bool:
    """Whether it is the same amount, in whatever unit."""
    theirs, ours = MEASURES.get(sent.unit), MEASURES[unit]
    if theirs is None or not theirs.comparable(ours):
        return False
    return Fraction(sent.value) * theirs.factor == Fraction(quantity) * ours.factor


def _in_unit_of(lot: StockLot, quantity: DfcQuantity, where: str) -> Decimal | Problem:
    """The quantity in the lot's unit, without rounding."""
    theirs, ours = MEASURES.get(quantity.unit), MEASURES[lot.unit]
    if theirs is None or not theirs.comparable(ours):
        text = "{name} is counted in {unit}, which {other} cannot be converted to."
        values = {"name": lot.name, "unit": ours.en, "other": theirs.en if theirs else quantity.unit[:60]}
        return Problem("other_unit", text, where, values)
    grains = Fraction(quantity.value) * theirs.factor / ours.factor * lot.per_unit
    if grains.denominator != 1:
        text = "{quantity} of {name} cannot be counted: {parts} parts of one {unit} are counted."
        parts: dict[str, object] = {
            "quantity": f"{quantity.value:f} {theirs.en}",
            "name": lot.name,
            "parts": lot.per_unit,
            "unit": ours.en,
        }
        return Problem("too_fine", text, where, parts)
    return Decimal(grains.numerator) / lot.per_unit
