"""What a bank statement tells."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date


@dataclass(frozen=True, kw_only=True)
class Credit:
    """Money that came in. `amount` is minor units of `currency`; `booked_on` the bank's day.

    key: the bank's name for it, or made from what it says; the same credit has the same key in every statement
    """

    booked_on: date
    amount: int
    currency: str
    payer: str
    text: str
    key: str = ""


def with_keys(credits: Iterable[Credit]) -> Iterator[Credit]:
    """Names those that the bank has not named, after what they say. Twins of one day are told apart by their turn."""
    seen: Counter[str] = Counter()
    for one in credits:
        if one.key:
            yield one
            continue
        said = "\n".join((one.booked_on.isoformat(), str(one.amount), one.currency, one.payer, one.text))
        seen[said] += 1
        yield replace(one, key=hashlib.sha256(f"{said}\n{seen[said]}".encode()).hexdigest())
