"""Two instances that serve over HTTP: goods of the first travel with a van of the second, by one statement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from commensal.base.clock import ManualClock
from commensal.operations.work import work_of
from commensal.storage.jobs.run import run_due
from commensal.testing.instances import NOON, Instances, Plan
from commensal_federation.identity import begin_identity
from commensal_federation.runtime import federation_of
from commensal_federation.testing import Region, Wires

from ..ports import free_ports
from .carrying import open_road
from .serving import serving


@pytest.fixture
def new_region(tmp_path: Path) -> Iterator[Callable[..., Region]]:
    """Like that of `conftest`, with real requests over loopback in the place of wires."""
    with ExitStack() as stack:
        (tmp_path / "templates").mkdir()
        instances, clock = Instances(tmp_path / "templates"), ManualClock(NOON)

        def make(*names: str, plugins: tuple[str, ...], friends: tuple[str, ...]) -> Region:
            ports = dict(zip(names, free_ports(len(names)), strict=True))
            places = tuple(f"127.0.0.1:{port}" for port in ports.values())
            members = {}
            for name, port in ports.items():
                instance = stack.enter_context(
                    instances.open(
                        tmp_path / name, Plan(plugins=plugins), clock=clock, name=name,
                        base_url=f"http://127.0.0.1:{port}", reaching=places,
                    )
                )  # fmt: skip
                members[name] = federation_of(instance)
                begin_identity(members[name])
                stack.enter_context(serving(instance, port, jobs=False))
            region = Region(Wires(), members, lambda instance: run_due(instance, work_of(instance)))
            for pair in friends:
                region.befriend(pair[0], pair[1])
            return region

        yield make


@pytest.mark.long  # seconds
def test_a_round_over_http(new_region: Callable[..., Region]) -> None:
    road = open_road(new_region)
    trip = road.offer()
    booking = road.book()
    assert [booking.state for booking in road.bookings(road.farm)] == ["confirmed"]
    statement = road.drive(trip)
    copy = road.statement(road.farm, booking.trip_id)
    assert copy is not None
    assert copy.digest == statement.digest
    assert [booking.state for booking in road.bookings(road.farm)] == ["delivered"]
