"""Weekly releases in a row: each has a revision and is installed unattended, while guests go on ordering. Nothing that
was acknowledged is lost, and the disk does not fill with old versions.

`make upgrades` runs 52 weeks on each database and prints how long nobody was served; CI runs two.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from statistics import median

import pytest

from .environments import Beside
from .processes import wait_until

WEEKS = int(os.environ.get("COMMENSAL_TEST_UPGRADES", "2"))
DOWNTIME = re.compile(r"Nobody was served for ([\d.]+) seconds")
pytestmark = pytest.mark.long


@pytest.fixture(params=["sqlite", "postgresql"])
def beside(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beside]:
    """An instance with a shop, which version 7.0.0 serves."""
    database = ""
    if request.param == "postgresql":
        make: Callable[[str], str] = request.getfixturevalue("new_postgresql")
        database = make("template0")
    beside = Beside(tmp_path_factory.mktemp("weeks"), database)
    try:
        beside.add_version("7.0.0", 1)
        beside.begin("7.0.0")
        beside.set_up_shop()
        wait_until(lambda: beside.health() != "", "the instance serves")
        yield beside
    finally:
        beside.close()


def test_a_year_of_weekly_releases_loses_nothing(beside: Beside) -> None:
    """Now and then one needs a person, fails on the copy, or is killed within its migration."""
    downtimes = list[float]()
    with beside.shoppers() as acknowledged:
        for week in range(1, WEEKS + 1):
            kind = ("minor", "broken", "killed")[week // 8 % 3] if WEEKS > 8 and week % 8 == 0 else "mend"
            version = next_version(beside.program.current, minor=kind == "minor")
            wheel = beside.add_version(version, week + 1, broken=kind == "broken")
            before, orders = beside.program.current, len(acknowledged)
            if kind == "minor":
                assert "is more than a mend of" in refused(beside.run("upgrade", wheel, "--unattended"))
                downtimes += upgraded(beside.run("upgrade", wheel), version, beside)
            elif kind == "broken":
                assert "nothing was changed" in refused(beside.run("upgrade", wheel, "--unattended"))
                assert (beside.program.current, beside.health()) == (before, "ok")
                beside.add_version(version, week + 1)  # which is mended, and comes the next day
                downtimes += upgraded(beside.run("upgrade", wheel, "--unattended"), version, beside)
            elif kind == "killed":
                killed = beside.run("upgrade", wheel, "--unattended", failpoint="upgrade.migrated:1")
                assert f"{before} serves again" in refused(killed)
                downtimes += upgraded(beside.run("upgrade", wheel, "--unattended"), version, beside)
            else:
                downtimes += upgraded(beside.run("upgrade", wheel, "--unattended"), version, beside)
            wait_until(lambda number=orders: len(acknowledged) > number, "somebody orders")  # type: ignore[misc]
    assert beside.orders() >= set(acknowledged)
    assert beside.revisions() == WEEKS + 1
    assert len(list(beside.program.environment("").iterdir())) == 2, "the version in use, and the one before"
    checked = beside.run("check")
    assert checked.returncode == 0, checked.stdout
    print(
        f"{WEEKS} releases on {'PostgreSQL' if beside.database else 'SQLite'}, {len(acknowledged)} orders: nobody was "
        f"served for {median(downtimes):.1f} s (median), {min(downtimes):.1f} to {max(downtimes):.1f} s"
    )


def next_version(current: str, *, minor: bool) -> str:
    major, middle, mend = map(int, current.split("."))
    return f"{major}.{middle + 1}.0" if minor else f"{major}.{middle}.{mend + 1}"


def upgraded(result: subprocess.CompletedProcess[str], version: str, beside: Beside) -> list[float]:
    """Asserts that the upgrade worked, and returns for how many seconds nobody was served."""
    assert result.returncode == 0, result.stdout + result.stderr
    assert (beside.program.current, beside.health()) == (version, "ok")
    return [float(seconds) for seconds in DOWNTIME.findall(result.stdout)]


def refused(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 1, result.stdout + result.stderr
    return result.stderr
