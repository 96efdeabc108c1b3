"""Jobs: promised in a transaction, done after it, retried with growing delay, parked; periodic work once a slot."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, select
from starlette.testclient import TestClient

import commensal
from commensal.base.clock import ManualClock
from commensal.base.deprecated import RemovedIn1Warning
from commensal.base.entry_points import plugin_entry_points
from commensal.enterprises.tokens import make_token
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.parts.monitoring.health import Watcher
from commensal.parts.serving.work import work_of
from commensal.parts.setup.begin import USUAL
from commensal.people.actor import OPERATOR, SELF
from commensal.people.people import Person
from commensal.storage.database import Store, Transaction
from commensal.storage.jobs import Job, NewJob, Periodic, Work, enqueue, enqueue_all
from commensal.storage.jobs import periodic as ticking
from commensal.storage.jobs.clock import EVERY_MINUTE, trust_clock
from commensal.storage.jobs.failed import forget_finished, retry_failed
from commensal.storage.jobs.periodic import run_periodic
from commensal.storage.jobs.run import CLAIM, DELAYS, run_due
from commensal.storage.jobs.tables import job, job_slot

Somebody = Callable[..., Person]


def _states(store: Store) -> list[str]:
    with store.read() as tx:
        return [row["state"] for row in tx.all(select(job.c.state).order_by(job.c.id))]


def test_a_promise_is_kept_only_if_its_transaction_commits(instance: Instance) -> None:
    payloads: list[Any] = []
    work = Work({"note": lambda _, job: payloads.append(job.payload)})
    with pytest.raises(RuntimeError), instance.store.write() as tx:
        enqueue(tx, "note", {"n": 1})
        raise RuntimeError
    with instance.store.write() as tx:
        enqueue(tx, "note", {"n": 2})
    assert run_due(instance, work)
    assert not run_due(instance, work)
    assert (payloads, _states(instance.store)) == ([{"n": 2}], ["done"])


def test_a_job_waits_until_it_is_due(instance: Instance, clock: ManualClock) -> None:
    with instance.store.write() as tx:
        enqueue(tx, "note", {}, due_at=clock.now() + timedelta(hours=1))
    work = Work({"note": lambda *_: None})
    assert not run_due(instance, work)
    clock.advance(hours=1)
    assert run_due(instance, work)


def test_a_failing_job_comes_back_later_each_time_and_is_parked_in_the_end(
    instance: Instance, clock: ManualClock
) -> None:
    def fail(_: Instance, job: Job) -> None:
        raise ValueError(f"try {job.attempts}")

    work = Work({"note": fail})
    with instance.store.write() as tx:
        job_id = enqueue(tx, "note", {})
    assert run_due(instance, work)
    assert not run_due(instance, work)
    with instance.store.write() as tx:  # what was wrong is mended, and nobody waits for the next try
        assert retry_failed(tx, job_id).attempts == 0
    for delay in DELAYS:
        assert run_due(instance, work)
        clock.advance(seconds=delay.total_seconds() - 1)
        assert not run_due(instance, work)
        clock.advance(seconds=1)
    assert run_due(instance, work)
    clock.advance(days=30)
    assert not run_due(instance, work)
    with instance.store.write() as tx:
        assert tx.one(select(job.c.state, job.c.error)) == {"state": "parked", "error": "ValueError: try 6"}
        assert retry_failed(tx, job_id).state == "waiting"
    assert run_due(instance, Work({"note": lambda *_: None}))
    assert _states(instance.store) == ["done"]


def test_a_job_of_a_kind_nobody_knows_is_kept(instance: Instance) -> None:
    with instance.store.write() as tx:
        enqueue(tx, "from_a_plugin_that_left", {})
    run_due(instance, Work({}))
    assert _states(instance.store) == ["waiting"]


def test_a_job_whose_worker_died_is_taken_up_again(instance: Instance, clock: ManualClock) -> None:
    with instance.store.write() as tx:
        enqueue(tx, "note", {})

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_due(instance, Work({"note": die}))
    attempts: list[int] = []
    work = Work({"note": lambda _, job: attempts.append(job.attempts)})
    assert not run_due(instance, work)
    clock.advance(seconds=CLAIM.total_seconds() + 1)
    assert run_due(instance, work)
    assert attempts == [2]


def test_four_workers_share_two_hundred_jobs_and_do_each_once(instance: Instance) -> None:
    job_ids: list[str] = []
    work = Work({"note": lambda _, job: job_ids.append(job.id)})
    with instance.store.write() as tx:
        for _ in range(200):
            enqueue(tx, "note", {})

    def run_all() -> None:
        while run_due(instance, work):
            pass

    workers = [threading.Thread(target=run_all) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(job_ids) == len(set(job_ids)) == 200


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

    runs: list[str] = []
    good = Periodic("good", timedelta(minutes=5), lambda tx: runs.append("good"))
    assert run_periodic(instance, Work({}, (Periodic("bad", timedelta(minutes=5), fail), good))) == ["good"]
    with instance.store.read() as tx:
        assert [row["name"] for row in tx.all(select(job_slot.c.name))] == ["good"]
    mended = Periodic("bad", timedelta(minutes=5), lambda tx: runs.append("bad"))
    assert run_periodic(instance, Work({}, (mended, good))) == ["bad"]


def test_work_promised_by_this_process_is_begun_at_once_and_not_at_the_next_tick(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticking, "SECONDS", 3600)
    names: list[str] = []
    first, second, late = threading.Event(), threading.Event(), threading.Event()
    events = {"first": first, "second": second, "late": late}

    def note(_: Instance, job: Job) -> None:
        names.append(job.payload["name"])
        events[job.payload["name"]].set()

    with ticking.ticking(instance, Work({"note": note})):
        for name in ("first", "second"):  # also after the ticking was woken before
            with instance.store.write() as tx:
                enqueue(tx, "note", {"name": name})
                assert not names or names == ["first"], "nothing is begun before the commit"
            assert events[name].wait(30)
        with instance.store.write() as tx:
            enqueue(tx, "note", {"name": "late"}, due_at=tx.now + timedelta(hours=1))
    with instance.store.write() as tx:
        enqueue(tx, "note", {"name": "late"})
    assert not late.is_set()
    assert names == ["first", "second"]


def test_who_waits_behind_a_slow_job_is_taken_up_by_another_worker(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticking, "SECONDS", 0.05)
    started, over, done = threading.Event(), threading.Event(), threading.Event()

    def think(*_: object) -> None:
        started.set()
        over.wait(30)

    work = Work({"slow": think, "quick": lambda *_: done.set()})
    with ticking.ticking(instance, work):
        with instance.store.write() as tx:
            enqueue(tx, "slow", {})
            enqueue(tx, "quick", {})
        assert started.wait(30)
        assert done.wait(30), "it waits until the slow one is over"
        assert not over.is_set()
        over.set()


@pytest.mark.parametrize("kinds", [["slow"], ["slow", "slower", "slowest"]])
def test_slow_jobs_never_delay_mails(instance: Instance, monkeypatch: pytest.MonkeyPatch, kinds: list[str]) -> None:
    monkeypatch.setattr(ticking, "SECONDS", 0.05)
    begun, over, mailed = threading.Semaphore(0), threading.Event(), threading.Event()

    def think(*_: object) -> None:
        begun.release()
        over.wait(60)

    work = Work({**dict.fromkeys(kinds, think), "mail": lambda *_: mailed.set()})
    with ticking.ticking(instance, work):
        with instance.store.write() as tx:
            enqueue_all(tx, [NewJob(kind, {}) for kind in kinds for _ in range(12)])
        for _ in range(min(2 * len(kinds), 3)):
            assert begun.acquire(timeout=30)
        with instance.store.write() as tx:
            enqueue(tx, "mail", {})
        is_mailed = mailed.wait(30)
        over.set()
    assert is_mailed, "it waits until a slow one is over"


def test_a_slow_mail_server_never_delays_other_jobs(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticking, "SECONDS", 0.05)
    begun, over, done = threading.Semaphore(0), threading.Event(), threading.Event()

    def send(*_: object) -> None:
        begun.release()
        over.wait(60)

    with ticking.ticking(instance, Work({"mail": send, "quick": lambda *_: done.set()})):
        with instance.store.write() as tx:
            enqueue_all(tx, [NewJob("mail", {})] * 12)
        for _ in range(3):
            assert begun.acquire(timeout=30)
        with instance.store.write() as tx:
            enqueue(tx, "quick", {})
        is_done = done.wait(30)
        over.set()
    assert is_done, "it waits until a mail is sent"


def test_who_is_stopped_finishes_the_job_under_way_and_leaves_the_others(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticking, "SECONDS", 0.05)
    monkeypatch.setattr(ticking, "AT_ONCE", 1)
    started, over = threading.Event(), threading.Event()

    def think(*_: object) -> None:
        started.set()
        over.wait(30)

    with instance.store.write() as tx:
        for _ in range(3):
            enqueue(tx, "slow", {})
    worker_context = ticking.ticking(instance, Work({"slow": think}))
    worker_context.__enter__()
    assert started.wait(30)
    stopper = threading.Thread(target=worker_context.__exit__, args=(None, None, None))
    stopper.start()
    stopper.join(0.2)
    assert stopper.is_alive(), "the job under way is waited for"
    over.set()
    stopper.join(30)
    assert sorted(_states(instance.store)) == ["done", "waiting", "waiting"]


def test_a_worker_that_was_silent_for_too_long_has_nothing_to_say_any_more(
    instance: Instance, clock: ManualClock
) -> None:
    """Another worker took up its job and failed: that it finishes after all changes nothing."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    def slow(*_: object) -> None:
        clock.advance(seconds=CLAIM.total_seconds() + 1)
        run_due(instance, Work({"note": fail}))

    with instance.store.write() as tx:
        enqueue(tx, "note", {})
    run_due(instance, Work({"note": slow}))
    with instance.store.read() as tx:
        row = tx.one(select(job.c.state, job.c.attempts, job.c.error))
    assert (row["state"], row["attempts"]) == ("waiting", 2)
    assert "ZeroDivisionError" in row["error"]


