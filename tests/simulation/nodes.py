"""One instance of the real code, whose disk is memory, whose clock is moved by hand, and whose power can fail."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import Pool

from commensal import Job, Work
from commensal.base.clock import Clock, ManualClock
from commensal.base.ids import Ids, SeededIds
from commensal.hooks.breaker import Failure
from commensal.hooks.dispatcher import Hooks
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.instance.settings import LimitSettings
from commensal.parts.serving.work import work_of
from commensal.storage.database import Store, Transaction
from commensal.storage.database.change_capture import Trail
from commensal.storage.database.gate import Turn
from commensal_federation.delivery.restore.restored import MARKER
from commensal_federation.peers.peers import Peer, peer_by_iri
from commensal_federation.runtime import Federation, use_transport
from commensal_federation.transport import Transport

# Work that does not concern trade is left out: e-mails and the deletion of old rows.
_PERIODIC = ("complete_sales", "federation.")


Handler = Callable[[Instance, Job], None]


class Crash(BaseException):
    """The power of an instance has failed. Nothing may catch it but the world around the instance."""

    def __init__(self, node: Node) -> None:
        super().__init__(node.name)
        self.node = node


# SQLAlchemy compiles a statement equally for all disks, so it is compiled once, not once for each disk.
_ENGINE = create_engine("sqlite://")
_ENGINE.connect().close()  # by which the dialect learns the version of SQLite, as that of every other store does
_DIALECT = _ENGINE.dialect
_COMPILED: dict[Any, Any] = {}


class Disk(Store):
    """A store in memory that checks before and after each commit whether there is power.

    Its one connection is never lent or taken back, and it begins and commits through the driver: SQLAlchemy believes
    that it is in one transaction all the time. A schedule has thousands of transactions, which took a fifth of its
    time.
    """

    node: Node

    def __init__(self, *, clock: Clock, ids: Ids) -> None:
        super().__init__("sqlite://?cached_statements=2000", clock=clock, ids=ids)
        self.engine.dialect = _DIALECT
        self.engine.update_execution_options(compiled_cache=_COMPILED)
        self._one = self.engine.connect()
        self._one.begin()
        driver = self._one.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.rollback()
        self.driver = driver

    @contextmanager
    def write(self, *, patience: float = 10.0, seconds: float | None = None) -> Iterator[Transaction]:
        self.node.pass_by("begin")
        with super().write(seconds=seconds) as tx:
            yield tx
            self.node.pass_by("before commit")
        self.node.commits += 1
        self.node.pass_by("committed")

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """SQLite would prepare every statement again each time that a connection may only read, or may write again; so
        it is checked afterwards whether anything was written.
        """
        self.node.refuse_without_power()
        with super().write() as tx:
            changes_before = self.driver.total_changes
            yield tx
            assert self.driver.total_changes == changes_before, "a question has written something"

    @contextmanager
    def _begin(self, engine: Engine, pool: Pool, turn: Turn, trail: Trail | None = None) -> Iterator[Transaction]:
        self._tell("BEGIN IMMEDIATE")
        try:
            yield self._transaction(self._one, turn, trail)
            self._tell("COMMIT")
        finally:
            self.driver.rollback()

    def _tell(self, statement: str) -> None:
        try:
            self.driver.execute(statement)
        except sqlite3.Error as error:
            raise OperationalError(statement, (), error) from error

    def close(self) -> None:
        self._one.close()
        super().close()


@dataclass(eq=False)
class Node:
    """`skew` is the error of its clock, `moments` how many more it lives through, None for any number."""

    name: str
    folder: Path
    clock: ManualClock
    ids: SeededIds
    disk: Disk
    federation: Federation = field(init=False)
    work: Work = field(init=False)
    skew: timedelta = timedelta()
    largest_skew: timedelta = timedelta()  # by how much its clock was ever wrong, in either direction
    up: bool = True
    falling: bool = False
    life: int = 0  # how often it has started
    moments: int | None = None
    restores: int = 0
    older: bool = False  # speaks the older version of the protocol
    full: bool = False  # its disk
    commits: int = 0
    doing: str = ""  # the kind of the last job
    works_at: datetime | None = None  # when its worker looks for jobs again
    counts: dict[str, tuple[int, ...]] = field(default_factory=dict)  # of its leases: they only grow
    failures: list[str] = field(default_factory=list)  # of the plugin's hooks

    @property
    def base(self) -> str:
        return base_of(self.name)

    @property
    def instance(self) -> Instance:
        return self.federation.instance

    def start(self, transport: Transport) -> None:
        """Starts as a process does: what it had in memory is gone."""
        settings, hooks = _plugins(self.name)
        instance = Instance(self.folder, settings, self.disk, hooks, self.clock, self.ids)
        hooks.keep_failures(self)
        self.disk.auditor = None  # nobody reads the audit trail here
        self.federation = use_transport(instance, transport)
        work = work_of(instance)
        handlers = {kind: self._noting(kind, handler) for kind, handler in work.handlers.items()}
        handlers["mail"] = lambda *_: None
        self.work = Work(handlers, tuple(job for job in work.periodic if job.name.startswith(_PERIODIC)))
        self.life += 1
        self.up, self.falling, self.moments, self.works_at = True, False, None, None

    def _noting(self, kind: str, handler: Handler) -> Handler:
        def handle(instance: Instance, job: Job) -> None:
            self.doing = kind
            handler(instance, job)

        return handle

    def keep(self, failure: Failure) -> None:
        if "disk is full" not in failure.what and not failure.what.startswith(Crash.__name__):
            self.failures.append(f"{failure.hook}: {failure.what}")

    def flush(self) -> None:
        pass

    def pass_by(self, moment: str) -> None:
        """Passes one more moment in which the power may fail."""
        self.refuse_without_power()
        if self.moments is not None:
            self.moments -= 1
            if self.moments <= 0:
                self.up = False
                raise Crash(self)

    def refuse_without_power(self) -> None:
        if not self.up:
            raise Crash(self)

    def peer(self, other: Node) -> Peer:
        with self.disk.read() as tx:
            return self.peer_in(tx, other)

    def peer_in(self, tx: Transaction, other: Node) -> Peer:
        peer = peer_by_iri(tx, other.federation.iri)
        assert peer is not None, f"{other.name} is not a peer of {self.name}"
        return peer

    def next_job(self) -> datetime | None:
        """Returns when a job is due, by the node's own clock, or None; a job whose worker has died counts."""
        ask = self.disk.driver.execute
        moments = [datetime.fromisoformat(text_) for (text_,) in ask(_FIRST_WAITING)]
        moments += [datetime.fromisoformat(until) + timedelta(microseconds=1) for (until,) in ask(_FIRST_RUNNING)]
        return min(moments, default=None)

    # --------------------------------------------------------------------------------------------- its disk

    def image(self) -> bytes:
        """The present contents of its disk."""
        return self.disk.driver.serialize()

    def restore(self, image: bytes, marker: str) -> None:
        """A backup replaces the disk, as `commensal restore` does."""
        self.load(image)
        (self.folder / MARKER).write_text(marker, encoding="utf-8")
        self.restores += 1
        self.counts.clear()

    def load(self, image: bytes) -> None:
        source = sqlite3.connect(":memory:")
        try:
            source.deserialize(image)
            source.backup(self.disk.driver)
        finally:
            source.close()
        (self.folder / MARKER).unlink(missing_ok=True)

    def fill_disk(self, full: bool) -> None:
        """Allows no further page: SQLite reports SQLITE_FULL, as on a real disk."""
        self.full = full
        (pages,) = self.disk.driver.execute("PRAGMA page_count").fetchone()
        self.disk.driver.execute(f"PRAGMA max_page_count={pages if full else 2**30}")

    def rows(self) -> Mapping[str, list[tuple[Any, ...]]]:
        """All rows, by table."""
        driver = self.disk.driver
        tables = driver.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return {
            name: sorted(driver.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)  # noqa: S608
            for (name,) in tables.fetchall()
        }


