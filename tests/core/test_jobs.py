"""Jobs: promised in a transaction, done after it, retried with growing delay, parked; periodic work once a slot."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from commensal.clock import ManualClock
from commensal.instance import Instance
from commensal.jobs import Job, Periodic, Work, promise
from commensal.jobs.periodic import run_periodic
from commensal.jobs.failed import retry_parked
from commensal.jobs.run import CLAIM, DELAYS, run_due
from commensal.jobs.tables import job, job_slot
from commensal.store import Store, Transaction


def _states(store: Store) -> list[str]:
    with store.read() as tx:
        return [row["state"] for row in tx.all(select(job.c.state).order_by(job.c.id))]


def test_a_promise_is_kept_only_if_its_transaction_commits(instance: Instance) -> None:
    done: list[Any] = []
    work = Work({"note": lambda _, one: done.append(one.payload)})
    with pytest.raises(RuntimeError), instance.store.write() as tx:
        promise(tx, "note", {"n": 1})
        raise RuntimeError
    with instance.store.write() as tx:
        promise(tx, "note", {"n": 2})
    assert run_due(instance, work) == 1
    assert run_due(instance, work) == 0
    assert (done, _states(instance.store)) == ([{"n": 2}], ["done"])


def test_a_job_waits_until_it_is_due(instance: Instance, clock: ManualClock) -> None:
    with instance.store.write() as tx:
        promise(tx, "note", {}, due_at=clock.now() + timedelta(hours=1))
    work = Work({"note": lambda *_: None})
    assert run_due(instance, work) == 0
    clock.advance(hours=1)
    assert run_due(instance, work) == 1


def test_a_failing_job_comes_back_later_each_time_and_is_parked_in_the_end(
    instance: Instance, clock: ManualClock
) -> None:
    def fail(_: Instance, one: Job) -> None:
        raise ValueError(f"try {one.attempts}")

    work = Work({"note": fail})
    with instance.store.write() as tx:
        promised = promise(tx, "note", {})
    for delay in DELAYS:
        assert run_due(instance, work) == 1
        clock.advance(seconds=delay.total_seconds() - 1)
        assert run_due(instance, work) == 0
        clock.advance(seconds=1)
    assert run_due(instance, work) == 1
    clock.advance(days=30)
    assert run_due(instance, work) == 0
    with instance.store.write() as tx:
        assert tx.one(select(job.c.state, job.c.error)) == {"state": "parked", "error": "ValueError: try 6"}
        assert retry_parked(tx, promised).state == "waiting"
    assert run_due(instance, Work({"note": lambda *_: None})) == 1
    assert _states(instance.store) == ["done"]


def test_a_job_of_a_kind_nobody_knows_is_kept(instance: Instance) -> None:
    with instance.store.write() as tx:
        promise(tx, "from_a_plugin_that_left", {})
    run_due(instance, Work({}))
    assert _states(instance.store) == ["waiting"]


def test_a_job_whose_worker_died_is_taken_up_again(instance: Instance, clock: ManualClock) -> None:
    with instance.store.write() as tx:
        promise(tx, "note", {})

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_due(instance, Work({"note": die}))
    done: list[int] = []
    work = Work({"note": lambda _, one: done.append(one.attempts)})
    assert run_due(instance, work) == 0
    clock.advance(seconds=CLAIM.total_seconds() + 1)
    assert run_due(instance, work) == 1
    assert done == [2]


def test_four_workers_share_two_hundred_jobs_and_do_each_once(instance: Instance) -> None:
    done: list[str] = []
    work = Work({"note": lambda _, one: done.append(one.id)})
    with instance.store.write() as tx:
        for _ in range(200):
            promise(tx, "note", {})

    def labour() -> None:
        while run_due(instance, work):
            pass

    workers = [threading.Thread(target=labour) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(done) == len(set(done)) == 200


def test_periodic_work_runs_once_a_slot_however_many_workers_there_are(instance: Instance, clock: ManualClock) -> None:
    runs: list[object] = []
    work = Work({}, (Periodic("sweep", timedelta(minutes=5), lambda tx: runs.append(tx.now)),))
    workers = [threading.Thread(target=run_periodic, args=(instance, work)) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(runs) == 1
    clock.advance(minutes=5)
    assert run_periodic(instance, work) == ["sweep"]
    assert run_periodic(instance, work) == []


def test_periodic_work_that_fails_leaves_its_slot_free_and_does_not_stop_the_others(instance: Instance) -> None:
    def fail(tx: Transaction) -> None:
        tx.execute(insert(job_slot).values(name="half done", slot=tx.now))
        raise ValueError

    ran: list[str] = []
    good = Periodic("good", timedelta(minutes=5), lambda tx: ran.append("good"))
    assert run_periodic(instance, Work({}, (Periodic("bad", timedelta(minutes=5), fail), good))) == ["good"]
    with instance.store.read() as tx:
        assert [row["name"] for row in tx.all(select(job_slot.c.name))] == ["good"]
    mended = Periodic("bad", timedelta(minutes=5), lambda tx: ran.append("bad"))
    assert run_periodic(instance, Work({}, (mended, good))) == ["bad"]
