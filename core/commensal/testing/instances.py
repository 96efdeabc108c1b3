"""Opens real instances for tests, each migrated and in a folder of its own, with a clock that the test moves."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import select
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from ..base.clock import ManualClock
from ..base.ids import SeededIds
from ..hooks.loading import load_plugins, migration_folders
from ..instance import Instance, InstanceSettings
from ..instance.instance import DATABASE
from ..instance.settings import LimitSettings, OutboundSettings
from ..parts.serving.work import work_of
from ..storage.database import Store
from ..storage.database.migrate import migrate
from ..storage.jobs.periodic import tick
from ..storage.jobs.tables import job

NOON = datetime(2026, 6, 4, 10, 0, tzinfo=UTC)  # a Thursday, noon in Paris
_LIMITS = LimitSettings(reads=100_000, writes=100_000, logins=100_000)  # tests send requests faster than people


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The plugins of a test, in the order in which their hooks are called.

    settings:          of the enterprise, by plugin
    instance_settings: of the operator, by plugin
    modules:           stand in for installed plugins
    """

    plugins: tuple[str, ...] = ()
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    instance_settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    modules: Mapping[str, ModuleType] = field(default_factory=dict)


class Instances:
    """Opens instances below a folder. Those with the same plugins start as copies of one migrated database, which takes
    milliseconds instead of a second; and these start as copies of one with the core's tables."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._templates = folder, dict[tuple[tuple[str, Path], ...], Path]()

    def open(
        self,
        folder: Path,
        plan: Plan,
        *,
        clock: ManualClock | None = None,
        base_url: str = "http://testserver",
        name: str = "Test",
        reaching: tuple[str, ...] = (),
        database_url: str = "",
    ) -> Instance:
        """An instance with the plan's plugins and English as its language. Close it.

        `reaching` are internal addresses that it may send requests to, like "127.0.0.1:8000". `database_url` names an
        empty database with all tables of these plugins; by default, it gets a file of its own.
        """
        settings = InstanceSettings(
            name=name,
            base_url=base_url,
            language="en",
            limits=_LIMITS,
            outbound=OutboundSettings(allow=reaching),
            plugins={"enabled": list(plan.plugins), **plan.instance_settings},
        )
        clock, ids = clock or ManualClock(NOON), SeededIds(name)
        hooks = load_plugins(settings, clock=clock, modules=plan.modules)
        folder.mkdir(parents=True, exist_ok=True)
        if not database_url:
            shutil.copyfile(self._template(migration_folders(hooks).items()), folder / DATABASE)
        store = Store(database_url or f"sqlite:///{folder / DATABASE}", clock=clock, ids=ids)
        return Instance(folder, settings, store, hooks, clock, ids)

    def _template(self, lines: Collection[tuple[str, Path]]) -> Path:
        """An empty database with the tables of the core and of these plugins."""
        key = tuple(lines)
        if key not in self._templates:
            core_template = self._template(()) if key else None
            file = self._folder / f"template-{len(self._templates)}.db"
            if core_template is not None:
                shutil.copyfile(core_template, file)
            store = Store(f"sqlite:///{file}", clock=ManualClock(NOON), ids=SeededIds("template"))
            try:
                migrate(store, dict(key))
            finally:
                store.close()
            self._templates[key] = file
        return self._templates[key]


# A client for an application in this process, which sends requests like a browser on the same site.


def client_of(app: ASGIApp) -> TestClient:
    """The client. A status of 500 is returned, not raised as an error, as a visitor would see it."""
    return TestClient(app, raise_server_exceptions=False, headers={"Origin": "http://testserver"})


# Runs the jobs of an instance at the times that a test chooses.


class JobFailed(AssertionError):
    """A job raised an error. A serving instance would retry it, and park it in the end."""


class RunJobs:
    """Moves the clock forward, and runs all jobs that are due then: ``run_jobs()``, ``run_jobs(hours=2)``."""

    def __init__(self, instance: Instance, clock: ManualClock) -> None:
        self._instance, self._clock = instance, clock

    def __call__(self, *, failing: bool = False, **later: float) -> None:
        """`later` are arguments of `timedelta`. Raises `JobFailed` if a job failed, unless `failing` expects it."""
        self._clock.advance(**later)
        tick(self._instance, work_of(self._instance))
        failed = self.failed()
        if failed and not failing:
            raise JobFailed("; ".join(f"{kind}: {error}" for kind, error in failed))

    def failed(self) -> list[tuple[str, str]]:
        """Kind and error of every job that has failed and not succeeded since."""
        with self._instance.store.read() as tx:
            rows = tx.all(select(job.c.kind, job.c.error).where(job.c.state != "done", job.c.error != ""))
        return [(row["kind"], row["error"]) for row in rows]
