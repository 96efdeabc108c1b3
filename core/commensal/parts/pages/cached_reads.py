"""Keeps what was read from the database while nothing in it changes, and for a second at most.

A page for members has a basket and a name of its own, but the goods of a sale are the same for all members of a
category, and reading them is most of the work. As long as nothing at all was committed since, neither an order nor a
price nor a setting, they need not be read again. The second is for what depends on the clock, such as lent stock that
returns at a given time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, TypeVar

from ...base.clock import Clock
from ...storage.database import Mark, Store

Value = TypeVar("Value")

_LASTS = timedelta(seconds=1)
_MOST = 32  # values; the offers of a page of 300 take about half a megabyte


@dataclass(frozen=True)
class _Kept:
    value: Any
    mark: Mark
    read_at: datetime


class CachedReads:
    """The values of one process."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock, self._lock = store, clock, Lock()
        self._kept = OrderedDict[Hashable, _Kept]()

    def of_this_moment(self) -> UnchangedReads:
        return UnchangedReads(self, self._store.state_mark(), self._clock.now())

    def find(self, key: Hashable, mark: Mark, now: datetime) -> _Kept | None:
        with self._lock:
            stored = self._kept.get(key)
        is_current = stored is not None and stored.mark == mark and timedelta(0) <= now - stored.read_at < _LASTS
        return stored if is_current else None

    def keep(self, key: Hashable, value: object, mark: Mark, now: datetime) -> None:
        with self._lock:
            self._kept[key] = _Kept(value, mark, now)
            self._kept.move_to_end(key)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)


@dataclass(frozen=True)
class UnchangedReads:
    """What may be kept for one request. Create it before the transaction that reads: what is read after a mark is as
    new as the mark, or newer, and a newer commit has another mark."""

    _reads: CachedReads
    _mark: Mark | None
    _now: datetime

    def get(self, key: Hashable, read: Callable[[], Value]) -> Value:
        """What `read` returned last for this key if nothing was committed since, or else what it returns now. The value
        must be immutable, and depend on the key, the database and the clock alone."""
        if self._mark is None:
            return read()
        stored = self._reads.find(key, self._mark, self._now)
        if stored is not None:
            value: Value = stored.value
            return value
        value = read()
        self._reads.keep(key, value, self._mark, self._now)
        return value
