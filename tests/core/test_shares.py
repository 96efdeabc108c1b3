"""Threads and the turn to write are shared: many requests of one leave room for those of another."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from commensal.api import handler, limits
from commensal.base.shares import FairLock, who_acts
from commensal.storage.database import Store


def as_somebody(who: str, act: Callable[[], None]) -> Callable[[], None]:
    context = copy_context()
    context.run(who_acts.set, who)
    return lambda: context.run(act)


def test_who_asks_often_for_a_turn_keeps_nobody_from_theirs() -> None:
    lock, order = FairLock(), list[str]()
    waiting = threading.Semaphore(0)

    def take() -> None:
        waiting.release()
        assert lock.acquire(timeout=60)
        order.append(who_acts.get())
        lock.release()

    assert lock.acquire(timeout=1)
    threads = []
    for who in ("member", "member", "member", "other"):
        threads.append(threading.Thread(target=as_somebody(who, take)))
        threads[-1].start()
        waiting.acquire()
        while sum(map(len, lock._lines.values())) < len(threads):
            pass  # it is about to wait
    lock.release()
    for thread in threads:
        thread.join()
    assert order == ["member", "other", "member", "member"]


def test_who_waits_in_vain_leaves_the_line() -> None:
    lock = FairLock()
    assert lock.acquire(timeout=1)
    assert not lock.acquire(timeout=0.001)
    lock.release()
    assert lock.acquire(timeout=1), "nobody was given the turn who has left"


def test_the_turn_to_write_is_shared(store: Store) -> None:
    """Each of many writers of one, and one of another, on the database itself."""
    order = list[str]()

    def write() -> None:
        with store.write() as tx:
            tx.execute(text("SELECT 1"))
            order.append(who_acts.get())

    with ThreadPoolExecutor(4) as people:
        for each in [people.submit(as_somebody(who, write)) for who in ("a", "a", "a", "b")]:
            each.result()
    assert sorted(order) == ["a", "a", "a", "b"]


def test_many_requests_of_one_leave_threads_for_others(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sends as many at once as there are threads, and none of them comes to its end."""
    begun, held = threading.Semaphore(0), threading.Event()
    actual = handler._answer_read

    def answer(request: Request, *arguments: Any) -> Response:
        if "authorization" in request.headers:
            begun.release()
            held.wait(60)
        return actual(request, *arguments)

    monkeypatch.setattr(handler, "_answer_read", answer)
    with ThreadPoolExecutor(41) as people:
        mine = {"Authorization": "Bearer cml_mine"}
        answers = [people.submit(client.get, "/api/taxonomy/labels", headers=mine) for _ in range(40)]
        try:
            for _ in range(limits.MOST):
                assert begun.acquire(timeout=60)
            other = people.submit(client.get, "/api/taxonomy/labels")
            assert other.result(timeout=60).status_code == 200
        finally:
            held.set()
        assert {each.result().status_code for each in answers} == {401}
