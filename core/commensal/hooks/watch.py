"""The watchdog of hooks that run inside a transaction: at a call's deadline, the transaction is taken away from it.

Such a hook runs in the thread that holds the transaction, because handing twenty calls an order to other threads would
cost more than the calls. So it cannot be left behind like others when it hangs; but what it holds can be taken.

One daemon thread watches for the whole process. It is started by the first call, sleeps until the earliest deadline it
knows of, and ends when nothing is watched any more: calls come and go meanwhile without waking it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from types import TracebackType

import structlog

_log = structlog.get_logger("commensal.hooks")


class TookTooLong(Exception):
    """The call has ended, after its transaction was taken away."""


class Watched:
    """One call under way: ``with watchdog.watch(5.0, take_away): …``. Raises `TookTooLong` at its end, if it was late.

    Either the call ends first or its deadline comes first, and one lock decides which.
    """

    __slots__ = ("_dog", "act", "acted", "deadline")

    def __init__(self, dog: Watchdog, deadline: float, act: Callable[[], None]) -> None:
        self._dog, self.deadline, self.act = dog, deadline, act
        self.acted: threading.Event | None = None  # there is one from its deadline on

    def __enter__(self) -> None:
        self._dog.begin(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._dog.end(self):
            raise TookTooLong from error


class Watchdog:
    """All calls that are under way, and the thread that looks after them."""

    def __init__(self) -> None:
        self.start_anew()

    def start_anew(self) -> None:
        """Watches nothing: after a fork, threads and the calls they made are left behind."""
        self._calls: set[Watched] = set()
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None
        self._wakes_at = 0.0

    def watch(self, seconds: float, act: Callable[[], None]) -> Watched:
        """`act` is called by the watchdog's thread if the block lasts longer than `seconds`."""
        return Watched(self, time.monotonic() + seconds, act)

    def begin(self, call: Watched) -> None:
        with self._lock:
            self._calls.add(call)
            if self._thread is None:
                self._wakes_at = call.deadline
                thread = threading.Thread(target=self._run, daemon=True, name="watchdog of hooks")
                thread.start()
                self._thread = thread
            elif call.deadline < self._wakes_at:
                self._changed.notify()

    def end(self, call: Watched) -> bool:
        """Whether the call was late; then what follows from that has been done when this returns."""
        with self._lock:
            self._calls.discard(call)
        if call.acted is None:
            return False
        call.acted.wait()
        return True

    def _run(self) -> None:
        for call in iter(self._next_late, None):
            try:
                call.act()
            except Exception as error:  # the watchdog must go on watching the others
                _log.error("a transaction could not be taken away", exc_info=error)
            finally:
                assert call.acted is not None
                call.acted.set()

    def _next_late(self) -> Watched | None:
        """Waits for a call whose deadline has come; None when there was nothing to watch when it woke."""
        with self._changed:
            while self._calls:
                first = min(self._calls, key=lambda one: one.deadline)
                self._wakes_at = first.deadline
                left = first.deadline - time.monotonic()
                if left <= 0:
                    self._calls.remove(first)
                    first.acted = threading.Event()
                    return first
                self._changed.wait(left)
            self._thread = None
            return None


watchdog = Watchdog()
os.register_at_fork(after_in_child=watchdog.start_anew)
