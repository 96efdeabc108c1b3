"""What is new and comes in by itself is sold near what goods of its kind cost at this hub, and no further.

A price that nobody has accepted is no measure of the next one: else each new product would carry the band along.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from sqlalchemy import select

from commensal import MEASURES, SuppliedProduct, Transaction
from commensal.catalogs import PriceSpan, price_spans
from commensal.products import products_by_id

from .tables import federation_followed_price

FAR = 5  # times the dearest, or a fifth of the cheapest
_row = federation_followed_price.c
_Kind = tuple[str, str]


@dataclass(frozen=True)
class FirstPrices:
    """The first prices of these products, which a hub is about to sell by itself."""

    tx: Transaction
    hub_id: str
    product_ids: Collection[str]

    def are_usual(self, product_id: str, prices: Iterable[int | None]) -> bool:
        """Whether the hub may sell a piece for these prices, in minor units, without a person; not without a price.

        Goods of its kind are compared by weight, volume, length or piece; where the hub has none, pieces of all that
        it sells are. Nothing is usual for a hub that sells nothing yet.
        """
        product = self._products[product_id]
        known, size = self._by_kind.get(_kind_of(product)), _size_of(product)
        if known is None:
            known, size = self._of_pieces, Fraction(1)
        if known is None:
            return False
        lowest, highest = known
        return all(price is not None and lowest <= FAR * price / size <= FAR * FAR * highest for price in prices)

    @cached_property
    def _products(self) -> Mapping[str, SuppliedProduct]:
        return products_by_id(self.tx, self.product_ids)

    @cached_property
    def _spans(self) -> list[PriceSpan]:
        unseen = select(_row.product_id).where(_row.enterprise_id == self.hub_id, _row.unseen)
        return price_spans(self.tx, self.hub_id, without=unseen)

    @cached_property
    def _of_pieces(self) -> tuple[Fraction, Fraction] | None:
        prices = [Fraction(price) for span in self._spans for price in (span.lowest, span.highest)]
        return (min(prices), max(prices)) if prices else None

    @cached_property
    def _by_kind(self) -> Mapping[_Kind, tuple[Fraction, Fraction]]:
        kinds: dict[_Kind, tuple[Fraction, Fraction]] = {}
        for span in self._spans:
            size = _size_of(span)
            lowest, highest = kinds.get(_kind_of(span), (span.lowest / size, span.highest / size))
            kinds[_kind_of(span)] = min(lowest, span.lowest / size), max(highest, span.highest / size)
        return kinds


def _kind_of(goods: PriceSpan | SuppliedProduct) -> _Kind:
    """Its DFC type, and what it is measured in: packages have no size, so that each is a kind of its own."""
    measure = MEASURES[goods.unit]
    return goods.product_type, measure.term if measure.dimension in ("package", "ratio") else measure.dimension


def _size_of(goods: PriceSpan | SuppliedProduct) -> Fraction:
    """The net content of one piece in the smallest unit of its dimension."""
    return Fraction(goods.quantity) * MEASURES[goods.unit].factor
