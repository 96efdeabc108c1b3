"""A second implementation, which shares no code with this one, trades with it over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from commensal.base.clock import ManualClock
from commensal.operations.work import work_of
from commensal.storage.jobs.run import run_due
from commensal.testing.instances import Instances, Plan
from commensal_federation.identity import begin_identity
from commensal_federation.peering import accept, invite
from commensal_federation.peers import SCOPES, peer_by_iri
from commensal_federation.runtime import Federation, federation_of
from commensal_federation.testing import Region, Wires

from . import second as second_package
from .second.instance import Instance
from .serving import free_ports, serving


@pytest.fixture
def clock() -> ManualClock:
    """At the moment, since connections have time limits by the clock of the machine."""
    return ManualClock(datetime.now(UTC).replace(microsecond=0))


@pytest.fixture
def address() -> str:
    """Where the second implementation listens."""
    return f"127.0.0.1:{free_ports()[0]}"


@pytest.fixture
def region(tmp_path: Path, clock: ManualClock, address: str) -> Iterator[Region]:
    """Two instances of Commensal, a and c, that serve on loopback; ``region.work()`` does their jobs."""
    ports = free_ports()
    addresses = [*(f"127.0.0.1:{port}" for port in ports), address]
    instances, members = Instances(tmp_path), dict[str, Federation]()
    with ExitStack() as stack:
        for name, port in zip("ac", ports, strict=True):
            instance = instances.open(
                tmp_path / name,
                Plan(plugins=("federation",)),
                clock=clock,
                base_url=f"http://127.0.0.1:{port}",
                name=name,
                reaching=tuple(addresses),
            )
            stack.callback(instance.close)
            members[name] = federation_of(instance)
            begin_identity(members[name])
            stack.enter_context(serving(instance, port, jobs=False))
        works = {id(one.instance): work_of(one.instance) for one in members.values()}
        yield Region(Wires(), members, lambda instance: run_due(instance, works[id(instance)]))


@pytest.fixture
def second(address: str, clock: ManualClock) -> Iterator[Instance]:
    """The second implementation, a stranger to everybody."""
    instance = Instance(f"http://{address}", "Second", clock.now)
    with instance.serving():
        yield instance
    assert instance.refusals == []


def test_it_imports_nothing_of_commensal() -> None:
    for file in Path(second_package.__file__).parent.glob("*.py"):
        names = [line.split()[1] for line in file.read_text().splitlines() if line.startswith(("import ", "from "))]
        assert not [name for name in names if name.startswith(("commensal", "tests", ".."))], file


def test_it_asks_to_trade_and_both_are_peers(region: Region, second: Instance) -> None:
    a = region["a"]
    peer = second.request_peering(a.base, sorted(SCOPES))
    accept(a, peer_id(a, second), SCOPES)
    region.work()

    assert peer.agreed
    assert peer.scopes_received == set(SCOPES)
    assert state(a, second) == "accepted"


def test_it_is_asked_to_trade_and_both_are_peers(region: Region, second: Instance) -> None:
    a = region["a"]
    invite(a, second.base, SCOPES)
    region.work()
    (peer,) = second.peers.values()
    second.accept_peering(peer, sorted(SCOPES))

    assert peer.scopes_received == set(SCOPES)
    assert state(a, second) == "accepted"


def peer_id(at: Federation, second: Instance) -> str:
    with at.instance.store.read() as tx:
        peer = peer_by_iri(tx, second.iri)
    assert peer is not None
    return peer.id


def state(at: Federation, second: Instance) -> str:
    with at.instance.store.read() as tx:
        peer = peer_by_iri(tx, second.iri)
    assert peer is not None
    return peer.state
