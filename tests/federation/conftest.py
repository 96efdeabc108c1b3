"""Several instances in one test, joined by wires that can be cut, on one clock that is moved by hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from commensal.clock import ManualClock
from commensal.hooks.loading import load_plugins
from commensal.ids import SeededIds
from commensal.instance import Instance, Settings
from commensal.instance.settings import LimitSettings
from commensal.jobs.run import run_due
from commensal.store import Store
from commensal.work import work_of
from commensal_federation.identity import begin_identity
from commensal_federation.testing import Region, region_of

NewRegion = Callable[..., Region]


@pytest.fixture(params=["sqlite", "postgresql"])
def new_region(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Iterator[NewRegion]:
    """Makes a region: ``new_region("a", "b", plugins=("federation", …))``. Each instance has keys, and no peer yet."""
    opened: list[Instance] = []

    def make(*names: str, plugins: tuple[str, ...] = ("federation",)) -> Region:
        instances = [(name, _instance(request, tmp_path, clock, name, plugins)) for name in names]
        opened.extend(instance for _, instance in instances)
        works = {id(instance): work_of(instance) for _, instance in instances}
        region = region_of(instances, lambda instance: run_due(instance, works[id(instance)]))
        for federation in region.members.values():
            begin_identity(federation)
        return region

    yield make
    for instance in opened:
        instance.close()


@pytest.fixture
def region(new_region: NewRegion) -> Region:
    """Three instances: a and b are peers, c is a stranger to both."""
    made = new_region("a", "b", "c")
    made.befriend("a", "b")
    return made


def _instance(
    request: pytest.FixtureRequest, folder: Path, clock: ManualClock, name: str, plugins: tuple[str, ...]
) -> Instance:
    place = folder / name
    place.mkdir()
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), place / "commensal.db")
        url = f"sqlite:///{place / 'commensal.db'}"
    else:
        url = request.getfixturevalue("new_postgresql")()
    settings = Settings(
        name=f"Instance {name.upper()}",
        base_url=f"https://{name}.example",
        language="en",
        limits=LimitSettings(reads=100_000, writes=100_000, logins=100_000),
        plugins={"enabled": list(plugins)},
    )
    ids = SeededIds(name)
    store = Store(url, clock=clock, ids=ids)
    return Instance(place, settings, store, load_plugins(settings, clock=clock), clock, ids)
