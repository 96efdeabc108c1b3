"""Fees that are worked out once for an order. They have their own VAT rate, or none, since products' rates differ."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Annotated

import msgspec

from commensal import MinorUnits, PricedLine, Unfit, half_up

from .fee import Amount, Fee, kilograms, pieces, refuse_percentage

# Fees that are worked out for each line of an order.


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


class OrderFee(Fee, frozen=True, kw_only=True):
    """A fee for the order, or for what one supplier brings to it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.payee == "supplier" and not self.supplier:
            raise Unfit("supplier: name the one who gets the fee")

    def of_order(self, lines: Sequence[PricedLine]) -> int:
        """Returns the fee in minor units, not negative. `lines` has at least one line, each with delivered pieces."""
        raise NotImplementedError


class FlatPercentItemTotal(OrderFee, frozen=True, kw_only=True):
    """A percentage of the sum, rounded once."""

    shown_as = "Percentage of the order"

    percent: Decimal

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_percentage("percent", self.percent)

    def of_order(self, lines: Sequence[PricedLine]) -> int:
        return _share(self.percent, lines)


class FlatPercentWithin(OrderFee, frozen=True, kw_only=True):
    """A percentage of the sum, rounded once, but never less than one amount nor more than another."""

    shown_as = "Percentage between two amounts"

    percent: Decimal
    least: Amount = 0
    most: Amount

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_percentage("percent", self.percent)
        if self.most < self.least:
            raise Unfit("most: it is less than the least")

    def of_order(self, lines: Sequence[PricedLine]) -> int:
        return min(max(_share(self.percent, lines), self.least), self.most)


class FlatRate(OrderFee, frozen=True, kw_only=True):
    """The same amount for every order."""

    shown_as = "Fixed amount"

    amount: Amount

    def of_order(self, lines: Sequence[PricedLine]) -> int:
        return self.amount


class FlexiRate(OrderFee, frozen=True, kw_only=True):
    """An amount for the first piece, another for each further one."""

    shown_as = "First piece, then each further one"

    first_item: Amount
    additional_item: Amount

    max_items: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Pieces that count; those beyond are free. Empty: all count."""

    def of_order(self, lines: Sequence[PricedLine]) -> int:
        count = sum(map(pieces, lines))
        if self.max_items is not None:
            count = min(count, self.max_items)
        return self.first_item + self.additional_item * (count - 1)


class PriceSack(OrderFee, frozen=True, kw_only=True):
    """One amount below a threshold, another from there on."""

    shown_as = "Amount by the total"

    minimal_amount: Annotated[int, msgspec.Meta(ge=0), MinorUnits()]
    """The threshold: goods for this much bear the discount amount already."""

    normal_amount: Amount
    discount_amount: Amount = 0

    def of_order(self, lines: Sequence[PricedLine]) -> int:
        return self.normal_amount if _sum(lines) < self.minimal_amount else self.discount_amount


class WeightStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an order up to a weight bears."""

    up_to: Decimal
    """Kilograms; an order of just this weight is still within."""

    amount: Amount


class WeightSteps(OrderFee, frozen=True, kw_only=True):
    """An amount by the weight of all goods together."""

    shown_as = "Steps of weight"

    steps: Annotated[tuple[WeightStep, ...], msgspec.Meta(min_length=1, max_length=20)]
    """The lightest first."""

    beyond: Amount
    """For orders heavier than the last step."""

    piece: Decimal = Decimal(0)
    """The weight, in kilograms, counted for a piece of goods sold neither by weight nor by volume."""

    def __post_init__(self) -> None:
        super().__post_init__()
        weights = [step.up_to for step in self.steps]
        for name, weight in [("piece", self.piece), *(("steps", weight) for weight in weights)]:
            refuse_weight(name, weight)
        if weights != sorted(set(weights)):
            raise Unfit("steps: each goes up to more than the one before")

    def of_order(self, lines: Sequence[PricedLine]) -> int:
        weight = sum((kilograms(line, self.piece) for line in lines), Fraction(0))
        return next((step.amount for step in self.steps if weight <= step.up_to), self.beyond)


def _share(percent: Decimal, lines: Sequence[PricedLine]) -> int:
    return half_up(Fraction(percent) * _sum(lines) / 100)


def _sum(lines: Sequence[PricedLine]) -> int:
    """Returns the price of the goods in minor units, without deposits."""
    return sum(line.amount for line in lines)
