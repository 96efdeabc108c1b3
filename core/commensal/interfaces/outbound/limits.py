"""How much an answer from outside may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """seconds: for all of a request, from the look-up of the name to the last byte of the answer
    size:      bytes of an answer's body, as it is sent and after it was unpacked
    headers:   lines of an answer's head
    """

    seconds: float = 15.0
    size: int = 1024 * 1024
    headers: int = 100
