"""Which unpaid order a transfer may be for: by its number, its amount and the name of who paid."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from commensal import OrderSummary, search_key

from .entries import BankEntry
from .reference import order_numbers_in

MOST = 3  # suggestions for one transfer
_WORD = re.compile(r"[^\W\d_]{3,}")  # of a name: initials and "de" say nothing
_NUMBER = re.compile(r"(?<!\d)\d{1,9}(?!\d)")


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """An unpaid order, and what speaks for it.

    over: what came beyond what is due, in minor units; negative: what is still missing then
    """

    order: OrderSummary
    by_reference: bool
    by_number: bool
    by_amount: bool
    by_name: bool
    over: int

    @property
    def weight(self) -> int:
        """How much speaks for it: a number alone may be a date, and an amount alone a coincidence."""
        return 8 * self.by_reference + 3 * self.by_amount + 3 * self.by_name + 2 * self.by_number


def suggestions(credit: BankEntry, unpaid: Iterable[OrderSummary]) -> list[Suggestion]:
    """The unpaid orders that the credit may be for, the likeliest first; the older of two equally likely ones."""
    referred = order_numbers_in(credit.text)
    numbers = {int(number) for number in _NUMBER.findall(credit.text)}
    words = set(_WORD.findall(search_key(f"{credit.payer} {credit.text}")))
    likely = []
    for order in unpaid:
        name = set(_WORD.findall(search_key(order.name)))
        suggestion = Suggestion(
            order=order,
            by_reference=order.number in referred,
            by_number=order.number in numbers,
            by_amount=order.due == credit.amount,
            by_name=bool(name) and (name <= words or len(name & words) > 1),
            over=credit.amount - order.due,
        )
        if suggestion.weight > 2 and order.currency == credit.currency:
            likely.append(suggestion)
    return sorted(likely, key=lambda suggestion: (-suggestion.weight, suggestion.order.number))[:MOST]
