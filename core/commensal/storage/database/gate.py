"""Serialises the writers of SQLite, fairly.

SQLite itself waits by unfair polling: with 16 writers its p99 is above one second. Here threads queue on a lock, in
turns of those who act, and processes on an flock, which the kernel releases even after kill -9.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ...base.errors import Busy
from ...base.shares import FairLock

_POLL = 0.002  # seconds between two tries to get a lock that another process holds


class Turn:
    """A writer's turn. Any thread may end it; only the first call of `end` has an effect."""

    def __init__(self, let_go: Callable[[], None]) -> None:
        self._let_go, self._ended = let_go, threading.Lock()

    def end(self) -> None:
        if self._ended.acquire(blocking=False):
            self._let_go()


class WriteGate:
    """A lock between threads and processes. Not re-entrant: a write inside a write is a bug, and raises `Busy`."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, FairLock()
        self._descriptor, self._process = -1, -1

    @contextmanager
    def __call__(self, timeout: float = 10.0) -> Iterator[Turn]:
        """Waits up to `timeout` seconds for a turn; raises `Busy` after that."""
        deadline = time.monotonic() + timeout
        if not self._lock.acquire(timeout=timeout):
            raise Busy("another writer has held the database for too long")
        try:
            if self._process != os.getpid():  # a lock's descriptor must not be shared over a fork
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                self._process = os.getpid()
            self._wait(deadline)
        except BaseException:
            self._lock.release()
            raise
        turn = Turn(self._let_go)
        try:
            yield turn
        finally:
            turn.end()

    def _wait(self, deadline: float) -> None:
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise Busy("another process has held the database for too long") from None
                time.sleep(_POLL)
            else:
                return

    def _let_go(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        finally:
            self._lock.release()

    def close(self) -> None:
        if self._process == os.getpid():
            os.close(self._descriptor)
            self._process = -1


class ThreadGate:
    """A lock between threads, for a database in memory: readers and writers share its one connection."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @contextmanager
    def __call__(self, timeout: float = 10.0) -> Iterator[Turn]:
        if not self._lock.acquire(timeout=timeout):
            raise Busy("another thread has held the database for too long")
        turn = Turn(self._lock.release)
        try:
            yield turn
        finally:
            turn.end()

    def close(self) -> None:
        pass


class OpenGate:
    """No lock: PostgreSQL has its own, and readers of SQLite need none."""

    @contextmanager
    def __call__(self, timeout: float = 10.0) -> Iterator[Turn]:
        yield Turn(lambda: None)

    def close(self) -> None:
        pass
