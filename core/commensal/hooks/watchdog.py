"""The watchdog of hooks that run inside a transaction: it takes the transaction away when a call's deadline passes.

Such a hook runs in the thread that holds the transaction, because to hand an order's twenty calls to other threads
would cost more than the calls. So a hook that hangs cannot be left behind with its thread, but its transaction can be
taken away.

One daemon thread watches for the whole process. It is started by the first call, sleeps until the earliest deadline,
and ends when nothing is watched any more; calls that end in time do not wake it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from types import TracebackType

import structlog

from ..base.errors import PluginError

_log = structlog.get_logger("commensal.hooks")

# Called in the watchdog's thread after it has taken a transaction away from a plugin: it answers the request whose
# thread still hangs in the plugin.
on_taken_away: ContextVar[Callable[[PluginError], None] | None] = ContextVar("on_taken_away", default=None)


class TookTooLong(Exception):
    """The call has ended after its deadline."""


class WatchedCall:
    """A call that is watched while it runs: ``with watchdog.watch(5.0, take_away): …``. Raises `TookTooLong` at its end
    if it was late. One that ended in time may be entered again, for the next call; each has all the seconds.

    One lock decides whether the call or its deadline came first.
    """

    __slots__ = ("_seconds", "_watchdog", "deadline", "handled", "on_late")

    def __init__(self, watchdog: Watchdog, seconds: float, on_late: Callable[[], None]) -> None:
        self._watchdog, self._seconds, self.on_late, self.deadline = watchdog, seconds, on_late, 0.0
        self.handled: threading.Event | None = None  # set when `on_late` has returned; None until the deadline

    def __enter__(self) -> None:  # an order makes a dozen calls of hooks, so this spares calls of its own
        watchdog = self._watchdog
        self.deadline = time.monotonic() + self._seconds
        with watchdog.lock:
            watchdog.calls.add(self)
            if watchdog.thread is None or self.deadline < watchdog.wakes_at:
                watchdog.wake_for(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._watchdog.lock:
            self._watchdog.calls.discard(self)
        if self.handled is not None:
            self.handled.wait()  # until `on_late` has returned
            raise TookTooLong from error


class Watchdog:
    """All running calls, and the thread that watches them, which wakes at `wakes_at` (of the monotonic clock). Whoever
    reads or changes one of these holds `lock`."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forgets all calls: after a fork, the child has neither the threads nor their calls."""
        self.calls: set[WatchedCall] = set()
        self.lock = threading.Lock()
        self._changed = threading.Condition(self.lock)
        self.thread: threading.Thread | None = None
        self.wakes_at = 0.0

    def watch(self, seconds: float, on_late: Callable[[], None]) -> WatchedCall:
        """A context; the watchdog's thread calls `on_late` if its block lasts longer than `seconds`."""
        return WatchedCall(self, seconds, on_late)

    def wake_for(self, call: WatchedCall) -> None:
        """Starts the thread, or wakes it because this call's deadline comes before all others."""
        if self.thread is not None:
            self._changed.notify()
            return
        self.wakes_at = call.deadline
        thread = threading.Thread(target=self._run, daemon=True, name="watchdog of hooks")
        thread.start()
        self.thread = thread

    def _run(self) -> None:
        for call in iter(self._next_late, None):
            try:
                call.on_late()
            except Exception as error:  # the watchdog must go on watching the others
                _log.error("a transaction could not be taken away", exc_info=error)
            finally:
                assert call.handled is not None
                call.handled.set()

    def _next_late(self) -> WatchedCall | None:
        """Waits for a call whose deadline has passed; None if nothing is watched any more."""
        with self._changed:
            while self.calls:
                first = min(self.calls, key=lambda call: call.deadline)
                self.wakes_at = first.deadline
                remaining = first.deadline - time.monotonic()
                if remaining <= 0:
                    self.calls.remove(first)
                    first.handled = threading.Event()
                    return first
                self._changed.wait(remaining)
            self.thread = None
            return None


watchdog = Watchdog()
os.register_at_fork(after_in_child=watchdog.reset)
