"""Metrics of an instance in the format of Prometheus.

Each process counts its own requests. What is in the database, whichever process wrote it, is counted when the metrics
are requested, in a constant number of statements. Labels come from the code: templates of routes, hooks, ids of
plugins. Nothing that people choose becomes a label, since the number of labels would have no bound then.
"""

from __future__ import annotations

import shutil
from collections import Counter as Counts
from collections.abc import Iterable, Iterator
from datetime import timedelta
from importlib.metadata import version
from typing import get_args

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.pool import QueuePool

from ...enterprises.tables import enterprise_counter
from ...hooks.tables import plugin_failure
from ...instance import Instance
from ...storage.database import Transaction
from ...storage.jobs.clock import newest_slot
from ...storage.jobs.tables import job
from ..backups.upkeep.upkeep import BACKUP, TRIAL, newest_done
from .health import Health, Status, database_file, used_folders
from .watched import Noticed

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_log = structlog.get_logger("commensal.metrics")


class Metrics:
    """The metrics of one instance, as seen by one process."""

    def __init__(self, instance: Instance) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "commensal_requests", "Requests answered.", ["method", "route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "commensal_request_seconds",
            "Time until an answer was sent whole.",
            ["method", "route"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._health = Gauge("commensal_health", "1 at the present state.", ["status"], registry=self._registry)
        what = "What makes it degraded or down."
        self._problems = Gauge("commensal_problems", what, ["code"], registry=self._registry)
        ProcessCollector(registry=self._registry)
        self._registry.register(_CollectedMetrics(instance))
        self.count_failure = instance.state.of(Noticed).count_failure  # of a request answered with a status of 5xx

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def text(self, health: Health) -> bytes:
        """The metrics in Prometheus' text format, version 0.0.4, with the present health."""
        for state in get_args(Status):
            self._health.labels(state).set(state == health.status)
        self._problems.clear()
        for code, count in Counts(health.codes).items():
            self._problems.labels(code).set(count)
        return generate_latest(self._registry)


class _CollectedMetrics(Collector):
    """Metrics that are collected when they are requested."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def describe(self) -> Iterable[Metric]:
        return ()  # otherwise registering it would call `collect`

    def collect(self) -> Iterator[Metric]:
        yield _gauge("commensal_info", "The version that runs.", {version("commensal"): 1}, "version")
        yield from self._pool()
        try:
            with self._instance.store.read() as tx:
                metrics = [*_jobs(tx), _orders(tx), _failures(tx), *_ages(tx), self._size(tx)]
                metrics.append(_free(self._instance))
        except Exception as error:  # whatever the driver raises: the other metrics are served all the same
            _log.warning("the database could not be counted", exc_info=error)
            metrics = []
        yield _gauge("commensal_database_up", "Whether the database answers.", {"": 1 if metrics else 0})
        yield from metrics

    def _pool(self) -> Iterator[Metric]:
        pools = [pool for pool in self._instance.store.pools if isinstance(pool, QueuePool)]
        if pools:
            states = {"used": sum(pool.checkedout() for pool in pools), "idle": sum(pool.checkedin() for pool in pools)}
            yield _gauge("commensal_pool_connections", "Connections of this process to the database.", states, "state")

    def _size(self, tx: Transaction) -> Metric:
        file = database_file(self._instance)
        if tx.postgresql:
            size = tx.value(select(func.pg_database_size(func.current_database())))
        else:
            files = [file.with_name(file.name + suffix) for suffix in ("", "-wal")] if file else []
            size = sum(file_.stat().st_size for file_ in files if file_.exists())
        return _gauge("commensal_database_bytes", "Size of the database.", {"": size})


def _jobs(tx: Transaction) -> Iterator[Metric]:
    rows = tx.all(select(job.c.state, func.count().label("count")).group_by(job.c.state))
    states = dict.fromkeys(("waiting", "running", "done", "parked"), 0) | {row["state"]: row["count"] for row in rows}
    yield _gauge("commensal_jobs", "Jobs by their state; done ones are kept for thirty days.", states, "state")
    failed = job.c.state.in_(("waiting", "running")) & (job.c.error != "")
    failing = tx.value(select(func.count()).select_from(job).where(failed))
    yield _gauge("commensal_jobs_failing", "Jobs whose last try failed and that will be tried again.", {"": failing})


def _orders(tx: Transaction) -> Metric:
    """The number of orders ever placed: order numbers have no gaps, so it is the sum of the enterprises' counters."""
    placed = select(func.coalesce(func.sum(enterprise_counter.c.value), 0)).where(
        enterprise_counter.c.series == "order"
    )
    return CounterMetricFamily("commensal_orders_placed", "Orders placed, ever.", int(tx.value(placed)))


def _failures(tx: Transaction) -> Metric:
    failures = CounterMetricFamily("commensal_plugin_failures", "What plugins did wrong.", labels=("plugin", "hook"))
    for row in tx.all(select(plugin_failure.c.plugin, plugin_failure.c.hook, plugin_failure.c.count)):
        failures.add_metric((row["plugin"], row["hook"]), row["count"])
    return failures


def _ages(tx: Transaction) -> Iterator[Metric]:
    """How long ago it was done; absent before the first time, which alerts can test for."""
    moments = {
        ("commensal_backup_age_seconds", "Since the newest backup was made."): newest_done(tx, BACKUP),
        ("commensal_backup_trial_age_seconds", "Since a backup was restored to try it."): newest_done(tx, TRIAL),
        ("commensal_worker_age_seconds", "Since a worker has worked."): tx.value(newest_slot()),
    }
    for (name, text), moment in moments.items():
        if moment is not None:
            yield _gauge(name, text, {"": (tx.now - moment) // timedelta(seconds=1)})


def _free(instance: Instance) -> Metric:
    free = min(shutil.disk_usage(folder).free for folder in used_folders(instance))
    return _gauge("commensal_disk_free_bytes", "Free space of the fullest disk that the instance uses.", {"": free})


def _gauge(name: str, text: str, values: dict[str, int], label: str = "") -> Metric:
    gauge = GaugeMetricFamily(name, text, labels=(label,) if label else ())
    for value, number in values.items():
        gauge.add_metric((value,) if label else (), number)
    return gauge
