"""Checks the health of an instance. Monitors ask every few seconds, so a check costs three statements at most once a
second, one write every ten seconds, one statement more if backups are configured, and what plugins read for
`health_reasons`. It never reads the folder of backups, because the disk of that may hang."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import structlog
from sqlalchemy import DateTime, column, delete, func, insert, select, table

from ...base.errors import Busy, PluginError, Problem, Unavailable
from ...hooks import specifications
from ...hooks.tables import plugin_failure
from ...instance import Instance
from ...instance.instance import read_upgrade_record, sqlite_file
from ...storage.database import Row, RowQuery, Store, Transaction
from ...storage.database.errors import advice
from ...storage.jobs.clock import AHEAD, in_doubt, newest_slot, trusted_at
from ...storage.jobs.tables import job, job_slot
from ..backups.upkeep.upkeep import overdue_work
from ..reports.replica import replica_problem
from .backups_folder import folder_refused, refused_folder
from .watched import RENEWED, Noticed, Validity, certificate_expires, certificate_late, certificate_seen

CACHED = timedelta(seconds=1)  # how long a result is reused
LATE = timedelta(minutes=5)  # jobs that are overdue for longer have no worker
RECENT = timedelta(minutes=15)  # failures of plugins within this time are reported
WRITTEN = timedelta(seconds=10)  # how long a successful write is good for
STUCK = timedelta(minutes=2)  # without a successful write, the instance is degraded
FAILED = timedelta(minutes=5)  # failed requests within this time are reported
LEAST_FREE = 500 * 1024 * 1024  # bytes on each disk
_revision = table("alembic_version", column("version_num"))
# PostgreSQL notes here that a page which it has read is not what it has written.
_DAMAGED = table("pg_stat_database", column("datname"), column("checksum_last_failure", DateTime(timezone=True)))
_PROBE = "health"  # the name of the row that is written as a test
_log = structlog.get_logger("commensal.health")
Status = Literal["ok", "degraded", "down"]
NO_DATABASE, NOTHING_WRITTEN = "no_database", "nothing_written"
DOWN = frozenset({NO_DATABASE, NOTHING_WRITTEN})  # conditions under which nothing can be sold
_MIN_ATTEMPTS = 2  # of an e-mail: a single failed attempt may be temporary; the second comes a minute later
_MAIL_REASONS = 3  # reported at most, the most frequent first
_UNSENT_MAIL = (
    select(job.c.state, job.c.error, func.count().label("count"), func.min(job.c.created_at).label("since"))
    .where(job.c.kind == "mail", job.c.error != "", job.c.state.in_(("waiting", "running", "parked")))
    .where((job.c.state == "parked") | (job.c.attempts >= _MIN_ATTEMPTS))
    .group_by(job.c.state, job.c.error)
    .order_by(func.count().desc(), job.c.error)
    .limit(_MAIL_REASONS)
)


@dataclass(frozen=True)
class Health:
    """`down`: requests cannot be served. `degraded`: they are, but an operator should look. `reasons` say why, and
    `codes` name the conditions."""

    status: Status
    reasons: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> Health:
        """The health under these conditions; those that make it `down` come first."""
        problems = sorted(problems, key=lambda problem: problem.code not in DOWN)
        codes = tuple(problem.code for problem in problems)
        status: Status = "down" if DOWN.intersection(codes) else "degraded" if codes else "ok"
        return cls(status, tuple(map(str, problems)), codes)


class Watcher:
    """Checks one instance, for any number of monitors."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._written_at: datetime | None = None  # when a write was last seen to reach the disk
        self._lock = threading.Lock()
        self._last: Health | None = None
        self._checked_at: datetime | None = None

    def health(self) -> Health:
        """The health, at most a second old. Every change is logged, so that it can be found afterwards."""
        with self._lock:
            now = self._instance.clock.now()
            if self._last is not None and self._checked_at is not None and abs(now - self._checked_at) < CACHED:
                return self._last
            previous, self._last, self._checked_at = self._last, self._check(), now
            if (previous is not None and previous != self._last) or (previous is None and self._last.status != "ok"):
                _log.warning("health", status=self._last.status, reasons=list(self._last.reasons))
            return self._last

    def _check(self) -> Health:
        problems = degrading_problems(self._instance)
        if not any(problem.code in DOWN for problem in problems):
            problems += self._write_problems()
        return Health.of(problems)

    def _write_problems(self) -> Iterator[Problem]:
        try:
            self._write()
        except Unavailable as error:
            yield _nothing_written(error)
        except Busy as error:
            text = "No write was possible for more than {minutes} minutes: {error}"
            yield Problem("no_write", text, values={"minutes": STUCK // timedelta(minutes=1), "error": error})

    def _write(self) -> None:
        """Writes and commits one row, at most every ten seconds. Raises `Unavailable` if that is impossible, and `Busy`
        if others have held the database for longer than `STUCK`."""
        now = self._instance.clock.now()
        if self._written_at is not None and timedelta(0) <= now - self._written_at < WRITTEN:
            return
        try:
            _write_row(self._instance)
        except Unavailable:
            raise
        except Busy:
            if self._written_at is None or now - self._written_at > STUCK:
                raise
        else:
            self._written_at = now


def write_problem(instance: Instance) -> Iterator[Problem]:
    """A problem if a row that is written as a test does not reach the disk; that others write meanwhile is none."""
    try:
        _write_row(instance)
    except Unavailable as error:
        yield _nothing_written(error)
    except Busy:
        return


def _write_row(instance: Instance) -> None:
    with instance.store.write(patience=1.0) as tx:
        tx.execute(delete(job_slot).where(job_slot.c.name == _PROBE))
        tx.execute(insert(job_slot).values(name=_PROBE, slot=tx.now))


def _nothing_written(error: Unavailable) -> Problem:
    why, hint = _why(error)
    text = "Nothing can be written: {error} {advice}" if hint else "Nothing can be written: {error}"
    return Problem(NOTHING_WRITTEN, text, values={"error": why, "advice": hint})


def _no_database(error: Exception) -> Problem:
    why, hint = _why(error) if isinstance(error, Unavailable) else (repr(error), None)
    text = "The database does not answer: {error} {advice}" if hint else "The database does not answer: {error}"
    return Problem(NO_DATABASE, text, values={"error": why, "advice": hint})


def _why(error: Unavailable) -> tuple[object, Problem | None]:
    """What the database itself says, and what can be done about it. Other texts say both: of a file that was moved."""
    why = error.values.get("why")
    return (error, None) if why is None else (f"{why}.", advice(str(why)))


def degrading_problems(instance: Instance) -> list[Problem]:
    """The conditions for which an instance is degraded or down, but that nothing can be written. Only reads.

    The one list of them: health, its metrics, the operator's page and ``commensal check`` begin with it. What one
    process alone can notice, others do not know: its answers of 5xx, and damage that a statement has met.
    """
    problems = list(_failed_requests(instance))
    try:
        with instance.store.read() as tx:
            state = tx.one(_state_statement(tx.now, on_postgresql=tx.postgresql))
            problems += [*_problems(tx, state, instance), *_other_revision(instance, state["revision"])]
        problems += _problems_outside(instance)
    except Exception as error:  # whatever the driver raises: requests cannot be served
        problems += full_disks(instance)
        problems.append(_no_database(error))
    return [*problems, *met_damage(instance.store, problems)]


def met_damage(store: Store, problems: Iterable[Problem]) -> Iterator[Problem]:
    """A problem if a statement of this process has read a damaged page. It stays when others read none."""
    if (why := store.damage) and not any(problem.code in ("damaged_pages", NO_DATABASE) for problem in problems):
        text = "A damaged page of the database was read: {why}. {advice}"
        yield Problem("damaged_pages", text, values={"why": why, "advice": advice(why)})


def _failed_requests(instance: Instance) -> Iterator[Problem]:
    if count := instance.state.of(Noticed).failed_since(instance.clock.now() - FAILED):
        text = "{count} requests of the last {minutes} minutes were answered with an error (5xx); see the log."
        yield Problem("failed_requests", text, values={"count": count, "minutes": FAILED // timedelta(minutes=1)})


def _other_revision(instance: Instance, revision: str) -> Iterator[Problem]:
    noticed = instance.state.of(Noticed)
    noticed.revision = noticed.revision or revision  # opening the instance has compared it with the code
    if revision != noticed.revision:
        text = "The database was migrated or replaced since this process began; restart it."
        yield Problem("other_revision", text)


def _problems(tx: Transaction, state: Row, instance: Instance) -> list[Problem]:
    problems = []
    if state["parked"]:
        text = "{count} jobs are parked after their last try; `commensal jobs` lists them."
        problems.append(Problem("parked", text, values={"count": state["parked"]}))
    if state["overdue"]:
        text = "{count} jobs are overdue by more than {minutes} minutes; is a worker running?"
        minutes = LATE // timedelta(minutes=1)
        problems.append(Problem("overdue", text, values={"count": state["overdue"], "minutes": minutes}))
    problems += [*clock_and_worker(tx.now, state["slot"]), *clock_ahead(tx.now, state["before"])]
    if state["folder_refused"] and instance.settings.backups.folder:
        problems.append(refused_folder(instance))
    if until := state["certificate"]:
        validity = Validity(until, state["certificate_late"] or until - RENEWED)
        problems += certificate_expires(instance.settings.base_url, validity, tx.now)
    if state.get("damaged"):
        text = (
            "PostgreSQL has read a damaged page, last on {at:%Y-%m-%d %H:%M} UTC: look at its disk, keep its data, and "
            "restore the newest backup into a new database (`commensal restore`)."
        )
        problems.append(Problem("damaged_pages", text, values={"at": state["damaged"].astimezone(UTC)}))
    problems += [*unsent_mail(tx), *failing_plugins(tx)]
    return [*problems, *(overdue_work(tx) if instance.settings.backups.folder else ())]


def _problems_outside(instance: Instance) -> list[Problem]:
    """Problems that are not read from the core's tables in one transaction."""
    plugins = (problem for _, problem in plugin_reasons(instance))
    replica = replica_problem(instance)
    return [*plugins, *full_disks(instance), *_unfinished_upgrade(instance), *([replica] if replica else [])]


def _unfinished_upgrade(instance: Instance) -> Iterator[Problem]:
    """A problem if the last upgrade did not finish. The database itself is migrated, or it would not have opened; only
    the final check is missing."""
    upgrade = read_upgrade_record(instance.folder)
    if upgrade is not None and not upgrade.finished:
        text = (
            "The upgrade to Commensal {version} of {at:%Y-%m-%d %H:%M} UTC did not come to its end; stop "
            "the instance and run `commensal upgrade`. As it was before, it is in {backup}."
        )
        values = {"version": upgrade.version, "at": upgrade.at, "backup": upgrade.backup}
        yield Problem("unfinished_upgrade", text, values=values)


def _state_statement(now: datetime, *, on_postgresql: bool) -> RowQuery:
    """A statement for one row, every part of which uses an index, however many jobs there are."""
    overdue = (job.c.state == "waiting", job.c.due_at < now - LATE)
    parts = {
        "parked": select(func.count()).select_from(job).where(job.c.state == "parked"),
        "overdue": select(func.count()).select_from(job).where(*overdue),
        "slot": newest_slot(),
        "before": trusted_at(now),
        "certificate": certificate_seen(),
        "certificate_late": certificate_late(),
        "folder_refused": folder_refused(),
        "revision": select(func.max(_revision.c.version_num)),
    }
    if on_postgresql:
        parts["damaged"] = select(_DAMAGED.c.checksum_last_failure).where(_DAMAGED.c.datname == func.current_database())
    return select(*(statement.scalar_subquery().label(name) for name, statement in parts.items()))


def clock_and_worker(now: datetime, slot: datetime | None) -> Iterator[Problem]:
    """Problems that follow from the minute of the last work: a wrong clock, or no worker."""
    if slot is None:
        return
    if slot > now + AHEAD:
        text = (
            "The clock says {now:%Y-%m-%d %H:%M} UTC, but work was done at {slot:%Y-%m-%d %H:%M}. Set it if it is "
            "wrong (`timedatectl set-ntp true`); if it is right, `commensal check --clock-is-right` says so."
        )
        yield Problem("clock_behind", text, values={"now": now, "slot": slot})
    elif slot < now - LATE:
        text = "No worker has done anything since {slot:%Y-%m-%d %H:%M} UTC; run `commensal work`, or serve with jobs."
        yield Problem("no_worker", text, values={"slot": slot})


def clock_ahead(now: datetime, before: datetime | None) -> Iterator[Problem]:
    """A problem if the clock may be ahead; `before` is the last moment at which it was trusted."""
    if in_doubt(now, before):
        text = (
            "The clock says {now:%Y-%m-%d %H:%M} UTC, and it was right for certain at {before:%Y-%m-%d %H:%M}. Set it "
            "if it is wrong; if it is right, `commensal check --clock-is-right` says so. Until then, or until a time "
            "server sets it, nothing is forgotten and no sale is completed."
        )
        yield Problem("clock_ahead", text, values={"now": now, "before": before})


def failing_plugins(tx: Transaction) -> Iterator[Problem]:
    """A problem for each plugin and hook that failed within `RECENT`."""
    failed = select(plugin_failure.c.plugin, plugin_failure.c.hook).where(plugin_failure.c.last_at > tx.now - RECENT)
    for row in tx.all(failed.order_by(plugin_failure.c.plugin, plugin_failure.c.hook)):
        text = "The plugin {plugin} failed in {hook} lately; `commensal plugins` tells how."
        yield Problem("plugin_failing", text, values=dict(row))


def full_disks(instance: Instance) -> list[Problem]:
    """Problems for the disks of the instance's folder and of the database that are almost full."""
    free, gone = dict[str, int](), list[Path]()
    for folder in used_folders(instance):
        try:
            free[str(folder.resolve())] = shutil.disk_usage(folder).free
        except OSError:  # also where this user may not look at it
            gone.append(folder)
    return [
        *(Problem("no_folder", "There is no {folder}: is its disk mounted?", values={"folder": f}) for f in gone),
        *_almost_full(free),
    ]


def _almost_full(free: Mapping[str, int]) -> list[Problem]:
    """Problems for folders, by how many bytes are free on their disks."""
    return [
        Problem(
            "full_disk",
            "Only {left} MB are free in {folder}; make room.",
            values={"left": free_bytes // 1024**2, "folder": folder},
        )
        for folder, free_bytes in sorted(free.items())
        if free_bytes < LEAST_FREE
    ]


def used_folders(instance: Instance) -> set[Path]:
    """The folder of the instance, that of an SQLite database, and that of pictures if it is another."""
    shared = [Path(instance.settings.images.folder)] if instance.settings.images.folder else []
    return {instance.folder, *shared, *([file.parent] if (file := database_file(instance)) else [])}


def database_file(instance: Instance) -> Path | None:
    """The file of a SQLite database; None for PostgreSQL."""
    return sqlite_file(instance.store.url)


def unsent_mail(tx: Transaction) -> Iterator[Problem]:
    """A problem for each reason why e-mails were refused for good, or failed more than once."""
    for row in tx.all(_UNSENT_MAIL):
        values = {"count": row["count"], "since": row["since"], "error": row["error"]}
        if row["state"] == "parked":
            text = (
                "{count} e-mails were given up, the oldest of {since:%Y-%m-%d %H:%M} UTC: {error}; see [mail], then "
                "`commensal jobs --retry mail`."
            )
        else:
            text = (
                "{count} e-mails could not be sent yet, the oldest of {since:%Y-%m-%d %H:%M} UTC: {error}; see [mail]."
            )
        yield Problem("unsent_mail", text, values=values)


def plugin_reasons(instance: Instance) -> Iterator[tuple[str, Problem]]:
    """Yields each problem with the id of its plugin. A plugin that fails or hangs is left out: it costs its own time
    limit, and the failure is noted."""
    hook, hooks = specifications.health_reasons, instance.hooks
    for plugin in hooks.implementing(hook):
        try:
            with instance.store.read() as tx:
                answers = hooks.each(hook, [plugin], tx=tx, instance=instance)
        except PluginError:
            continue
        yield from ((plugin, problem) for answer in answers for problem in answer.value or ())
