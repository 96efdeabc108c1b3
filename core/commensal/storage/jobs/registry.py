"""The handlers of jobs and the periodic work of an instance, collected once at its start."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, false

from ..database import Transaction
from .tables import job

if TYPE_CHECKING:
    from ...instance import Instance


@dataclass(frozen=True)
class Job:
    """A job as its handler gets it. A handler may get the same job twice, and must act once, by its id."""

    id: str
    kind: str
    payload: Mapping[str, Any]
    attempts: int


@dataclass(frozen=True)
class Periodic:
    """Work that runs once in each slot of `every`, in one transaction, however many workers there are.

    `act` gets the transaction. `irreversible` work deletes or ends what no later run can restore. It waits while the
    clock is in doubt: see `jobs.clock`.
    """

    name: str
    every: timedelta
    act: Callable[[Transaction], object]
    irreversible: bool = False


Handler = Callable[["Instance", Job], None]


@dataclass(frozen=True)
class Work:
    """Handlers by the kind of job, each called with the `Instance` and the `Job`, and periodic work.

    `irreversible`: the kinds of jobs that delete or end what no later run can restore. They stay due while the clock is
    in doubt: see `jobs.clock`. A job that does so among other things asks `clock_in_doubt` itself.
    """

    handlers: Mapping[str, Handler]
    periodic: tuple[Periodic, ...] = ()
    irreversible: frozenset[str] = frozenset()


class PermanentFailure(Exception):
    """Raised by a handler if another try cannot succeed: the job is parked at once. The text is for the operator."""


# Shares the workers of a process between the kinds of jobs, so that slow jobs never delay e-mails, nor e-mails a slow
# mail server the other jobs.

MAIL = "mail"
# Of the four workers in `ticking`; the last one is left for the others.
MOST_OF_MAIL = 3
MOST_BESIDE_MAIL = 3
MOST_OF_KIND = 2  # of any other kind
# Conditions are made once: a query is compiled once for each.
_NONE, _MAIL_ALONE = false(), job.c.kind == MAIL


@cache
def _all_but(kinds: tuple[str, ...]) -> ColumnElement[bool]:
    return job.c.kind.not_in(kinds)


class Slots:
    """Counts the running jobs of this process by kind."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = Counter[str]()

    def take(self, claim: Callable[[ColumnElement[bool] | None], Job | None]) -> Job | None:
        """The job that `claim` returns for a condition on the table of jobs (None: all kinds); None if there is none.
        Give its slot back with `release`."""
        with self._lock:
            claimed = claim(self._condition())
            if claimed is not None:
                self._running[claimed.kind] += 1
            return claimed

    def release(self, kind: str) -> None:
        with self._lock:
            self._running[kind] -= 1

    def _condition(self) -> ColumnElement[bool] | None:
        is_mail_full = self._running[MAIL] >= MOST_OF_MAIL
        if self._running.total() - self._running[MAIL] >= MOST_BESIDE_MAIL:
            return _NONE if is_mail_full else _MAIL_ALONE
        full = [kind for kind, count in self._running.items() if kind != MAIL and count >= MOST_OF_KIND]
        full += [MAIL] if is_mail_full else []
        return _all_but(tuple(sorted(full))) if full else None
