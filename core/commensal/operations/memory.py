"""What a process that runs for months does so that its memory comes to rest. On glibc, as most servers have it."""

from __future__ import annotations

import ctypes
from contextlib import suppress

_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1  # of malloc.h
_LARGE = 1024 * 1024  # bytes


def bound_memory() -> None:
    """Threads share two heaps, instead of each having one that keeps what it once needed; what is large is given back
    as soon as it is not needed. Call it before threads are started. Elsewhere than on glibc it does nothing."""
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_ARENA_MAX, 2)
        mallopt(_MMAP_THRESHOLD, _LARGE)
        mallopt(_TRIM_THRESHOLD, _LARGE)
