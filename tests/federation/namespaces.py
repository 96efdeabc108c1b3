"""Machines that are none: network namespaces, joined by cables that can be pulled and routes that lead nowhere.

They need root on Linux. Each has a loopback with its address; whoever is to live there is begun by ``ip netns exec``,
and whoever is to visit is a thread that enters. The machine's own interfaces are left alone.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Self, TypeVar

T = TypeVar("T")
_MADE = Path("/run/netns")
_NETWORK = 0x40000000  # CLONE_NEWNET of sched.h


class Unavailable(Exception):
    """There are no rights to make namespaces here, or no ``ip``."""


class Machine:
    """One of them. `address` is reached from those that have a cable to it."""

    def __init__(self, name: str, address: str) -> None:
        self.address, self._name = address, name
        _ip("netns", "add", name)
        self._visitor: ThreadPoolExecutor | None = None

    @property
    def command(self) -> Sequence[str]:
        """What is put before a command that is to run there."""
        return ("ip", "netns", "exec", self._name)

    def ip(self, *words: str) -> None:
        _ip("-n", self._name, *words)

    def visit(self, act: Callable[[], T]) -> T:
        """Acts there: sockets that are made in it are of that machine."""
        if self._visitor is None:
            self._visitor = ThreadPoolExecutor(1, initializer=self._enter)
        return self._visitor.submit(act).result()

    def remove(self) -> None:
        if self._visitor is not None:
            self._visitor.shutdown()
        _ip("netns", "delete", self._name)

    def _enter(self) -> None:
        with (_MADE / self._name).open() as file:
            if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), _NETWORK) != 0:
                raise OSError(ctypes.get_errno(), f"cannot enter {self._name}")


class Machines:
    """The first has a cable to each of the others. Their names say which process made them."""

    def __init__(self, count: int) -> None:
        self._count, self.all = count, list[Machine]()

    def __enter__(self) -> Self:
        try:
            _sweep()
            for number in range(self._count):
                self.all.append(Machine(f"commensal-{os.getpid()}-{number}", f"10.77.0.{number + 1}"))
                self.all[number].ip("link", "set", "lo", "up")
                self.all[number].ip("address", "add", f"10.77.0.{number + 1}/32", "dev", "lo")
            for number in range(1, self._count):
                self._lay(number)
                self.plug(number)
        except (OSError, subprocess.CalledProcessError) as error:
            self.__exit__()
            raise Unavailable(str(getattr(error, "stderr", "") or error).strip()) from error
        return self

    def __exit__(self, *_: object) -> None:
        while self.all:
            with suppress(subprocess.CalledProcessError):
                self.all.pop().remove()  # and its cables with it

    def plug(self, number: int) -> None:
        """The cable to that machine is in, and both know the way."""
        for one, other, device in self._ends(number):
            one.ip("link", "set", device, "up")
            one.ip("route", "replace", f"{other.address}/32", "dev", device, "src", one.address)

    def pull(self, number: int) -> None:
        """Nothing goes over the cable, which both ends notice at once."""
        for one, _, device in self._ends(number):
            one.ip("link", "set", device, "down")

    def lead_nowhere(self, number: int, *, there: bool) -> None:
        """What the first sends to that machine is dropped, or (`there`) what that one sends back."""
        ends = self._ends(number)
        one, other, _ = ends[1] if there else ends[0]
        one.ip("route", "replace", "blackhole", f"{other.address}/32")

    def _lay(self, number: int) -> None:
        here, there = self.all[0]._name, self.all[number]._name
        _ip("link", "add", f"to-{number}", "netns", here, "type", "veth", "peer", "name", "to-0", "netns", there)

    def _ends(self, number: int) -> list[tuple[Machine, Machine, str]]:
        first, other = self.all[0], self.all[number]
        return [(first, other, f"to-{number}"), (other, first, "to-0")]


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def _sweep() -> None:
    """Machines whose process was killed before it could remove them."""
    for path in _MADE.glob("commensal-*-*"):
        if not Path("/proc", path.name.split("-")[1]).exists():
            with suppress(subprocess.CalledProcessError):
                _ip("netns", "delete", path.name)
