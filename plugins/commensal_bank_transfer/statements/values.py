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


def with_keys(credits: Iterable[Credit]) -> Iterator[Credit]:
    """Gives a key to credits without a bank id, from their content. Equal credits of one day are numbered."""
    counts: Counter[str] = Counter()
    for credit in credits:
        if credit.key:
            yield credit
            continue
        text = "\n".join((credit.booked_on.isoformat(), str(credit.amount), credit.currency, credit.payer, credit.text))
        counts[text] += 1
        yield replace(credit, key=hashlib.sha256(f"{text}\n{counts[text]}".encode()).hexdigest())
