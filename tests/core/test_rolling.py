"""Two versions at once on one PostgreSQL: where no revision is needed, web servers are replaced one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.ports import free_ports

from .environments import Beside
from .processes import wait_until

OLD, MEND, NEW = "7.0.0", "7.0.1", "7.0.2"  # the last one has a revision more
pytestmark = pytest.mark.long


@pytest.fixture
def beside(new_postgresql: Callable[[str], str], tmp_path: Path) -> Iterator[Beside]:
    beside = Beside(tmp_path, new_postgresql("template0"))
    try:
        for version, revisions in ((OLD, 1), (MEND, 1), (NEW, 2)):
            beside.add_version(version, revisions)
        beside.begin(OLD)
        beside.set_up_shop()
        yield beside
    finally:
        beside.close()


def test_a_mend_is_rolled_out_without_a_gap_and_a_revision_is_not(beside: Beside) -> None:
    first, second = free_ports(2)
    with beside.serving(OLD, first):
        wait_until(lambda: beside.health(first) == "ok", "the old version serves beside the worker's")
        with beside.serving(MEND, second):
            wait_until(lambda: beside.health(second) == "ok", "the new version serves beside it")
            orders = {beside.place_order(port) for port in (first, second, first, second)}
    wait_until(lambda: beside.health(first) == beside.health(second) == "", "both have stopped")
    assert beside.orders() == orders
    with beside.serving(NEW, second):
        wait_until(lambda: "The database is older" in (beside.folder / "log").read_text(), "it refuses")
    result = beside.run("upgrade", beside.folder / f"commensal-{MEND}-py3-none-any.whl")
    assert result.returncode == 0, result.stdout + result.stderr
    with beside.serving(MEND, first):
        wait_until(lambda: beside.health(first) == "ok", "another server, which systemd does not know, serves")
        refused = beside.run("upgrade", beside.folder / f"commensal-{NEW}-py3-none-any.whl")
        assert "the instance is running" in refused.stderr
        assert beside.place_order(first) in beside.orders()
    wait_until(lambda: beside.health() == "ok", "the version before serves again")
    assert (beside.program.current, beside.revisions()) == (MEND, 1)
