"""Codes of vouchers are guessed no faster than passwords: each address may be wrong so often a minute."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ...base.errors import Invalid
from .rates import Rates

_KIND = "logins"


@contextmanager
def slowed_down(rates: Rates, address: str, codes: Sequence[str]) -> Iterator[None]:
    """Around what is asked with `codes`. It is counted first, and a code that nobody knows stays counted, as a wrong
    password does.

    Who has been wrong too often gets no answer, not even to a right code. Raises `TooMany`.
    """
    if not codes:
        yield
        return
    rates.count(_KIND, address)
    unknown = False
    try:
        yield
    except Invalid as error:
        unknown = any(one.code == "code_unknown" for one in error.problems)
        raise
    finally:
        if not unknown:
            rates.give_back(_KIND, address)
