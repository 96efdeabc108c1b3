"""Several processes share one database: each job is done once, a sale closes once, and nothing depends on one of them.

They are the real commands, killed as by ``kill -9`` at the worst moments: when an order is written but its customer
not yet told, and when a job is claimed but not started.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, update
from typer.testing import CliRunner

from commensal.base.errors import Busy
from commensal.enterprises.plugins import enable_plugin
from commensal.instance import open_instance
from commensal.orders.tables import customer_order
from commensal.parts.checks import broken_invariants
from commensal.parts.cli import app
from commensal.sale_sessions.tables import coordination, sale_session
from commensal.storage.database import Store
from commensal.storage.database.presence import exclusive_access
from commensal.storage.jobs.periodic import AT_ONCE
from commensal.storage.jobs.tables import job, job_slot
from commensal.testing.placed import a_lot, a_shop, an_item
from commensal.testing.receiver import Receiver
from commensal_webhooks.hooks import add_hook

from .keeping import open_store, write_settings
from .processes import KILLED, Customers, Outcome, Processes, wait_until

pytestmark = pytest.mark.bundled
IN_STOCK = 40


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    with Processes(tmp_path) as processes:
        yield processes


def make_instance(folder: Path, url: str, receiver: Receiver) -> str:
    """Creates an instance with a shop whose sale repeats weekly and whose orders go to a webhook. Returns an item."""
    limits = {"reads": 100_000, "writes": 100_000, "logins": 100_000, "mails": 1_000}
    outbound = {"allow": [f"127.0.0.1:{receiver.port}"]}
    write_settings(folder, url, plugins=("cash", "webhooks"), limits=limits, outbound=outbound)
    with open_instance(folder) as instance, instance.store.write() as tx:
        a_shop(tx)
        tx.execute(update(coordination).values(rhythm="FREQ=WEEKLY"))
        for plugin in ("cash", "webhooks"):
            enable_plugin(tx, instance.hooks, "shop", plugin, {})
        add_hook(tx, instance, "shop", url=receiver.url, events=("order_placed", "sale_completed"))
        return an_item(tx, a_lot(tx, on_hand=str(IN_STOCK)))


def test_two_web_and_two_job_processes_do_everything_once_though_one_of_each_is_killed(
    new_postgresql: Callable[[], str], tmp_path: Path, receiver: Receiver, processes: Processes
) -> None:
    """Two hosts, each with a folder of its own and a process of each kind, on one PostgreSQL."""
    url, first, second = new_postgresql(), tmp_path / "one", tmp_path / "two"
    item = make_instance(first, url, receiver)
    shutil.copytree(first, second)
    workers = [processes.work(first, failpoint="job.claimed:5"), processes.work(second)]
    webs = [processes.web(first, failpoint="request.committed:8"), processes.web(second)]
    addresses = [processes.address(web) for web in webs]
    with closing(open_store(url)) as store:  # otherwise one worker does everything before the other has started
        wait_until(
            lambda: {str(worker.pid) for worker in workers} <= processes_present(store), "both workers are there"
        )
    outcome = Customers(addresses, item, customers=4, orders=12).finish()
    assert (webs[0].wait(60), workers[0].wait(60)) == (KILLED, KILLED)
    assert outcome.repeated >= 1
    workers[0] = processes.work(first)  # as systemd starts it again
    with closing(open_store(url)) as store:
        assert_nothing_lost(store, outcome)
        finish_jobs(store)
        alive = {str(process.pid) for process in (webs[1], *workers)}
        assert {str(webs[1].pid), str(workers[1].pid)} <= processes_present(store) <= alive
        close_sale(store)
        finish_jobs(store)
        repeated_jobs = assert_closed_once(store)
    assert_told([first, second], receiver, outcome, repeated_jobs)
    assert_sound(first)


def test_on_sqlite_a_web_and_a_job_process_share_the_file_though_one_is_killed(
    sqlite_template: Path, tmp_path: Path, receiver: Receiver, processes: Processes
) -> None:
    folder, file = tmp_path / "val", tmp_path / "val.db"
    shutil.copyfile(sqlite_template, file)
    item = make_instance(folder, f"sqlite:///{file}", receiver)
    worker, web = processes.work(folder, failpoint="job.claimed:5"), processes.web(folder)
    outcome = Customers([processes.address(web)], item, customers=4, orders=12).finish()
    assert worker.wait(60) == KILLED
    worker = processes.work(folder)
    with closing(open_store(f"sqlite:///{file}")) as store:
        assert_nothing_lost(store, outcome)
        finish_jobs(store)
        close_sale(store)
        finish_jobs(store)
        repeated_jobs = assert_closed_once(store)
    assert_told([folder], receiver, outcome, repeated_jobs)
    assert_sound(folder)
    stop_by_its_last_thread(worker)
    assert worker.wait(20) == 0


def stop_by_its_last_thread(process: subprocess.Popen[str]) -> None:
    """Lets SIGTERM reach a thread that is not the first one: the kernel may choose any."""
    last = max(map(int, os.listdir(f"/proc/{process.pid}/task")))
    assert ctypes.CDLL(None).tgkill(process.pid, last, signal.SIGTERM) == 0


def processes_present(store: Store) -> set[str]:
    """Returns the ids of the processes that use the database, as an upgrade names them; fails if there is none."""
    with pytest.raises(Busy) as error, exclusive_access(store):
        pass
    return set(re.findall(r"process (\d+) on", str(error.value)))


def assert_nothing_lost(store: Store, outcome: Outcome) -> None:
    """Asserts that exactly the confirmed orders exist, and that no more was sold than there was."""
    assert outcome.unexpected == []
    with store.read() as tx:
        numbers = {row["id"]: row["number"] for row in tx.all(select(customer_order.c.id, customer_order.c.number))}
        assert broken_invariants(tx) == []
    assert numbers == {id: order["number"] for id, order in outcome.orders.items()}
    assert (len(numbers), outcome.sold_out) == (IN_STOCK, 4 * 12 - IN_STOCK)


def finish_jobs(store: Store) -> None:
    """Waits until all jobs are done, those of the killed worker too."""
    count_jobs = select(func.count()).select_from(job).where(job.c.state.in_(("waiting", "running")))

    def done() -> bool:
        with store.read() as tx:
            return not tx.value(count_jobs)

    wait_until(done, "all jobs are done")


def close_sale(store: Store) -> None:
    """Moves the sale's closing into the past, and lets the periodic work run again."""
    with store.write() as tx:
        before = tx.now - timedelta(seconds=1)
        for table in (coordination, sale_session):
            tx.execute(update(table).values(closes_at=before))
        tx.execute(delete(job_slot))

    due = (coordination.c.closes_at <= before, coordination.c.rhythm.is_not(None))
    is_held = customer_order.c.state == "Held"

    def closed() -> bool:
        with store.read() as tx:
            return not tx.first(select(coordination.c.id).where(*due)) and not tx.first(
                select(customer_order).where(is_held)
            )

    wait_until(closed, "the sale has closed and the next one is there")


