"""Who shares what there is one of, or few: threads of requests, and the turn to write. Each gets turns of their own."""

from __future__ import annotations

import threading
from collections import deque
from contextvars import ContextVar

# A person by their session or token, else a network; "" for the worker and commands.
who_acts: ContextVar[str] = ContextVar("who_acts", default="")


class FairLock:
    """A lock with a line for each who waits: whoever asks once waits for one turn of each other, and not for all that
    somebody else has asked for. Not re-entrant; any thread may release it."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._is_held = False
        self._lines: dict[str, deque[threading.Lock]] = {}  # whose turn is next stands first

    def acquire(self, timeout: float) -> bool:
        """Waits up to `timeout` seconds; returns whether it is held now."""
        who, turn = who_acts.get(), threading.Lock()
        with self._mutex:
            if not self._is_held:
                self._is_held = True
                return True
            turn.acquire()
            self._lines.setdefault(who, deque()).append(turn)
        if turn.acquire(timeout=timeout):
            return True
        with self._mutex:
            line = self._lines.get(who, deque())
            if turn not in line:
                return True  # it came at the last moment
            line.remove(turn)
            if not line:
                del self._lines[who]
            return False

    def release(self) -> None:
        """Gives the turn to the first of the next line."""
        with self._mutex:
            who = next(iter(self._lines), None)
            if who is None:
                self._is_held = False
                return
            line = self._lines.pop(who)
            line.popleft().release()
            if line:
                self._lines[who] = line  # behind all others
