"""Runs actions once the write transaction that is open has committed: what announces a change must not undo it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Action = Callable[[], object]
_waiting: ContextVar[list[Action] | None] = ContextVar("waiting", default=None)  # None: no write transaction is open


def after_commit(action: Action) -> None:
    """Runs `action` when the write transaction that this thread has open commits, or at once if none is open.

    A rollback drops it. An error of the action is raised by the block of the transaction, whose changes remain.
    """
    waiting = _waiting.get()
    if waiting is None:
        action()
    else:
        waiting.append(action)


@contextmanager
def holding_actions() -> Iterator[list[Action]]:
    """In the block, `after_commit` collects actions in this list instead of running them."""
    actions: list[Action] = []
    token = _waiting.set(actions)
    try:
        yield actions
    finally:
        _waiting.reset(token)