def test_finished_jobs_are_forgotten_after_a_month_and_parked_ones_are_not(
    instance: Instance, clock: ManualClock
) -> None:
    with instance.store.write() as tx:
        enqueue(tx, "done", {})
        enqueue(tx, "never", {})
    work = Work({"done": lambda *_: None})
    while run_due(instance, work):
        pass
    for delay in DELAYS:
        clock.advance(seconds=delay.total_seconds())
        run_due(instance, work)
    clock.advance(days=29)
    with instance.store.write() as tx:
        forget_finished(tx)
    assert sorted(_states(instance.store)) == ["done", "parked"]
    clock.advance(days=2)
    with instance.store.write() as tx:
        forget_finished(tx)
    assert _states(instance.store) == ["parked"]


def test_many_promises_are_one_statement_and_none_is_none(store: Store) -> None:
    statements: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    with store.write() as tx:
        assert enqueue_all(tx, []) == []
        ids = enqueue_all(tx, [NewJob("note", {"n": number}) for number in range(100)])
    assert len([statement for statement in statements if "job" in statement]) == 1
    with store.read() as tx:
        rows = tx.all(select(job.c.id, job.c.payload).order_by(job.c.id))
    assert [(row["id"], row["payload"]) for row in rows] == [(id, {"n": n}) for n, id in enumerate(ids)]


