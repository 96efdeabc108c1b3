"""Limits how fast voucher codes can be guessed: each address may send as many wrong ones a minute as passwords."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ...base.errors import Invalid
from .rates import Rates

_KIND = "logins"


@contextmanager
def throttle_codes(rates: Rates, address: str, codes: Sequence[str]) -> Iterator[None]:
    """Counts a request that carries `codes`, before the block runs. Only an unknown code stays counted, like a wrong
    password.

    Raises `TooMany` for an address that has sent too many unknown codes, even if this one is valid.
    """
    if not codes:
        yield
        return
    rates.count(_KIND, address)
    unknown = False
    try:
        yield
    except Invalid as error:
        unknown = any(problem.code == "code_unknown" for problem in error.problems)
        raise
    finally:
        if not unknown:
            rates.give_back(_KIND, address)
