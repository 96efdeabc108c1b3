"""Simulated machines: network namespaces, joined by cables that can be pulled and routes that lead nowhere.

They need root on Linux. Each has a loopback device with its address. A process starts inside by ``ip netns exec``; a
thread can enter one. The real machine's own interfaces are left alone.
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
    """This process may not create namespaces, or there is no ``ip``."""


class Machine:
    """One network namespace. `address` is reachable from namespaces that have a cable to it."""

    def __init__(self, name: str, address: str) -> None:
        self.address, self._name = address, name
        _ip("netns", "add", name)
        self._visitor: ThreadPoolExecutor | None = None

    @property
    def command(self) -> Sequence[str]:
        """The words to put before a command that runs in the namespace."""
        return ("ip", "netns", "exec", self._name)

    def ip(self, *words: str) -> None:
        _ip("-n", self._name, *words)

    def visit(self, action: Callable[[], T]) -> T:
        """Runs a function in the namespace; sockets that it creates belong to the namespace."""
        if self._visitor is None:
            self._visitor = ThreadPoolExecutor(1, initializer=self._enter)
        return self._visitor.submit(action).result()

    def remove(self) -> None:
        if self._visitor is not None:
            self._visitor.shutdown()
        _ip("netns", "delete", self._name)

    def _enter(self) -> None:
        with (_MADE / self._name).open() as file:
            if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), _NETWORK) != 0:
                raise OSError(ctypes.get_errno(), f"cannot enter {self._name}")


class Machines:
    """The first machine has a cable to each of the others. Their names contain the id of this process."""

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
        """Connects the cable to that machine, and sets the routes at both ends."""
        for machine, far_end, device in self._ends(number):
            machine.ip("link", "set", device, "up")
            machine.ip("route", "replace", f"{far_end.address}/32", "dev", device, "src", machine.address)

    def pull(self, number: int) -> None:
        """Disconnects the cable; both ends notice at once."""
        for machine, _, device in self._ends(number):
            machine.ip("link", "set", device, "down")

    def lead_nowhere(self, number: int, *, backwards: bool) -> None:
        """Drops what the first machine sends to that one, or, if `backwards`, what that one sends back."""
        ends = self._ends(number)
        machine, far_end, _ = ends[1] if backwards else ends[0]
        machine.ip("route", "replace", "blackhole", f"{far_end.address}/32")

    def _lay(self, number: int) -> None:
        first_name, other_name = self.all[0]._name, self.all[number]._name
        _ip(
            "link",
            "add",
            f"to-{number}",
            "netns",
            first_name,
            "type",
            "veth",
            "peer",
            "name",
            "to-0",
            "netns",
            other_name,
        )

    def _ends(self, number: int) -> list[tuple[Machine, Machine, str]]:
        first, other = self.all[0], self.all[number]
        return [(first, other, f"to-{number}"), (other, first, "to-0")]


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def _sweep() -> None:
    """Removes machines left by a process that was killed."""
    for path in _MADE.glob("commensal-*-*"):
        if not Path("/proc", path.name.split("-")[1]).exists():
            with suppress(subprocess.CalledProcessError):
                _ip("netns", "delete", path.name)