# ------------------------------------------------------------------------------------------------ over the API


def test_operators_see_what_failed_without_what_it_was_about_and_try_it_again(
    instance: Instance, client: TestClient, clock: ManualClock, somebody: Somebody
) -> None:
    with instance.store.write() as tx:
        job_id = enqueue(tx, "unknown", {"secret": "hunter2"})
        enqueue(tx, "unknown", {})
    work = Work({})
    for delay in (timedelta(), *DELAYS):
        clock.advance(seconds=delay.total_seconds())
        while run_due(instance, work):
            pass
    operator = _bearer(instance, somebody("Olga", operator=True).id, OPERATOR)
    page = client.get("/api/jobs?limit=1", headers=operator).json()
    (failed_job,) = page["items"]
    assert (failed_job["id"], failed_job["state"], failed_job["attempts"]) == (job_id, "parked", 6)
    assert "hunter2" not in str(page)
    assert len(client.get(f"/api/jobs?after={page['next']}", headers=operator).json()["items"]) == 1
    assert client.post(f"/api/jobs/{job_id}/retry", headers=operator).json()["state"] == "waiting"
    assert client.post(f"/api/jobs/{job_id}/retry", headers=operator).status_code == 404
    payloads: list[object] = []
    assert run_due(instance, Work({"unknown": lambda _, job: payloads.append(job.payload)}))
    assert payloads == [{"secret": "hunter2"}]


def test_nobody_else_sees_jobs(instance: Instance, client: TestClient, somebody: Somebody) -> None:
    token_of_ada = _bearer(instance, somebody("Ada").id, SELF)
    assert client.get("/api/jobs").status_code == 401
    assert client.get("/api/jobs", headers=token_of_ada).status_code == 403
    assert client.post("/api/jobs/x/retry", headers=token_of_ada).status_code == 403


