"""Looks again and again at something that no job may wait for within its transaction, such as a server or a disk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from ...base.errors import Busy


@contextmanager
def watching(name: str, every: timedelta, look: Callable[[threading.Event], None]) -> Iterator[None]:
    """Calls `look` at once, and again so long after each call, until the block ends, in a thread of its own for which
    nobody waits. `look` is given the event that the end sets; it may raise `Busy`, which health reports by itself.
    """
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.is_set():
            with suppress(Busy):  # the next time is early enough
                look(is_over)
            is_over.wait(every.total_seconds())

    threading.Thread(target=watch, name=name, daemon=True).start()
    try:
        yield
    finally:
        is_over.set()
