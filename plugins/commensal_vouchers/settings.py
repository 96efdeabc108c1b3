"""Whether a shop sells gift cards, and which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from commensal import Enterprise, MinorUnits, Problem, Unfit, read_amount

from .codes import LARGEST_VALUE

_LONGEST = 120  # months


@dataclass(frozen=True)
class Settings:
    gift_cards: bool = False
    """Customers can buy gift cards on a page of the shop, with an order that they pay in any of your ways."""

    amounts: tuple[str, ...] = ("20", "50", "100")
    """What can be chosen, one amount a line."""

    own_amount: bool = True
    """Customers may also write an amount of their own."""

    most: Annotated[int, MinorUnits()] = 20_000
    """The largest amount of one card."""

    months: int = 24
    """How long a card is valid, from the day on which it is paid. 0: for ever."""

    def __post_init__(self) -> None:
        for text in self.amounts:
            if isinstance(read_amount(text, "EUR"), Problem):
                raise Unfit("amounts: {typed} is not an amount", typed=text[:30])
        if not 0 < self.most <= LARGEST_VALUE:
            raise Unfit("most: this is too large, or nothing")
        if not 0 <= self.months <= _LONGEST:
            raise Unfit("months: from 0 to {most}", most=_LONGEST)

    def offered(self, shop: Enterprise) -> list[int]:
        """The amounts that can be chosen, in minor units of the shop's currency, smallest first."""
        amounts = (read_amount(text, shop.currency) for text in self.amounts)
        return sorted({amount for amount in amounts if isinstance(amount, int) and 0 < amount <= self.most})