def _bearer(instance: Instance, person_id: str, scope: str) -> dict[str, str]:
    with instance.store.write() as tx:
        token = make_token(tx, person_id, name="Tests", scopes=frozenset({scope}))
    return {"Authorization": f"Bearer {token.secret}"}


@pytest.mark.parametrize("witness", ["a time server", "a person"])
def test_what_cannot_be_brought_back_waits_after_a_jump_of_the_clock_until_a_second_witness_agrees(
    instance: Instance, clock: ManualClock, witness: str
) -> None:
    minute = timedelta(minutes=1)
    work = Work(
        {},
        (
            Periodic(EVERY_MINUTE, minute, lambda tx: None),
            Periodic("forget", minute, lambda tx: None, irreversible=True),
        ),
    )

    def run() -> list[str]:
        return run_periodic(instance, work)

    def is_reported() -> bool:
        return any("nothing is forgotten" in reason for reason in Watcher(instance).health().reasons)

    assert run() == [EVERY_MINUTE, "forget"], "a new instance has nothing that it could forget too early"
    clock.advance(days=8)
    assert run() == [EVERY_MINUTE, "forget"], "a machine that was off for a week"
    clock.advance(days=1500)
    for day in range(30):
        assert run() == [EVERY_MINUTE], f"day {day}: a wrong clock goes on steadily too"
        clock.advance(days=1)
    assert is_reported()
    if witness == "a time server":
        clock.synchronised = True
    else:
        with instance.store.write() as tx:
            trust_clock(tx, vouched=True)
    assert run() == [EVERY_MINUTE, "forget"]
    clock.synchronised = False
    clock.advance(seconds=60)
    assert run() == [EVERY_MINUTE, "forget"]
    assert not is_reported()


def test_jobs_that_end_something_stay_due_while_the_clock_is_in_doubt(instance: Instance, clock: ManualClock) -> None:
    kinds: list[str] = []
    handlers = {kind: lambda _, job: kinds.append(job.kind) for kind in ("end", "note")}
    work = Work(handlers, irreversible=frozenset({"end"}))

    def run() -> list[str]:
        kinds.clear()
        while run_due(instance, work):
            pass
        return kinds

    with instance.store.write() as tx:
        enqueue(tx, "end", {})
    assert run() == ["end"], "a new instance has nothing that it could end too early"
    with instance.store.write() as tx:
        trust_clock(tx, vouched=True)
        enqueue(tx, "end", {}, due_at=tx.now + timedelta(days=30))
        enqueue(tx, "note", {}, due_at=tx.now + timedelta(days=30))
    clock.advance(days=1500)
    assert run() == ["note"]
    with instance.store.write() as tx:
        trust_clock(tx, vouched=True)
    assert run() == ["end"]


def test_all_work_that_deletes_or_completes_is_called_irreversible(instance: Instance) -> None:
    """The test judges by the names, so that no such work is forgotten."""
    settings = InstanceSettings(
        name="Test", plugins={"enabled": [name for name in USUAL if name in plugin_entry_points()]}
    )
    hooks = load_plugins(settings, clock=instance.clock)
    work = work_of(replace(instance, settings=settings, hooks=hooks))
    periodic = work.periodic
    doubtful = ("forget", "let_go", "complete", "expire")
    assert [
        periodic_work.name
        for periodic_work in periodic
        if any(word in periodic_work.name for word in doubtful) and not periodic_work.irreversible
    ] == []
    assert {periodic_work.name for periodic_work in periodic if periodic_work.irreversible} >= {
        "let_go",
        "complete_sales",
        "forget_audit",
        "federation.give_up",
        "federation.names",
        "federation.quarantines",
    }
    ending_jobs = [kind for kind in work.handlers if any(word in kind for word in (*doubtful, "give_up"))]
    # the e-mail about orders that have expired ends nothing
    assert sorted({*ending_jobs, "federation.tend_names"} - {"tell_expired_guest_orders"}) == sorted(work.irreversible)


def test_plugins_of_the_first_release_enqueue_by_the_old_name_and_are_told_the_new_one(store: Store) -> None:
    with store.write() as tx, pytest.warns(RemovedIn1Warning, match="promise is called enqueue since 0.2"):
        commensal.promise(tx, "mail", {"to": "ada@example.org"})
    with store.read() as tx:
        assert [row["payload"] for row in tx.all(select(job.c.payload))] == [{"to": "ada@example.org"}]
