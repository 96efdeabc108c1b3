"""The fixtures that come with Commensal, as a plugin of pytest.

pytest imports this module in every run on a machine where Commensal is installed, also if no test needs it. So the
module imports pytest only, and each fixture imports what it needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.testclient import TestClient

    from ..base.clock import ManualClock
    from ..instance import Instance
    from .instances import Instances, RunJobs
    from .pair import Pair
    from .receiver import Gateway
    from .shop import Shop

_MARKER = (
    "plugins(*ids, settings={}, instance_settings={}): the plugins of this test's instance, switched on at its shop. "
    "Settings are those of the one plugin that is named beside them; several markers add up. Without a marker, a test "
    "gets the plugins that the nearest pyproject.toml declares."
)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture(scope="session")
def commensal_instances(tmp_path_factory: pytest.TempPathFactory) -> Instances:
    """Opens instances; those with the same plugins are copies of one migrated database."""
    import structlog

    from ..base.logs import configure_logs
    from .instances import Instances

    if not structlog.is_configured():  # whose tracebacks show all variables: a hundred lines before the error
        configure_logs()

    return Instances(tmp_path_factory.mktemp("commensal"))


@pytest.fixture
def clock() -> ManualClock:
    """Stands still at noon in Paris on Thursday, 4 June 2026, until it is moved: ``clock.advance(hours=2)``."""
    from ..base.clock import ManualClock
    from .instances import NOON

    return ManualClock(NOON)


@pytest.fixture
def instance(
    request: pytest.FixtureRequest, commensal_instances: Instances, tmp_path: Path, clock: ManualClock
) -> Iterator[Instance]:
    """A real instance in a folder of its own, with the tables and the settings of the plugins that are marked."""
    from .marked import plan_of

    with commensal_instances.open(tmp_path / "instance", plan_of(request), clock=clock) as instance:
        yield instance


@pytest.fixture
def client(instance: Instance) -> Iterator[TestClient]:
    """A browser that speaks HTTP with the instance: pages and API."""
    from ..parts.serving.app import make_app
    from .instances import client_of

    with client_of(make_app(instance)) as client:
        yield client


@pytest.fixture
def run_jobs(instance: Instance, clock: ManualClock) -> RunJobs:
    """``run_jobs()`` does what is due now, ``run_jobs(hours=2)`` what is due by then; a job that fails is an error."""
    from .instances import RunJobs

    return RunJobs(instance, clock)


@pytest.fixture
def shop(request: pytest.FixtureRequest, instance: Instance, client: TestClient, run_jobs: RunJobs) -> Iterator[Shop]:
    """A hub with goods on open sale, where the marked plugins are switched on. Its books are checked afterwards."""
    from .marked import plan_of
    from .shop import open_shop

    shop = open_shop(instance, client, run_jobs, plan_of(request))
    yield shop
    shop.check()


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A provider outside: what plugins ask over HTTP is answered as the test says, and recorded. Nothing leaves."""
    from .receiver import Gateway

    with Gateway() as gateway:
        yield gateway


@pytest.fixture
def two_instances(
    request: pytest.FixtureRequest, commensal_instances: Instances, tmp_path: Path, clock: ManualClock
) -> Iterator[Pair]:
    """Two instances that serve on ports of this machine, each with a shop, and one clock for both."""
    from .marked import plan_of
    from .pair import serve_pair

    with serve_pair(commensal_instances, tmp_path, plan_of(request), clock) as pair:
        yield pair
