"""The settings of a shop, and the conversion and display of its unit. A unit that is not money counts hundredths."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Annotated

from commensal import LARGEST, MinorUnits, Unfit, format_money, format_quantity, half_up, translate

PARTS = 100  # of a unit that is not money: accounts count its hundredths


@dataclass(frozen=True)
class Settings:
    unit: str = ""
    """What is counted, as people read it: "heures", "points". Empty: the shop's money."""
    unit_price: Annotated[int, MinorUnits()] = 0
    """What one unit is worth in the shop's money; only for a unit that is not money."""
    minimum: Annotated[int, MinorUnits()] = 0
    """How low a balance may go by an order, in money or in the unit. Negative gives credit."""

    def __post_init__(self) -> None:
        if len(self.unit) > 30:
            raise Unfit("unit: at most 30 characters")
        if bool(self.unit) != (0 < self.unit_price <= LARGEST):
            raise Unfit("unit_price: a unit that is not money has a price above zero, and money has none")
        if abs(self.minimum) > LARGEST:
            raise Unfit("minimum: this is too large")

    def to_account(self, money: int) -> int:
        """Converts minor units of money to an amount of an account: unchanged, or hundredths of the unit, half up."""
        return half_up(Fraction(money * PARTS, self.unit_price)) if self.unit else money

    def as_text(self, amount: int, currency: str, language: str) -> str:
        """Returns an amount of an account as text for people."""
        if not self.unit:
            return format_money(amount, currency, language)
        return format_quantity(Decimal(amount) / PARTS, self.unit, language)

    def balance_in_words(self, balance: int, currency: str, language: str) -> str:
        """Returns what is on an account, or what its owner has to pay in if it is below zero."""
        text = "{amount} on the account" if balance >= 0 else "{amount} still to be paid into the account"
        return translate(language, text).format(amount=self.as_text(abs(balance), currency, language))
