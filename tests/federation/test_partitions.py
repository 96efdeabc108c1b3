"""Three instances as processes, with lines between them that fail: each sells what it holds, and then all agree.

The lines are proxies of the tests, which fail as HTTP calls do, and, where the tests have the rights, cables between
network namespaces, which fail as networks do.
"""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP

import pytest
from sqlalchemy import select

from commensal.instance.instance import DATABASE
from commensal_federation.delivery.tables import federation_lane

from ..core.processes import wait_until
from .living import NAMES, ServingInstance, Trade, make_trade
from .namespaces import Machines, Unavailable
from .proxy import Line, Proxy

pytestmark = pytest.mark.bundled
PORT = 8000


Lines = Sequence[Proxy]


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path | None]:
    """A small file system for the folder of a hub, or None without the right to mount one."""
    folder = tmp_path_factory.mktemp("disk")
    mount = ["mount", "-t", "tmpfs", "-o", "size=32m,mode=700", "commensal", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture(scope="module")
def on_lines(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, small_disk: Path | None
) -> Iterator[tuple[Trade, Lines]]:
    """The trade with a proxy before each instance, which all others call."""
    folder = tmp_path_factory.mktemp("lines")
    folders = [folder / "farm", folder / "north", (small_disk or folder) / "south"]
    with ExitStack() as stack:
        lines = [stack.enter_context(Proxy()) for _ in NAMES]
        urls = [f"http://127.0.0.1:{line.port}" for line in lines]
        trade = make_trade(folders, sqlite_template, urls, "127.0.0.1", "127.0.0.0/8")
        for instance, proxy in zip(trade.all, lines, strict=True):
            instance.began = proxy.lead_to
        with _serving(trade):
            yield trade, lines


@pytest.fixture(scope="module")
def on_cables(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[tuple[Trade, Machines]]:
    """The trade with a network namespace for each instance; the hubs' have a cable to the farm's."""
    folder = tmp_path_factory.mktemp("cables")
    try:
        stack = ExitStack()
        machines = stack.enter_context(Machines(len(NAMES)))
    except Unavailable as error:
        pytest.skip(f"network namespaces need root, and `ip` of iproute2: {error}")
    with stack:
        urls = [f"http://{machine.address}:{PORT}" for machine in machines.all]
        folders = [folder / name for name in NAMES]
        trade = make_trade(folders, sqlite_template, urls, "0.0.0.0", "10.77.0.0/24")  # noqa: S104 - of its machine
        for instance, machine in zip(trade.all, machines.all, strict=True):
            instance.command, instance.within, instance.port = machine.command, machine.visit, PORT
        with _serving(trade):
            yield trade, machines


@contextmanager
def _serving(trade: Trade) -> Iterator[None]:
    """Lets all serve until the block ends."""
    try:
        trade.open()
        yield
    finally:
        for instance in trade.all:
            instance.end()
        for instance in trade.all:
            instance.place.instance.close()


@pytest.fixture
def lines(on_lines: tuple[Trade, Lines]) -> Iterator[Lines]:
    yield on_lines[1]
    _set_all(on_lines[1], "open")


@pytest.fixture
def trade(on_lines: tuple[Trade, Lines], lines: Lines) -> Trade:
    """A trade whose instances agree."""
    on_lines[0].deliver()
    return on_lines[0]


@pytest.fixture
def machines(on_cables: tuple[Trade, Machines]) -> Iterator[Machines]:
    machines = on_cables[1]
    yield machines
    for number in range(1, len(NAMES)):
        machines.plug(number)


@pytest.fixture
def networked(on_cables: tuple[Trade, Machines], machines: Machines) -> Trade:
    on_cables[0].deliver()
    return on_cables[0]


def _set_all(lines: Lines, line: Line) -> None:
    for proxy in lines:
        proxy.set(line)


def test_hubs_sell_what_they_hold_while_nobody_reaches_anybody(trade: Trade, lines: Lines) -> None:
    _set_all(lines, "cut")
    trade.sell_apart()
    trade.sell_all()
    _set_all(lines, "open")
    trade.close()


def test_answers_of_the_farm_are_lost_and_then_those_of_the_hubs(trade: Trade, lines: Lines) -> None:
    """Requests are granted although the answers get lost: nothing is granted twice, and nothing is lost."""
    lines[0].set("lost")
    for hub in trade.hubs:
        assert hub.order() == 201
        assert hub.order(int(trade.held(hub)) + 1) in (201, 409)  # the farm may deliver the grant by a call of its own
    lines[0].set("open")
    _set_all(lines[1:], "lost")
    assert [instance.order(3) for instance in trade.all] == [201] * 3
    trade.farm.hurry()
    _set_all(lines[1:], "open")
    trade.close()


def test_a_line_that_flaps_and_breaks_off_in_the_middle(trade: Trade, lines: Lines) -> None:
    weather: tuple[Line, ...] = ("torn", "slow", "torn up", "open", "cut", "open", "hang", "torn")
    for line in weather:
        _set_all(lines, line)
        for instance in trade.all:
            assert instance.order() in (201, 409)
            instance.hurry()
    _set_all(lines, "open")
    trade.close()


def test_a_farm_that_hangs_keeps_customers_of_hubs_no_longer_than_they_wait(trade: Trade) -> None:
    trade.farm.tell(SIGSTOP)
    try:
        for hub in trade.hubs:
            assert hub.order() == 201
            assert hub.order(int(trade.held(hub)) + 1) == 409
    finally:
        trade.farm.tell(SIGCONT)
    trade.close()


def test_a_farm_that_is_killed_and_comes_back(trade: Trade) -> None:
    trade.farm.end(SIGKILL)
    for hub in trade.hubs:
        assert hub.order() == 201
        hub.hurry()
    trade.farm.begin()
    trade.farm.wait()
    trade.close()


def test_a_hub_that_is_killed_while_it_calls_goes_on_as_soon_as_it_is_back(trade: Trade, lines: Lines) -> None:
    """Its lane and its job were claimed for two minutes and for five: longer than `Trade.agree` waits."""
    north = trade.hubs[0]
    lines[0].set("hang")
    assert north.order() == 201
    wait_until(lambda: calls_under_way(north), "it calls the farm")
    north.end(SIGKILL)
    lines[0].set("open")
    north.begin()
    north.wait()
    trade.close()


def calls_under_way(hub: ServingInstance) -> int:
    """How many lanes are being pushed to the farm."""
    lane = federation_lane.c
    hub.hurry()
    with hub.place.read() as tx:
        pushed = select(lane.lane).where(lane.direction == "out", lane.worked_until > tx.now)
        return len(tx.all(pushed))


def test_a_cable_is_pulled_and_another_is_not(networked: Trade, machines: Machines) -> None:
    machines.pull(1)
    north, south = networked.hubs
    networked.sell_apart(north)
    networked.sell_more(south)
    machines.plug(1)
    networked.close()


@pytest.mark.parametrize("backwards", [False, True], ids=["to the hub", "from the hub"])
def test_a_route_leads_nowhere(networked: Trade, machines: Machines, backwards: bool) -> None:
    machines.lead_nowhere(1, backwards=backwards)
    networked.sell_apart(networked.hubs[0])
    machines.plug(1)
    networked.close()


def test_cables_that_flap(networked: Trade, machines: Machines) -> None:
    changes: list[Callable[[int], None]] = [machines.pull, machines.plug] * 4
    for change in changes:
        for number, hub in enumerate(networked.hubs, 1):
            change(number)
            assert hub.order() in (201, 409)
            hub.hurry()
        networked.farm.hurry()
    networked.close()


def test_the_disk_of_a_hub_is_full(trade: Trade, small_disk: Path | None) -> None:
    """The hub sells nothing and says so; the others continue, and the hub receives their messages later."""
    if small_disk is None:
        pytest.skip("mounting a small file system needs root")
    north, south = trade.hubs
    with closing(sqlite3.connect(small_disk / "south" / DATABASE)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with _full(small_disk):
        assert south.order() >= 500
        trade.sell_more(north)
        assert trade.farm.order() == 201
    assert south.order() == 201
    trade.close()


@contextmanager
def _full(disk: Path) -> Iterator[None]:
    with (disk / "filler").open("wb", buffering=0) as filler:
        size = 1024 * 1024
        while size:
            try:
                filler.write(bytes(size))
            except OSError:
                size //= 2
    try:
        yield
    finally:
        (disk / "filler").unlink()
