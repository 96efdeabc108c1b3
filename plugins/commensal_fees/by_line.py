"""Fees that are worked out for each line of an order."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from commensal import PricedLine, Unfit, half_up

from .fee import Amount, Fee, refuse_percentage
from .goods import kilograms, pieces


class LineFee(Fee, frozen=True, kw_only=True):
    """A fee for each line of the order."""

    vat_of_product: bool = False
    """It bears VAT at the rate of the product, as what goes with goods does; then `vat_rate` stays empty."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.vat_of_product and self.vat_rate is not None:
            raise Unfit("vat_rate: it is the product's; leave this empty, or vat_of_product false")

    def of_line(self, line: PricedLine) -> int:
        """Returns the fee of one line in minor units, not negative."""
        raise NotImplementedError


class FlatPercentPerItem(LineFee, frozen=True, kw_only=True):
    """A percentage of a piece, rounded for one piece, times the pieces."""

    shown_as = "Percentage of each piece"

    percent: Decimal

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_percentage("percent", self.percent)

    def of_line(self, line: PricedLine) -> int:
        share = Fraction(self.percent) / 100
        if line.final_quantity is None:
            return half_up(line.price * share) * line.quantity
        return half_up(line.amount * share)


class PerItem(LineFee, frozen=True, kw_only=True):
    """An amount for each piece."""

    shown_as = "Amount for each piece"

    amount: Amount

    def of_line(self, line: PricedLine) -> int:
        return self.amount * pieces(line)


class Weight(LineFee, frozen=True, kw_only=True):
    """An amount for each kilogram."""

    shown_as = "Amount for each kilogram"

    per_kilogram: Amount

    piece: Decimal = Decimal(0)
    """The weight, in kilograms, counted for a piece of goods sold neither by weight nor by volume."""

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_weight("piece", self.piece)

    def of_line(self, line: PricedLine) -> int:
        return half_up(self.per_kilogram * kilograms(line, self.piece))


def refuse_weight(name: str, value: Decimal) -> None:
    """Raises `Unfit` unless the value is a possible weight, in kilograms."""
    if not value.is_finite() or not 0 <= value <= 100_000:
        raise Unfit("{name}: a weight must be between 0 and 100000 kilograms", name=name)
