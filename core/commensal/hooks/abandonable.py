"""Runs jobs of plugins in threads that can be left behind, so that one that hangs for ever occupies no worker."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from contextvars import copy_context
from typing import Any

from ..base.errors import PluginError
from .breaker import FailureLog, PluginPlace
from .time_limits import LATE
from .watchdog import on_taken_away

MAX_LEFT_BEHIND = 2  # threads that still hang at one place; while there are so many, no further one begins there


class _Call:
    """A call in a thread of its own. Whoever sets its result first decides."""

    def __init__(self, place: PluginPlace, function: Callable[[], object]) -> None:
        self.place, self.function = place, function
        self.result: Future[object] = Future()
        self.is_left_behind = self.has_ended = False


class AbandonableCalls:
    """Calls code of plugins, and counts the threads that were left behind and have not ended yet."""

    def __init__(self, failure_log: FailureLog) -> None:
        self._failure_log = failure_log
        self._lock = threading.Lock()
        self._left_behind = Counter[PluginPlace]()

    def call(self, place: PluginPlace, function: Callable[[], object], seconds: float) -> Any:
        """Returns or raises what `function` does, which runs in a copy of this context.

        Raises `PluginError` after `seconds`, or as soon as its transaction is taken away from it, and leaves it behind;
        also if too many earlier calls still hang.
        """
        with self._lock:
            if self._left_behind[place] >= MAX_LEFT_BEHIND:
                raise PluginError(*place, "earlier calls still hang")
        call = _Call(place, function)
        context = copy_context()
        threading.Thread(target=context.run, args=(self._run, call), daemon=True, name=place.plugin).start()
        try:
            return call.result.result(seconds)
        except TimeoutError:
            if call.result.done():  # the function has raised it
                raise
            self._leave_behind(call)
            self._failure_log.note(place, LATE, late=True)
            raise PluginError(*place, LATE) from None

    def _run(self, call: _Call) -> None:
        def abandon(error: PluginError) -> None:  # called by the watchdog, which has noted the failure
            self._leave_behind(call)
            with suppress(InvalidStateError):
                call.result.set_exception(error)

        on_taken_away.set(abandon)
        try:
            value = call.function()
        except BaseException as error:
            with suppress(InvalidStateError):
                call.result.set_exception(error)
        else:
            with suppress(InvalidStateError):
                call.result.set_result(value)
        finally:
            with self._lock:
                call.has_ended = True
                self._left_behind[call.place] -= call.is_left_behind

    def _leave_behind(self, call: _Call) -> None:
        with self._lock:
            if not call.has_ended and not call.is_left_behind:
                call.is_left_behind = True
                self._left_behind[call.place] += 1
