"""Runs what plugins add to a page in a thread beside the page's own, which is left behind if a plugin hangs.

A thread that has done its work waits for more: to start one takes longer than what most plugins do.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread, current_thread
from typing import Any

from ...hooks.watchdog import on_taken_away

WORKING, IDLE = "beside a page", "beside no page"  # names of the threads
_MAX_IDLE = 16  # threads that wait for work
_Work = tuple[Callable[[], Any], Lock]  # the lock is released when the work is done

_idle: list[SimpleQueue[_Work]] = []  # the queues of threads that wait
os.register_at_fork(after_in_child=_idle.clear)


def run_beside(act: Callable[[], None], seconds: float) -> None:
    """Runs `act` in another thread, in a copy of this context, and returns when it is done, or after `seconds`.

    Call it when no transaction is open. A plugin that hangs in `act` does not abandon the page.
    """
    done = Lock()
    done.acquire()
    try:
        queue = _idle.pop()
    except IndexError:
        queue = SimpleQueue()
        Thread(target=_work, args=(queue,), daemon=True).start()
    queue.put((partial(copy_context().run, _run, act), done))
    done.acquire(timeout=seconds)


def _run(act: Callable[[], None]) -> None:
    on_taken_away.set(None)
    act()


def _work(queue: SimpleQueue[_Work]) -> None:
    goes_on, thread = True, current_thread()
    while goes_on:
        thread.name = IDLE
        act, done = queue.get()
        thread.name = WORKING
        try:
            act()
            goes_on = len(_idle) < _MAX_IDLE
            if goes_on:
                _idle.append(queue)
        finally:
            done.release()
        del act, done  # what the page needed is not kept while the thread waits
