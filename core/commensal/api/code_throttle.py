"""Limits how fast voucher codes can be guessed: each address and each account may try as many wrong ones a minute as
passwords, however many a request carries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from ..base.errors import Invalid
from ..people.actor import Actor
from .rates import Rates

_KIND = "logins"


@contextmanager
def throttle_codes(rates: Rates, actor: Actor, codes: Sequence[str]) -> Iterator[None]:
    """Counts the `codes` of a request before the block runs. Only unknown codes stay counted, like wrong passwords.

    Raises `TooMany` for an address or an account that has tried too many unknown codes, even if these are valid.
    """
    with ExitStack() as counted:
        for guesser in (actor.address, f"codes of {actor.person_id}" if actor.person_id else ""):
            if guesser:
                counted.enter_context(_counted(rates, guesser, len(codes)))
        yield


@contextmanager
def _counted(rates: Rates, guesser: str, tried: int) -> Iterator[None]:
    if not tried:
        yield
        return
    rates.count(_KIND, guesser, tried)
    unknown = 0
    try:
        yield
    except Invalid as error:
        unknown = sum(problem.code == "code_unknown" for problem in error.problems)
        raise
    finally:
        rates.give_back(_KIND, guesser, tried - unknown)
