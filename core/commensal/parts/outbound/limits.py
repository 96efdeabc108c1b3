"""The limits of a response from outside."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ResponseLimits:
    """seconds: for a whole request, from the DNS look-up to the last byte of the response
    size:      bytes of the response's body, both compressed and decompressed
    headers:   number of the response's header lines
    """

    seconds: float = 15.0
    size: int = 1024 * 1024
    headers: int = 100
