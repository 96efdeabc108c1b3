"""Several processes share one database: each job is done once, a sale closes once, and none of it hangs on one of them.

They are the real commands, killed as by ``kill -9`` where it hurts most: with an order written and its customer not yet
told, and with a job claimed and nothing of it done.
"""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, update
from typer.testing import CliRunner

from commensal.base.errors import Busy
from commensal.cli import app
from commensal.instance import open_instance
from commensal.operations.checks import broken_invariants
from commensal.storage.database import Store
from commensal.storage.database.presence import exclusive_access
from commensal.storage.jobs.run import CLAIM
from commensal.storage.jobs.tables import job, job_slot
from commensal.storage.jobs.ticking import AT_ONCE
from commensal.testing.goods import a_lot, an_item
from commensal.testing.placed import a_shop
from commensal.testing.receiver import Receiver
from commensal.trade.enterprises.plugins import enable_plugin
from commensal.trade.orders.tables import customer_order
from commensal.trade.sale_sessions.tables import coordination, sale_session
from commensal_webhooks.hooks import add_hook

from .keeping import open_store, write_settings
from .processes import KILLED, Customers, Outcome, Processes, until

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


def begin(folder: Path, url: str, receiver: Receiver) -> str:
    """An instance with a shop whose sale comes back every week and whose orders are told elsewhere. Returns an item."""
    many = {"reads": 100_000, "writes": 100_000, "logins": 100_000, "mails": 1_000}
    reached = {"allow": [f"127.0.0.1:{receiver.port}"]}
    write_settings(folder, url, plugins=("cash", "webhooks"), limits=many, outbound=reached)
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
    url, one, two = new_postgresql(), tmp_path / "one", tmp_path / "two"
    item = begin(one, url, receiver)
    shutil.copytree(one, two)
    workers = [processes.work(one, failpoint="job.claimed:5"), processes.work(two)]
    webs = [processes.web(one, failpoint="request.committed:8"), processes.web(two)]
    addresses = [processes.address(web) for web in webs]
    with closing(open_store(url)) as store:  # else one worker does everything before the other has started
        until(lambda: {str(worker.pid) for worker in workers} <= present(store), "both workers are there")
    outcome = Customers(addresses, item, customers=4, orders=12).finish()
    assert (webs[0].wait(60), workers[0].wait(60)) == (KILLED, KILLED)
    assert outcome.asked_again >= 1
    workers[0] = processes.work(one)  # as systemd starts it again
    with closing(open_store(url)) as store:
        assert_nothing_lost(store, outcome)
        finish_jobs(store)
        alive = {str(one.pid) for one in (webs[1], *workers)}
        assert {str(webs[1].pid), str(workers[1].pid)} <= present(store) <= alive
        close_sale(store)
        finish_jobs(store)
        again = assert_closed_once(store)
    assert_told([one, two], receiver, outcome, again)
    assert_sound(one)


def test_on_sqlite_a_web_and_a_job_process_share_the_file_though_one_is_killed(
    sqlite_template: Path, tmp_path: Path, receiver: Receiver, processes: Processes
) -> None:
    folder, file = tmp_path / "val", tmp_path / "val.db"
    shutil.copyfile(sqlite_template, file)
    item = begin(folder, f"sqlite:///{file}", receiver)
    worker, web = processes.work(folder, failpoint="job.claimed:5"), processes.web(folder)
    outcome = Customers([processes.address(web)], item, customers=4, orders=12).finish()
    assert worker.wait(60) == KILLED
    processes.work(folder)
    with closing(open_store(f"sqlite:///{file}")) as store:
        assert_nothing_lost(store, outcome)
        finish_jobs(store)
        close_sale(store)
        finish_jobs(store)
        again = assert_closed_once(store)
    assert_told([folder], receiver, outcome, again)
    assert_sound(folder)


def present(store: Store) -> set[str]:
    """Ids of the processes that stay with the database, as who wants to upgrade it reads them; at least one does."""
    with pytest.raises(Busy) as error, exclusive_access(store):
        pass
    return set(re.findall(r"process (\d+) on", str(error.value)))


