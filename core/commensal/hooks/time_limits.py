"""Time limits of plugins' code that uses a transaction: at the limit, the transaction is taken away from it.

See `watchdog.py` for why such code is not run in a thread that could be left behind.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager, suppress
from contextvars import copy_context
from functools import partial
from typing import Any

from ..base.errors import PluginError
from ..storage.database.hold import Hold
from .breaker import FailureLog, PluginPlace
from .running import Implementation, call_in_this_thread
from .watchdog import TookTooLong, on_taken_away, watchdog

LATE = "it took too long"


class AlreadyNoted(PluginError):
    """Of a plugin whose failure was noted when its transaction was taken away."""


class TimeBounds:
    """Runs plugins' code under time limits; failures go to `failure_log`."""

    def __init__(self, failure_log: FailureLog) -> None:
        self._failure_log = failure_log

    @contextmanager
    def bound(self, hold: Hold, place: PluginPlace, seconds: float) -> Iterator[None]:
        """Takes the transaction of `hold` away if the block lasts longer than `seconds`; then raises `AlreadyNoted`."""
        context, guilty = copy_context(), place  # the watchdog, in its own thread, acts for this request

        def take_away() -> None:
            nonlocal guilty
            if hold.current_call is not None:  # the block is waiting for another plugin's hook
                guilty = PluginPlace(*hold.current_call)
            context.run(self._take_away, hold, guilty)

        try:
            with watchdog.watch(seconds, take_away):
                yield
        except TookTooLong as error:
            raise AlreadyNoted(*guilty, LATE) from error

    def calls_in_transaction(self, hold: Hold, seconds: float) -> CallsInTransaction:
        """Calls of one hook of several plugins, one after the other, that use the transaction of `hold`."""
        return CallsInTransaction(hold, seconds, self._take_away)

    def call_without_limit(self, place: PluginPlace, seconds: float, call: Callable[[], object]) -> object:
        """Calls a hook at the start of an instance, however long it takes; after `seconds` a failure is noted."""
        answers: list[object] = []
        try:
            with watchdog.watch(seconds, partial(self._failure_log.note, place, LATE)):
                answers.append(call())
        except TookTooLong as error:
            if error.__cause__ is not None:
                raise error.__cause__ from None
        return answers[0]

    def _take_away(self, hold: Hold, place: PluginPlace) -> None:
        try:
            hold.take_away()
        finally:
            self._failure_log.note(place, LATE, late=True)
            answer_request = on_taken_away.get()
            if answer_request is not None:
                answer_request(PluginError(*place, LATE))


class CallsInTransaction:
    """Calls implementations of a hook, each for `seconds` at most; then the transaction is taken away."""

    def __init__(self, hold: Hold, seconds: float, take_away: Callable[[Hold, PluginPlace], None]) -> None:
        self._hold, self._take_away = hold, take_away
        self._place = PluginPlace("", "")
        context = copy_context()  # the watchdog, in its own thread, acts for this request
        self._watched_call = watchdog.watch(seconds, partial(context.run, self._take_away_from_current))

    def call(self, implementation: Implementation, arguments: dict[str, object]) -> object:
        """The answer of the implementation.

        Raises `TookTooLong` if the transaction was taken away, `StoreError` if the hook wrote where it may only read.
        """
        hold, self._place = self._hold, implementation.place
        enclosing, hold.current_call = hold.current_call, implementation.place
        try:
            with self._watched_call:
                value = call_in_this_thread(implementation, arguments, self._place.where)
                hold.refuse_writes()
        finally:
            hold.current_call = enclosing
        if hold.taken:  # from a hook that this one has called, and whose error it has caught
            raise TookTooLong
        return value

    def _take_away_from_current(self) -> None:
        self._take_away(self._hold, self._place)


# Runs jobs of plugins in threads that can be left behind, so that one that hangs for ever occupies no worker.

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
