"""A change of version is killed at any step: typed again, or undone, an instance serves that has lost nothing.

The processes are real, and end by SIGKILL at a named place of the production code. Each case begins with the old
version serving, and leaves it so for the next.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .environments import Beside
from .processes import wait_until

OLD, NEW, BROKEN = "7.0.0", "7.0.1", "7.0.2"
ALL = "COMMENSAL_TEST_UPGRADES" in os.environ  # `make upgrades`; otherwise those that differ most
_KILLED = 137
pytestmark = pytest.mark.long

_FORWARD = ("built", "tried", "stopped", "migrated", "switched", "served")
_BACK = ("stopped", "restored", "replaced", "recorded", "switched")
FORWARD = (
    [(point, then) for point in _FORWARD for then in ("again", "back")]
    if ALL
    else [("stopped", "back"), ("migrated", "back"), ("switched", "again")]
)
BACK = _BACK if ALL else ("replaced",)  # test_upgrade_killed.py kills at "restored", too
HALF_WAY = ("upgrade.backed_up", "migration.before_commit", "upgrade.migrated", "upgrade.checked")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def beside(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beside]:
    """An instance with a shop, served by the old version; the new one has a revision more, and is there."""
    database = ""
    if request.param == "postgresql":
        make: Callable[[str], str] = request.getfixturevalue("new_postgresql_of_module")
        database = make("template0")
    beside = Beside(tmp_path_factory.mktemp("beside"), database)
    try:
        for number, version in enumerate((OLD, NEW, BROKEN), 1):
            beside.add_version(version, number, broken=version == BROKEN)
        beside.begin(OLD)
        beside.set_up_shop()
        wait_until(lambda: beside.health() != "", "the instance serves")
        yield beside
    finally:
        beside.close()


@pytest.fixture
def acknowledged(beside: Beside) -> Iterator[set[str]]:
    """The orders that were acknowledged. After the test all are there, and the old version serves."""
    beside.place_order()
    orders = beside.orders()
    yield orders
    if beside.program.current != OLD:
        succeed(beside, "upgrade", "--back")
    assert_served(beside, OLD)
    succeed(beside, "check")
    assert beside.orders() == orders


def wheel(beside: Beside, version: str = NEW) -> Path:
    return beside.folder / f"commensal-{version}-py3-none-any.whl"


def succeed(beside: Beside, *words: object) -> str:
    result = beside.run(*words)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def kill(beside: Beside, failpoint: str, *words: object, power_cut: bool = False) -> None:
    result = beside.run(*words, failpoint=f"{failpoint}:1", power_cut=power_cut)
    assert result.returncode == _KILLED, result.stdout + result.stderr


def assert_served(beside: Beside, version: str) -> None:
    assert (beside.program.current, beside.revisions()) == (version, 1 if version == OLD else 2)
    assert beside.health() == "ok"


@pytest.mark.parametrize(("point", "then"), FORWARD)
@pytest.mark.usefixtures("acknowledged")
def test_an_upgrade_that_was_killed_goes_on_or_back(beside: Beside, point: str, then: str) -> None:
    kill(beside, f"replacing.{point}", "upgrade", wheel(beside))
    if then == "again":
        succeed(beside, "upgrade", wheel(beside))
        assert_served(beside, NEW)
    elif point in ("migrated", "switched", "served"):
        assert f"Commensal {OLD} serves again." in succeed(beside, "upgrade", "--back")
    else:  # nothing was changed; there is nothing to undo, or an earlier test has done so; but the old version serves
        undone = beside.run("upgrade", "--back")
        output = undone.stdout + undone.stderr
        assert f"There is no way back from {OLD} but a backup" in output or f"Commensal {OLD} serves again." in output
        wait_until(lambda: beside.health() == "ok", "the old version serves")


@pytest.mark.parametrize("failpoint", HALF_WAY if ALL else HALF_WAY[2:3])
@pytest.mark.usefixtures("acknowledged")
def test_where_a_migration_is_killed_the_old_version_serves_again_by_itself(beside: Beside, failpoint: str) -> None:
    result = beside.run("upgrade", wheel(beside), failpoint=f"{failpoint}:{2 if 'commit' in failpoint else 1}")
    assert result.returncode == 1, result.stdout + result.stderr
    assert f"{OLD} serves again." in result.stderr
    assert_served(beside, OLD)


@pytest.mark.parametrize("then", ["again", "back"] if ALL else ["back"])
@pytest.mark.parametrize("failpoint", [HALF_WAY[0], HALF_WAY[2]] if ALL else HALF_WAY[2:3])
@pytest.mark.usefixtures("acknowledged")
def test_a_power_cut_during_a_migration_leaves_both_ways_open(beside: Beside, failpoint: str, then: str) -> None:
    kill(beside, failpoint, "upgrade", wheel(beside), power_cut=True)
    assert beside.health() == ""
    if then == "again":
        succeed(beside, "upgrade", wheel(beside))
        assert_served(beside, NEW)
    else:
        assert f"Commensal {OLD} serves again." in succeed(beside, "upgrade", "--back")


@pytest.mark.parametrize("point", BACK)
@pytest.mark.usefixtures("acknowledged")
def test_going_back_that_was_killed_is_typed_again(beside: Beside, point: str) -> None:
    succeed(beside, "upgrade", wheel(beside))
    kill(beside, f"returning.{point}", "upgrade", "--back")
    assert f"Commensal {OLD} serves" in succeed(beside, "upgrade", "--back")
    again = succeed(beside, "upgrade", "--back")
    assert "there is nothing to go back to" in again
    assert "stopped" not in again


@pytest.mark.usefixtures("acknowledged")
def test_a_version_that_fails_on_a_copy_stops_nothing(beside: Beside) -> None:
    refused = beside.run("upgrade", wheel(beside, BROKEN))
    assert refused.returncode == 1
    assert "A copy cannot be upgraded, so nothing was changed" in refused.stderr
    assert_served(beside, OLD)


def test_going_back_after_an_order_takes_the_word_for_it(beside: Beside) -> None:
    """And what it loses stays in a file."""
    succeed(beside, "upgrade", wheel(beside))
    order = beside.place_order()
    refused = beside.run("upgrade", "--back")
    assert "1 orders" in refused.stderr
    wait_until(lambda: beside.health() == "ok", "the new version serves")
    assert order in beside.orders()
    succeed(beside, "upgrade", "--back", "--losing-changes")
    assert order not in beside.orders()
    newer = beside.instance / ("commensal.dump.newer" if beside.database else "commensal.db.newer")
    assert newer.stat().st_size > 10_000
