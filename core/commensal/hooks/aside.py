"""Notes the failures of plugins, and sets aside a plugin that fails again and again.

There is a circuit breaker for each place: each hook, page, endpoint and job of each plugin. Callers of a plugin that
hangs wait for its time limit, so after a few failures in a row the plugin is not called there for a minute; then one
call tries whether it works again.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

import structlog

from ..base.clock import Clock
from ..base.errors import PluginError

REST = timedelta(minutes=1)  # how long a plugin is set aside
HANGS = 3  # in a row, before a plugin is set aside
FAILURES = 30  # in a row; more than hangs, because a call that fails at once costs nobody any time
_HANG, _FAILURE = FAILURES // HANGS, 1  # points
_LATEST = 100  # failures that stay in memory
_log = structlog.get_logger("commensal.hooks")


class PluginPlace(NamedTuple):
    """Where code of a plugin runs: `where` is the hook, page, endpoint or job."""

    plugin: str
    where: str


@dataclass(frozen=True)
class Failure:
    """A failure of a plugin, for ``commensal plugins`` and the operator. `at` is UTC; `is_set_aside`: because of it,
    the plugin is not called there for a minute."""

    plugin: str
    hook: str
    what: str
    at: datetime
    is_set_aside: bool = False


class Keeper(Protocol):
    """Stores failures outside this process. `keep` is called inside transactions, and must not wait."""

    def keep(self, failure: Failure) -> None: ...

    def flush(self) -> None: ...


class CircuitBreaker:
    """Counts failures in this process, as points of each place, until a call succeeds there."""

    def __init__(self) -> None:
        self._points: defaultdict[PluginPlace, int] = defaultdict(int)
        self._until: dict[PluginPlace, datetime] = {}

    @property
    def is_idle(self) -> bool:
        """Whether no plugin is set aside anywhere."""
        return not self._until

    def until(self, place: PluginPlace, now: datetime) -> datetime | None:
        """Until when the plugin must not be called at `place`; None: it may be called."""
        until = self._until.get(place)
        if until is None or until > now:
            return until
        self._until[place] = now + REST  # this call is the trial; others wait for its result
        return None

    def note_failure(self, place: PluginPlace, now: datetime, *, late: bool) -> bool:
        """Counts a failure, and returns whether the plugin is set aside now."""
        self._points[place] += _HANG if late else _FAILURE
        if self._points[place] < FAILURES:
            return False
        self._until[place] = now + REST
        return True

    def points(self, place: PluginPlace) -> int:
        return self._points.get(place, 0) if self._points else 0

    def note_success(self, place: PluginPlace) -> None:
        if self._points and self._points.pop(place, None) is not None:
            self._until.pop(place, None)


class FailureLog:
    """The latest failures of plugins in this process, and the circuit breaker that follows from them.

    `keeper` gets every failure too, if there is one.
    """

    def __init__(self, clock: Clock) -> None:
        self.failures: list[Failure] = []
        self.keeper: Keeper | None = None
        self.breaker = CircuitBreaker()
        self._clock = clock

    def note(
        self,
        place: PluginPlace,
        what: str,
        error: BaseException | None = None,
        *,
        late: bool = False,
        counts: bool = True,
    ) -> None:
        """Notes a failure. `counts`: it may set the plugin aside; False for what a visitor can provoke by a request."""
        now = self._clock.now()
        is_set_aside = counts and self.breaker.note_failure(place, now, late=late)
        text = f"{what}; it is set aside for a minute" if is_set_aside else what
        failure = Failure(*place, text, now, is_set_aside)
        self.failures = [*self.failures[1 - _LATEST :], failure]
        _log.warning("plugin failed", plugin=place.plugin, hook=place.where, what=failure.what, exc_info=error)
        if self.keeper is not None:
            self.keeper.keep(failure)

    def refuse_set_aside(self, place: PluginPlace) -> None:
        """Raises `PluginError` while the plugin is set aside at `place`."""
        if self.breaker.is_idle:
            return
        until = self.breaker.until(place, self._clock.now())
        if until is not None:
            text = f"it is set aside until {until:%H:%M:%S} UTC, because it failed again and again"
            raise PluginError(*place, text)