# Queried after each event, so through the driver, which is ten times as fast.
_FIRST_WAITING = "SELECT due_at FROM job WHERE state = 'waiting' ORDER BY due_at LIMIT 1"
_FIRST_RUNNING = "SELECT claimed_until FROM job WHERE state = 'running' ORDER BY claimed_until LIMIT 1"


def base_of(name: str) -> str:
    return f"https://{name}.example"


@cache
def _clock(name: str) -> ManualClock:
    return ManualClock(datetime.min.replace(tzinfo=UTC))


@cache
def _plugins(name: str) -> tuple[InstanceSettings, Hooks]:
    """Finding plugins costs more than everything else that a node needs, so each name has them once, with its clock."""
    limits = LimitSettings(reads=100_000, writes=100_000, logins=100_000)
    settings = InstanceSettings(
        name=name, base_url=base_of(name), language="en", limits=limits, plugins={"enabled": ["federation"]}
    )
    return settings, load_plugins(settings, clock=_clock(name))


def new_node(name: str, folder: Path, now: datetime, seed: str) -> Node:
    """Makes a node. It must be the only one of its name while it is used."""
    clock, ids = _clock(name), SeededIds(f"{seed} {name}")
    clock.set(now)
    disk = Disk(clock=clock, ids=ids)
    folder.mkdir(exist_ok=True)
    node = disk.node = Node(name, folder, clock, ids, disk)
    return node
