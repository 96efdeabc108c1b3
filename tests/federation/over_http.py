"""Instances of a region that serve over HTTP on loopback, in the place of wires."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from commensal.base.clock import ManualClock
from commensal.parts.serving.work import work_of
from commensal.storage.jobs.run import run_due
from commensal.testing.instances import NOON, Instances, Plan
from commensal_federation.identity import begin_identity
from commensal_federation.runtime import federation_of
from commensal_federation.testing import Region, Wires

from ..ports import free_ports
from .serving import serving


class OverHttp:
    """Makes a region like `new_region` of the conftest; each instance of it can be `away` for a while."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._servers: dict[str, AbstractContextManager[None]] = {}
        self.region: Region | None = None
        self._ports: dict[str, int] = {}

    def __call__(self, *names: str, plugins: tuple[str, ...], friends: tuple[str, ...]) -> Region:
        (self._folder / "templates").mkdir()
        instances, clock = Instances(self._folder / "templates"), ManualClock(NOON)
        self._ports = dict(zip(names, free_ports(len(names)), strict=True))
        places = tuple(f"127.0.0.1:{port}" for port in self._ports.values())
        members = {}
        for name, port in self._ports.items():
            address = f"http://127.0.0.1:{port}"
            plan = Plan(plugins=plugins)
            instance = self._stack.enter_context(
                instances.open(self._folder / name, plan, clock=clock, name=name, base_url=address, reaching=places)
            )
            members[name] = federation_of(instance)
            begin_identity(members[name])
        self.region = Region(Wires(), members, lambda instance: run_due(instance, work_of(instance)))
        for name in names:
            self._begin(name)
        for pair in friends:
            self.region.befriend(pair[0], pair[1])
        return self.region

    @contextmanager
    def away(self, name: str) -> Iterator[None]:
        """Nobody reaches this instance while a block runs."""
        self._servers.pop(name).__exit__(None, None, None)
        yield
        self._begin(name)

    def end(self) -> None:
        for name in [*self._servers]:
            self._servers.pop(name).__exit__(None, None, None)

    def _begin(self, name: str) -> None:
        assert self.region is not None
        server = serving(self.region[name].instance, self._ports[name], jobs=False)
        server.__enter__()
        self._servers[name] = server


@contextmanager
def regions_over_http(folder: Path) -> Iterator[OverHttp]:
    with ExitStack() as stack:
        http = OverHttp(folder, stack)
        stack.callback(http.end)
        yield http
