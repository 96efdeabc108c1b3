"""Which unpaid order a transfer may be for, or which several: by number, amount and the name of who paid."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from commensal import OrderSummary, search_key

from .entries import BankEntry
from .payments import order_numbers_in

MOST = 3  # suggestions for one transfer
_MOST_OPEN = 10  # unpaid orders of one customer that are combined: the oldest
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


@dataclass(frozen=True, kw_only=True)
class Split:
    """Several unpaid orders of one customer whose sum is the transfer, the oldest first, and what else supports it."""

    orders: Sequence[OrderSummary]
    by_reference: bool
    by_name: bool


def splits(credit: BankEntry, unpaid: Iterable[OrderSummary], payers: Mapping[str, str]) -> list[Split]:
    """The sets of unpaid orders that the credit may pay together, the likeliest first; one for each customer.

    `payers` identifies the customer by order id. Of several sets, the one that the text names; else the smallest of
    the oldest.
    """
    by_payer: dict[str, list[OrderSummary]] = {}
    for order in sorted(unpaid, key=lambda order: order.number):
        if order.currency == credit.currency and order.due > 0 and order.id in payers:
            by_payer.setdefault(payers[order.id], []).append(order)
    numbers = order_numbers_in(credit.text) | {int(number) for number in _NUMBER.findall(credit.text)}
    words = set(_WORD.findall(search_key(f"{credit.payer} {credit.text}")))
    likely = [split for orders in by_payer.values() for split in _splits_of_customer(credit, orders, numbers, words)]
    return sorted(likely, key=lambda split: (-split.by_reference, -split.by_name, split.orders[0].number))[:MOST]


def _splits_of_customer(
    credit: BankEntry, orders: Sequence[OrderSummary], numbers: set[int], words: set[str]
) -> list[Split]:
    named = [order for order in orders if order.number in numbers]
    sets = (
        chosen
        for size in range(2, min(len(orders), _MOST_OPEN) + 1)
        for chosen in combinations(orders[:_MOST_OPEN], size)
        if sum(order.due for order in chosen) == credit.amount
    )
    by_reference = len(named) > 1 and sum(order.due for order in named) == credit.amount
    chosen = tuple(named) if by_reference else next(sets, ())
    if not chosen:
        return []
    name = set(_WORD.findall(search_key(chosen[0].name)))
    by_name = bool(name) and (name <= words or len(name & words) > 1)
    return [Split(orders=chosen, by_reference=by_reference, by_name=by_name)]


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
