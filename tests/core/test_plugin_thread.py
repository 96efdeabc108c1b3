"""What is run beside a page has a time limit, the page's context, and threads that are used again."""

from __future__ import annotations

import threading
from contextvars import ContextVar

from commensal.parts.pages.plugin_thread import WORKING, run_beside

from .processes import wait_until

ASKED_BY = ContextVar("asked_by", default="")


def test_threads_that_are_done_are_used_again_and_those_that_hang_are_left() -> None:
    threads: list[threading.Thread] = []
    may_end = threading.Event()

    def hang() -> None:
        threads.append(threading.current_thread())
        may_end.wait(30)

    for _ in range(3):
        run_beside(lambda: threads.append(threading.current_thread()), 30)
    run_beside(hang, 0)
    wait_until(lambda: len(threads) == 4, "the one that hangs has begun")
    run_beside(lambda: threads.append(threading.current_thread()), 30)
    *done, hanging, last = threads
    assert len(set(done)) < 3
    assert last is not hanging
    assert hanging.name == WORKING
    may_end.set()
    wait_until(lambda: hanging.name != WORKING, "it is idle again")


def test_it_has_the_context_of_the_page_and_changes_nothing_in_it() -> None:
    seen: list[str] = []

    def ask() -> None:
        seen.append(ASKED_BY.get())
        ASKED_BY.set("the plugin")

    for name in ("one page", "another page"):
        ASKED_BY.set(name)
        run_beside(ask, 30)
    assert seen == ["one page", "another page"]
    assert ASKED_BY.get() == "another page"