def assert_nothing_lost(store: Store, outcome: Outcome) -> None:
    """Whatever was confirmed is there, nothing else is, and no more was sold than there was."""
    assert outcome.odd == []
    with store.read() as tx:
        kept = {row["id"]: row["number"] for row in tx.all(select(customer_order.c.id, customer_order.c.number))}
        assert broken_invariants(tx) == []
    assert kept == {id: order["number"] for id, order in outcome.orders.items()}
    assert (len(kept), outcome.sold_out) == (IN_STOCK, 4 * 12 - IN_STOCK)


def finish_jobs(store: Store) -> None:
    """Until all are done. What the killed worker had claimed would be free after minutes, which are over at once here:
    whatever is still claimed from before now, while those that live have nothing left to do."""
    with store.read() as tx:
        until_now = tx.now + CLAIM
    undone = select(func.count()).select_from(job)

    def done() -> bool:
        with store.write() as tx:
            if not tx.value(undone.where(job.c.state == "waiting")):
                held = (job.c.state == "running", job.c.claimed_until <= until_now)
                tx.execute(update(job).where(*held).values(claimed_until=tx.now - timedelta(seconds=1)))
            return not tx.value(undone.where(job.c.state.in_(("waiting", "running"))))

    until(done, "all jobs are done")


def close_sale(store: Store) -> None:
    """Its closing is over, and so is the minute in which it would be worked."""
    with store.write() as tx:
        before = tx.now - timedelta(seconds=1)
        for table in (coordination, sale_session):
            tx.execute(update(table).values(closes_at=before))
        tx.execute(delete(job_slot))

    due = (coordination.c.closes_at <= before, coordination.c.rhythm.is_not(None))
    held = customer_order.c.state == "Held"

    def closed() -> bool:
        with store.read() as tx:
            return not tx.first(select(coordination.c.id).where(*due)) and not tx.first(
                select(customer_order).where(held)
            )

    until(closed, "the sale has closed and the next one is there")


def assert_closed_once(store: Store) -> int:
    """Returns how many jobs were begun a second time: at most as many as a killed worker can have had in its hands."""
    with store.read() as tx:
        sales = tx.all(select(coordination.c.previous_id, coordination.c.completed_at))
        states = tx.all(select(customer_order.c.state, func.count().label("count")).group_by(customer_order.c.state))
        attempts = Counter(row["attempts"] for row in tx.all(select(job.c.attempts)))
    follows = {row["previous_id"]: row["completed_at"] is None for row in sales}
    assert (follows, len(sales)) == ({None: False, "shop-sale": True}, 2)
    assert [(row["state"], row["count"]) for row in states] == [("Complete", IN_STOCK)]
    assert set(attempts) == {1, 2}
    assert 1 <= attempts[2] <= AT_ONCE
    return attempts[2]


def assert_told(folders: list[Path], receiver: Receiver, outcome: Outcome, again: int) -> None:
    """An e-mail for every order, from whichever host, and a message to the shop's address.

    One job was killed before it had done anything. Of others that the same process had in its hands, nobody can know,
    so they may be told once more: with the same id, by which others know it.
    """
    mails = [one.name.partition("-")[2] for folder in folders for one in folder.glob("mail/*.eml")]
    messages = [json.loads(one.body) for one in receiver.received]
    told = {message["id"]: message for message in messages}
    assert len(set(mails)) == IN_STOCK
    assert Counter(one["kind"] for one in told.values()) == {"order_placed": IN_STOCK, "sale_completed": 1}
    orders = [one["data"]["order"]["id"] for one in told.values() if one["kind"] == "order_placed"]
    assert sorted(orders) == sorted(outcome.orders)
    assert len(mails) + len(messages) - len(set(mails)) - len(told) <= again - 1


def assert_sound(folder: Path) -> None:
    result = CliRunner().invoke(app, ["check", "--instance", str(folder)])
    assert result.exit_code == 0, result.output
    assert "sound" in result.output
