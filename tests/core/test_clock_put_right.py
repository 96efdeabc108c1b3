"""What was put off while the clock was ahead is done once the clock is right, and what is due later stays so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from commensal.base.clock import ManualClock
from commensal.base.entry_points import plugin_entry_points
from commensal.base.errors import TooMany
from commensal.instance import Instance
from commensal.parts.mail.capping import may_send
from commensal.parts.serving.work import work_of
from commensal.people.login_throttle import count_try
from commensal.storage.database.marks import most_ahead
from commensal.storage.database.revisions import tables_of
from commensal.storage.database.transaction import Transaction
from commensal.storage.database.types import Time
from commensal.storage.jobs import Job, Periodic, Work, enqueue
from commensal.storage.jobs.clock import EVERY_MINUTE, trust_clock
from commensal.storage.jobs.periodic import run_periodic, tick
from commensal.storage.jobs.run import CLAIM, run_due
from commensal.storage.jobs.tables import job

AHEAD = timedelta(days=400)
MAILBOX = "ada@example.org"
SOON = ("due_at", "until", "next_at", "after")  # how columns end that say when something may be done again
FOR_GOOD = {  # columns with such a name that hold moments which people or contracts set
    "job.due_at": "a job may be promised for any moment; those that have failed are looked at by themselves",
    "upkeep.due_at": "the moment of a night",
    "stock_lot.free_until": "the last day of goods",
    "vouchers_voucher.valid_until": "the last day of a voucher",
    "retained_identity.keep_until": "the end of a legal duty",
    "federation_lease.until": "the end of a producer's sale",
    "federation_move.until": "a quarantine protects: rather too long than too short",
    "webhooks_hook.old_until": "a secret that is valid for longer does no harm",
    "transport_trip.book_until": "the moment that a carrier sets",
    "transport_series.book_until": "the same, of trips that come back",
    "transport_proposal.until": "the same, of trips that a hub has planned",
}


def put_right(instance: Instance, clock: ManualClock) -> None:
    clock.set(clock.now() - AHEAD)
    run_periodic(instance, Work({}, tuple(task for task in work_of(instance).periodic if task.name == "bring_forward")))


def test_what_failed_while_the_clock_was_ahead_is_tried_again(instance: Instance, clock: ManualClock) -> None:
    done: list[str] = []

    def act(_: Instance, claimed: Job) -> None:
        if claimed.payload["name"] == "fails" and claimed.attempts == 1:
            raise OSError("no answer")
        done.append(claimed.payload["name"])

    def run() -> list[str]:
        done.clear()
        while run_due(instance, Work({"act": act})):
            pass
        return sorted(done)

    with instance.store.write() as tx:
        enqueue(tx, "act", {"name": "in two years"}, due_at=tx.now + 2 * AHEAD)
        enqueue(tx, "act", {"name": "fails"})
    clock.advance(days=AHEAD.days)
    with instance.store.write() as tx:
        enqueue(tx, "act", {"name": "next try of a handler"}, due_at=tx.now + timedelta(hours=9))
        enqueue(tx, "act", {"name": "a month later"}, due_at=tx.now + timedelta(days=30))
    assert run() == []
    put_right(instance, clock)
    assert run() == ["fails", "next try of a handler"]
    clock.advance(days=AHEAD.days + 30)
    assert run() == ["a month later"]
    clock.advance(days=AHEAD.days)
    assert run() == ["in two years"]


def test_what_a_clock_that_was_minutes_ahead_has_put_off_is_due_once_it_is_right(
    instance: Instance, clock: ManualClock
) -> None:
    """New work, and another try of work that had failed; not what was promised for a later moment before."""
    ran: list[str] = []

    def act(_: Instance, claimed: Job) -> None:
        ran.append(claimed.payload["name"])
        if claimed.payload["name"] == "fails" and claimed.attempts == 1:
            raise OSError("no answer")

    periodic = tuple(task for task in work_of(instance).periodic if task.name in (EVERY_MINUTE, "bring_forward"))
    work, now = Work({"act": act}, periodic), clock.now()
    with instance.store.write() as tx:
        enqueue(tx, "act", {"name": "fails"}, due_at=now + timedelta(minutes=2))
        enqueue(tx, "act", {"name": "promised"}, due_at=now + timedelta(minutes=5))
    clock.set(now + timedelta(minutes=3, seconds=50))
    tick(instance, work)
    with instance.store.write() as tx:
        enqueue(tx, "act", {"name": "new"}, due_at=tx.now + timedelta(seconds=1))
    clock.set(now + timedelta(minutes=1))
    clock.synchronised = True
    ran.clear()
    tick(instance, work)  # it notices
    tick(instance, work)
    assert sorted(ran) == ["fails", "new"]
    clock.set(now + timedelta(minutes=5))
    tick(instance, work)
    assert "promised" in ran


@pytest.mark.parametrize("ahead", [timedelta(minutes=10), timedelta(days=2)])
def test_periodic_work_that_a_clock_ahead_has_done_runs_again_at_its_own_time(
    instance: Instance, clock: ManualClock, ahead: timedelta
) -> None:
    """Work of every minute, and of every day, while the clock was ahead and once somebody has put it right."""
    ran: list[tuple[str, datetime]] = []
    names = {EVERY_MINUTE: timedelta(minutes=1), "orders": timedelta(minutes=1), "backup": timedelta(days=1)}

    def noting(name: str) -> Callable[[Transaction], None]:
        return lambda tx: ran.append((name, tx.now))

    work = Work({}, tuple(Periodic(name, every, noting(name)) for name, every in names.items()))
    clock.advance(seconds=ahead.total_seconds())
    for _ in range(7):
        run_periodic(instance, work)
        clock.advance(minutes=1)
    clock.set(clock.now() - ahead)
    with instance.store.write() as tx:
        trust_clock(tx, vouched=True)
    ran.clear()
    started = clock.now()
    for _ in range(int((ahead + timedelta(days=1)) / timedelta(hours=1)) if ahead.days else 20):
        run_periodic(instance, work)
        clock.advance(minutes=60 if ahead.days else 1)
    passed = clock.now() - started
    counts = Counter(name for name, _ in ran)
    if ahead.days:
        assert counts["backup"] == passed.days + 1, "no day is left out"
    else:
        assert counts["orders"] == counts[EVERY_MINUTE] == 20, "no minute is left out"


def test_the_job_of_a_worker_that_died_while_the_clock_was_ahead_is_taken_up(
    instance: Instance, clock: ManualClock
) -> None:
    claims: list[int] = []
    with instance.store.write() as tx:
        enqueue(tx, "act", {})
        tx.execute(update(job).values(state="running", attempts=1, claimed_until=tx.now + AHEAD + CLAIM))
    clock.advance(days=AHEAD.days)
    put_right(instance, clock)
    clock.advance(seconds=1)
    assert run_due(instance, Work({"act": lambda _, claimed: claims.append(claimed.attempts)}))
    assert claims == [2]


def test_nobody_stays_locked_out_and_no_mailbox_stays_full(instance: Instance, clock: ManualClock) -> None:
    """A wrong password, and a mail to a full mailbox, while the clock was ahead."""

    def fill() -> bool:
        mail = Job("1", "mail", {"kind": "reset_password", "to": MAILBOX}, 1)
        with instance.store.write() as tx:
            return all(may_send(tx, mail, most=3) for _ in range(3))

    def log_in() -> None:
        with instance.store.write() as tx:
            count_try(tx, MAILBOX, "network 192.0.2.1")

    clock.advance(days=AHEAD.days)
    log_in()
    assert fill()
    clock.set(clock.now() - AHEAD)
    with pytest.raises(TooMany):
        log_in()
    assert not fill()
    clock.set(clock.now() + AHEAD)
    put_right(instance, clock)
    log_in()
    clock.advance(hours=1)
    assert fill()


def test_every_column_that_puts_something_off_says_for_how_long_at_most() -> None:
    plugins = plugin_entry_points()
    for plugin in plugins.values():
        plugin.load()
    unmarked = {
        f"{table.name}.{column.name}"
        for table in tables_of(plugins)
        for column in table.columns
        if column.name.endswith(SOON) and isinstance(column.type, Time) and most_ahead(column) is None
    }
    assert unmarked == FOR_GOOD.keys()
