"""Identifiers and secrets. Code gets their source as a parameter, so that the same seed gives the same instance."""

from __future__ import annotations

import base64
import random
import secrets
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Protocol


class Ids(Protocol):
    """A source of identifiers (public, sorted by time) and secrets (not guessable)."""

    def new(self, now: datetime) -> str: ...
    def secret(self) -> str: ...


def _uuid7(milliseconds: int, noise: int) -> str:
    """A UUID of version 7 (RFC 9562, 5.7): 48 bits of milliseconds, then 74 bits of noise."""
    high, low = noise >> 62, noise & ((1 << 62) - 1)
    digits = f"{milliseconds << 80 | 0x7 << 76 | (high & 0xFFF) << 64 | 0b10 << 62 | low:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def least_id(moment: datetime) -> str:
    """The smallest possible id of `moment`: ids that are made from then on are greater or equal."""
    return _uuid7(int(moment.timestamp() * 1000) & ((1 << 48) - 1), 0)


class _Sequence:
    """A monotonic sequence: ids made within one millisecond grow too (RFC 9562, 6.2, method 2)."""

    def __init__(self, bits: Callable[[int], int]) -> None:
        self._bits, self._lock = bits, threading.Lock()
        self._milliseconds = self._noise = 0

    def next(self, now: datetime) -> str:
        milliseconds = int(now.timestamp() * 1000) & ((1 << 48) - 1)
        with self._lock:
            if milliseconds == self._milliseconds:
                self._noise += 1 + self._bits(32)
            else:
                self._milliseconds, self._noise = milliseconds, self._bits(73)  # the 74th bit is left for the growth
            return _uuid7(milliseconds, self._noise)


class RandomIds:
    """Uses the operating system's random numbers."""

    def __init__(self) -> None:
        self._sequence = _Sequence(secrets.randbits)

    def new(self, now: datetime) -> str:
        return self._sequence.next(now)

    def secret(self) -> str:
        """256 bits, as 43 characters that fit into a URL or a cookie."""
        return secrets.token_urlsafe(32)


class SeededIds:
    """For the demo region, tests and simulations: the same seed, the same ids. Never for a real instance."""

    def __init__(self, seed: int | str) -> None:
        self._random, self._lock = random.Random(seed), threading.Lock()  # noqa: S311 - not for secrets that matter
        self._sequence = _Sequence(self._random.getrandbits)

    def new(self, now: datetime) -> str:
        return self._sequence.next(now)

    def secret(self) -> str:
        with self._lock:
            return base64.urlsafe_b64encode(self._random.randbytes(32)).decode().rstrip("=")


# Values that must not be visible in logs, errors and exports.


class Secret(str):
    """A string whose `str` and `repr` are ``***``; ``reveal()`` returns the value, for the one place that needs it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(***)" if str.__len__(self) else "Secret()"

    def __str__(self) -> str:
        return "***" if str.__len__(self) else ""

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def reveal(self) -> str:
        """The value. Do not log or return it."""
        return str.__str__(self)
