"""Shares the workers of a process between the kinds of jobs, so that slow jobs never delay e-mails, nor e-mails a slow
mail server the other jobs."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from functools import cache

from sqlalchemy import ColumnElement, false

from .registry import Job
from .tables import job

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
