"""Notes the failures of plugins, and sets aside a plugin that fails again and again.

There is a circuit breaker for each place: each hook, page, endpoint and job of each plugin. Callers of a plugin that
hangs wait for its time limit, so after a few failures in a row the plugin is not called there for a minute; then one
call tries whether it works again. Where all these calls came from one network, only that network is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, Protocol

import structlog

from ..base.clock import Clock
from ..base.errors import PluginError
from ..base.logs import current_caller

REST = timedelta(minutes=1)  # how long a plugin is set aside
HANGS = 3  # in a row, before a plugin is set aside
FAILURES = 30  # in a row; more than hangs, because a call that fails at once costs nobody any time
_HANG, _FAILURE = FAILURES // HANGS, 1  # points
EVERYBODY = ""  # as the party of a streak; as a caller, the instance itself
_MAX_STREAKS = 1_000  # so that no number of callers fills the memory
_LATEST = 100  # failures that stay in memory
Closed = Literal["everybody", "caller", ""]
_TEXTS: dict[Closed, str] = {
    "everybody": "; it is set aside for a minute",
    "caller": "; it is set aside for a minute for the network that requested this",
    "": "",
}
_log = structlog.get_logger("commensal.hooks")


class PluginPlace(NamedTuple):
    """Where code of a plugin runs: `where` is the hook, page, endpoint or job."""

    plugin: str
    where: str


@dataclass(frozen=True)
class Failure:
    """A failure of a plugin, for ``commensal plugins`` and the operator. `at` is UTC; `is_set_aside`: because of it,
    the plugin is not called there for a minute, for nobody."""

    plugin: str
    hook: str
    what: str
    at: datetime
    is_set_aside: bool = False


class Keeper(Protocol):
    """Stores failures outside this process. `keep` is called inside transactions, and must not wait."""

    def keep(self, failure: Failure) -> None: ...

    def flush(self) -> None: ...


class _Streak:
    """Failures in a row. `callers` have seen them; until `until` no calls are made, None: they are."""

    def __init__(self) -> None:
        self.points = 0
        self.callers: set[str] = set()
        self.until: datetime | None = None


class CircuitBreaker:
    """Counts failures in this process, as points, until a call succeeds: at each place for everybody, and for each
    caller there.

    A place where the calls of one caller fail again and again is closed to that caller alone, because its requests may
    be the reason: what is large takes long. It is closed to everybody once others see it fail too, or the instance
    itself does, in a job.
    """

    def __init__(self) -> None:
        self.streaks: dict[tuple[PluginPlace, str], _Streak] = {}  # empty if no plugin has failed since it succeeded

    def until(self, place: PluginPlace, now: datetime, caller: str) -> datetime | None:
        """Until when the plugin must not be called at `place` for this caller; None: it may be called."""
        closed = [streak for streak in self._streaks_of(place, caller) if streak.until is not None]
        waits = [streak.until for streak in closed if streak.until is not None and streak.until > now]
        if not waits:
            for streak in closed:
                streak.until = now + REST  # this call is the trial; others wait for its result
        return max(waits, default=None)

    def note_failure(self, place: PluginPlace, now: datetime, caller: str, *, late: bool) -> Closed:
        """Counts a failure, and returns to whom the place is closed now."""
        everybody = self._count(place, EVERYBODY, caller, late)
        if everybody.points >= FAILURES and (caller == EVERYBODY or len(everybody.callers) > 1):
            everybody.until = now + REST
            return "everybody"
        own = everybody if caller == EVERYBODY else self._count(place, caller, caller, late)
        if own.points >= FAILURES:
            own.until = now + REST
            return "caller"
        return ""

    def _count(self, place: PluginPlace, party: str, caller: str, late: bool) -> _Streak:
        streak = self.streaks.setdefault((place, party), _Streak())
        streak.points += _HANG if late else _FAILURE
        streak.callers.add(caller)
        for forgotten in list(self.streaks)[:-_MAX_STREAKS]:
            self.streaks.pop(forgotten, None)
        return streak

    def points(self, place: PluginPlace) -> int:
        streak = self.streaks.get((place, EVERYBODY))
        return streak.points if streak else 0

    def note_success(self, place: PluginPlace, caller: str) -> None:
        for party in (EVERYBODY, caller):
            self.streaks.pop((place, party), None)

    def _streaks_of(self, place: PluginPlace, caller: str) -> list[_Streak]:
        parties = dict.fromkeys((EVERYBODY, caller))
        return [streak for party in parties if (streak := self.streaks.get((place, party))) is not None]


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
        closed = self.breaker.note_failure(place, now, current_caller(), late=late) if counts else ""
        failure = Failure(*place, what + _TEXTS[closed], now, closed == "everybody")
        self.failures = [*self.failures[1 - _LATEST :], failure]
        _log.warning("plugin failed", plugin=place.plugin, hook=place.where, what=failure.what, exc_info=error)
        if self.keeper is not None:
            self.keeper.keep(failure)

    def note_success(self, place: PluginPlace) -> None:
        if self.breaker.streaks:
            self.breaker.note_success(place, current_caller())

    def refuse_set_aside(self, place: PluginPlace) -> None:
        """Raises `PluginError` while the plugin is set aside at `place`, for everybody or for the present caller."""
        if not self.breaker.streaks:
            return
        until = self.breaker.until(place, self._clock.now(), current_caller())
        if until is not None:
            text = f"it is set aside until {until:%H:%M:%S} UTC, because it failed again and again"
            raise PluginError(*place, text)
