"""Figures of an instance over time, as Prometheus reads them.

What happens in requests, each process counts for itself. What is in the database, whoever put it there, is counted
there when it is asked for, by a constant number of statements. Labels are words of the code: routes by their templates,
hooks, ids of plugins. Nothing that people choose becomes a label, or their number would have no limit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from importlib.metadata import version

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.pool import QueuePool

from ...hooks.tables import plugin_failure
from ...instance import Instance
from ...operations.backups.upkeep import BACKUP, newest_done
from ...storage.database import Transaction
from ...storage.jobs.tables import job
from ...trade.enterprises.tables import enterprise_counter
from .health import database_file

MOST_FAILED = 1000  # requests whose moments are remembered
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_log = structlog.get_logger("commensal.metrics")


class Figures:
    """Of one instance, as one process sees it."""

    def __init__(self, instance: Instance) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "commensal_requests", "Requests answered.", ["method", "route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "commensal_request_seconds", "Time until an answer was sent whole.", ["method", "route"],
            buckets=SECONDS, registry=self._registry,
        )  # fmt: skip
        ProcessCollector(registry=self._registry)
        self._registry.register(_Counted(instance))
        self._clock, self._failed = instance.clock, deque[datetime](maxlen=MOST_FAILED)

    def count_failure(self) -> None:
        """One more request was answered with a status of 5xx."""
        self._failed.append(self._clock.now())

    def failed_since(self, moment: datetime) -> int:
        """How many requests were answered with 5xx since then; at most `MOST_FAILED`."""
        return sum(at >= moment for at in tuple(self._failed))

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def text(self) -> bytes:
        """In Prometheus' text format, version 0.0.4."""
        return generate_latest(self._registry)


class _Counted(Collector):
    """What is counted when it is asked for."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def describe(self) -> Iterable[Metric]:
        return ()  # else it would be asked once at the start

    def collect(self) -> Iterator[Metric]:
        yield _gauge("commensal_info", "The version that runs.", {version("commensal"): 1}, "version")
        yield from self._pool()
        try:
            with self._instance.store.read() as tx:
                counted = [*_jobs(tx), _orders(tx), _failures(tx), *_backups(tx), self._size(tx)]
        except Exception as error:  # whatever the driver raises: what this process knows is told all the same
            _log.warning("the database could not be counted", exc_info=error)
            counted = []
        yield _gauge("commensal_database_up", "Whether the database answers.", {"": 1 if counted else 0})
        yield from counted

    def _pool(self) -> Iterator[Metric]:
        pools = [one for one in self._instance.store.pools if isinstance(one, QueuePool)]
        if pools:
            states = {"used": sum(one.checkedout() for one in pools), "idle": sum(one.checkedin() for one in pools)}
            yield _gauge("commensal_pool_connections", "Connections of this process to the database.", states, "state")

    def _size(self, tx: Transaction) -> Metric:
        file = database_file(self._instance)
        if tx.postgresql:
            size = tx.value(select(func.pg_database_size(func.current_database())))
        else:
            beside = [file.with_name(file.name + end) for end in ("", "-wal")] if file else []
            size = sum(one.stat().st_size for one in beside if one.exists())
        return _gauge("commensal_database_bytes", "Size of the database.", {"": size})


def _jobs(tx: Transaction) -> Iterator[Metric]:
    counted = tx.all(select(job.c.state, func.count().label("count")).group_by(job.c.state))
    states = dict.fromkeys(("waiting", "running", "done", "parked"), 0) | {
        row["state"]: row["count"] for row in counted
    }
    yield _gauge("commensal_jobs", "Jobs by their state; done ones are kept for thirty days.", states, "state")
    failed = job.c.state.in_(("waiting", "running")) & (job.c.error != "")
    failing = tx.value(select(func.count()).select_from(job).where(failed))
    yield _gauge("commensal_jobs_failing", "Jobs whose last try failed and that will be tried again.", {"": failing})


def _orders(tx: Transaction) -> Metric:
    """Order numbers have no gaps, so the counters of enterprises know how many orders were ever placed."""
    placed = select(func.coalesce(func.sum(enterprise_counter.c.value), 0)).where(
        enterprise_counter.c.series == "order"
    )
    return CounterMetricFamily("commensal_orders_placed", "Orders placed, ever.", int(tx.value(placed)))


def _failures(tx: Transaction) -> Metric:
    failures = CounterMetricFamily("commensal_plugin_failures", "What plugins did wrong.", labels=("plugin", "hook"))
    for row in tx.all(select(plugin_failure.c.plugin, plugin_failure.c.hook, plugin_failure.c.count)):
        failures.add_metric((row["plugin"], row["hook"]), row["count"])
    return failures


def _backups(tx: Transaction) -> Iterator[Metric]:
    """None before the first one: who wants an alarm has it on a figure that is absent, too."""
    made_at = newest_done(tx, BACKUP)
    if made_at is not None:
        age = (tx.now - made_at) // timedelta(seconds=1)
        yield _gauge("commensal_backup_age_seconds", "Since the newest backup that was made by itself.", {"": age})


def _gauge(name: str, text: str, values: dict[str, int], label: str = "") -> Metric:
    gauge = GaugeMetricFamily(name, text, labels=(label,) if label else ())
    for value, number in values.items():
        gauge.add_metric((value,) if label else (), number)
    return gauge
