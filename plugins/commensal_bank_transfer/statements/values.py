"""Values of a bank statement."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date


@dataclass(frozen=True, kw_only=True)
class Credit:
    """Money received. `amount` is in minor units of `currency`; `booked_on` is the bank's day.

    key:       the bank's id or a hash of the content; the same credit has the same key in every statement
    is_of_one: whether one payer sent all of it: an order that its text names is then what all of it is for
    """

    booked_on: date
    amount: int
    currency: str
    payer: str
    text: str
    key: str = ""
    is_of_one: bool = True


@dataclass(frozen=True, kw_only=True)
class Debit:
    """Money sent. `amount` is positive, in minor units of `currency`; `booked_on` and `key` are as of a credit."""

    booked_on: date
    amount: int
    currency: str
    payee: str
    text: str
    key: str = ""


Movement = Credit | Debit


def with_keys(movements: Iterable[Movement]) -> Iterator[Movement]:
    """Gives a key to those without a bank id, from their content. Equal ones of one day are numbered."""
    counts: Counter[str] = Counter()
    for each in movements:
        if each.key:
            yield each
            continue
        text = _content(each)
        counts[text] += 1
        yield replace(each, key=hashlib.sha256(f"{text}\n{counts[text]}".encode()).hexdigest())


def _content(each: Movement) -> str:
    amount, party = (str(each.amount), each.payer) if isinstance(each, Credit) else (f"-{each.amount}", each.payee)
    return "\n".join((each.booked_on.isoformat(), amount, each.currency, party, each.text))