def assert_closed_once(store: Store) -> int:
    """Returns how many jobs were started twice: at most as many as a killed worker can have been working on."""
    with store.read() as tx:
        sales = tx.all(select(coordination.c.previous_id, coordination.c.completed_at))
        states = tx.all(select(customer_order.c.state, func.count().label("count")).group_by(customer_order.c.state))
        attempts = Counter(row["attempts"] for row in tx.all(select(job.c.attempts)))
    open_by_previous = {row["previous_id"]: row["completed_at"] is None for row in sales}
    assert (open_by_previous, len(sales)) == ({None: False, "shop-sale": True}, 2)
    assert [(row["state"], row["count"]) for row in states] == [("Complete", IN_STOCK)]
    assert set(attempts) == {1, 2}
    assert 1 <= attempts[2] <= AT_ONCE
    return attempts[2]


def assert_told(folders: list[Path], receiver: Receiver, outcome: Outcome, repeated_jobs: int) -> None:
    """Asserts that each order has two e-mails, one of them since the close, from any host, and a message to the shop's
    webhook.

    One job was killed before it had done anything. Others that the same process was working on may have finished,
    so their messages may arrive twice, with the same id, by which receivers recognise them.
    """
    mails = [file.name.partition("-")[2] for folder in folders for file in folder.glob("mail/*.eml")]
    messages = [json.loads(request.body) for request in receiver.received]
    messages_by_id = {message["id"]: message for message in messages}
    assert len(set(mails)) == 2 * IN_STOCK
    assert Counter(message["kind"] for message in messages_by_id.values()) == {
        "order_placed": IN_STOCK,
        "sale_completed": 1,
    }
    orders = [
        message["data"]["order"]["id"] for message in messages_by_id.values() if message["kind"] == "order_placed"
    ]
    assert sorted(orders) == sorted(outcome.orders)
    assert len(mails) + len(messages) - len(set(mails)) - len(messages_by_id) <= repeated_jobs - 1


def assert_sound(folder: Path) -> None:
    result = CliRunner().invoke(app, ["check", "--instance", str(folder)])
    assert result.exit_code == 0, result.output
    assert "sound" in result.output
