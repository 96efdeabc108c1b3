"""Makes and runs the neighbours of the demo region: small instances, each with one hub."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import httpx
from rich.console import Console

from ...base.errors import Trouble
from ...catalogs.catalogs import create_catalog
from ...enterprises.enterprises import create_enterprise
from ...enterprises.plugins import enable_plugin
from ...hooks.values import DemoHub
from ...instance import Instance
from ...people.passwords import hash_password
from ...people.people import NewPerson
from ..accounts.operators import add_confirmed_person
from ..terminal.shell import spoken
from .fill import PASSWORD
from .values import DemoRegion

NAMES = ("La Halle du Littoral", "L'Épicerie du Plateau")
_FURTHER = Decimal("0.02")  # degrees, about 2 km: how far north of the region's hub a neighbour's hub lies
_USED = ("cash",)  # plugins of these hubs
_PATIENCE = 60.0  # seconds for a server to start
_STOPPED = (0, -signal.SIGTERM, -signal.SIGKILL, -signal.SIGINT)  # how a process ends that somebody stops
_LINES = 15  # of the log, shown if a server fails


def settle_neighbour(instance: Instance, region: DemoRegion, number: int) -> DemoHub:
    """Makes a hub with a catalog, near a hub of the region. Its owner is also the operator of the instance."""
    instance.store.auditor = None  # nobody did what the demo writes
    place = region.hubs[number % len(region.hubs)].place
    with instance.store.write() as tx:
        email = f"voisin{number + 1}@example.org"
        person = NewPerson(
            email=email, name=f"Voisine {number + 1}", phone="", language="fr", password_hash=hash_password(PASSWORD)
        )
        owner = add_confirmed_person(tx, person, is_operator=True)
        assert owner is not None, "a neighbour of the demo is a new instance"
        hub = create_enterprise(
            tx,
            owner_id=owner.id,
            currency="EUR",
            name=NAMES[number % len(NAMES)],
            visibility="public",
            email=f"contact.{email}",
            street=place.street,
            postcode=place.postcode,
            city=place.city,
            country="FR",
            latitude=place.latitude + _FURTHER,
            longitude=place.longitude,
            language="fr",
            timezone="Europe/Paris",
            is_hub=True,
        )
        for plugin in _USED:
            enable_plugin(tx, instance.hooks, hub.id, plugin, {})
        catalog = create_catalog(tx, enterprise_id=hub.id, name="Catalogue")
    return DemoHub(instance=instance, hub_id=hub.id, catalog_id=catalog.id)


def reserve_ports(first: int, count: int) -> list[socket.socket]:
    """Listening sockets on loopback, so that no other program takes their ports: from `first` on, with a free port in
    place of one that is taken; with 0, all free ones. Close a socket just before a server takes its port.
    """
    ports = [first + place if 0 < first + place <= 65535 else 0 for place in range(count)] if first else [0] * count
    return [_reserve(port) for port in ports]


def _reserve(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port), backlog=0)
    except OSError:  # the port is taken, or reserved for root
        return socket.create_server(("127.0.0.1", 0), backlog=0)


def port_of(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


class Running:
    """Instances that serve in processes of their own, on loopback ports that are reserved until they start."""

    def __init__(self, folders: Sequence[Path], sockets: Sequence[socket.socket], console: Console) -> None:
        self._folders, self._reserved, self._console = folders, sockets, console
        self._ports = [port_of(listener) for listener in sockets]
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def url(self, place: int) -> str:
        return f"http://127.0.0.1:{self._ports[place]}"

    def start(self, place: int) -> None:
        """Starts the instance, and waits until it answers. Raises `Trouble` with the end of its log if it does not."""
        self._reserved[place].close()
        command = [sys.executable, "-m", "commensal", "serve", "--instance", str(self._folders[place])]
        with self._log(place).open("ab") as log:
            log_size = log.tell()
            self._processes[place] = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - ourselves
        deadline = time.monotonic() + _PATIENCE
        while not (self._listens(place, log_size) and self._answers(place)):
            if self._processes[place].poll() is not None or time.monotonic() > deadline:
                raise self._trouble("The instance in {folder} did not start. Its log ends like this:\n{lines}", place)
            time.sleep(0.1)

    def start_stopped(self) -> None:
        """Starts all instances that do not run, as `start` does."""
        for place in range(len(self._folders)):
            if place not in self._processes:
                self.start(place)

    def stop(self, place: int) -> None:
        """Terminates the process, and waits until it has ended."""
        process = self._processes.pop(place, None)
        if process is not None:
            process.terminate()
            process.wait(timeout=30)

    def say(self, text: str) -> None:
        self._console.print(text)

    def wait(self) -> None:
        """Waits until a process fails, and then raises `Trouble` with the end of its log. One that somebody stops,
        as the demo proposes, is left to them."""
        while True:
            for place, process in [*self._processes.items()]:
                if process.poll() in _STOPPED:
                    del self._processes[place]
                    self.say(spoken("The instance in {folder} was stopped.", folder=self._folders[place]))
                elif process.poll() is not None:
                    raise self._trouble("The instance in {folder} ended. Its log ends like this:\n{lines}", place)
            time.sleep(0.5)

    def _log(self, place: int) -> Path:
        return self._folders[place] / "serve.log"

    def _trouble(self, text: str, place: int) -> Trouble:
        lines = self._log(place).read_text(encoding="utf-8", errors="replace").splitlines()[-_LINES:]
        return Trouble(text, folder=self._folders[place], lines="\n".join(lines))

    def _listens(self, place: int, since: int) -> bool:
        """Whether our own process has logged that it serves. Another program may answer at the same address."""
        return self.url(place) in self._log(place).read_bytes()[since:].decode(errors="replace")

    def _answers(self, place: int) -> bool:
        try:
            return httpx.get(f"{self.url(place)}/-/health", trust_env=False, timeout=5).status_code < 500
        except httpx.TransportError:
            return False


@contextmanager
def running(folders: Sequence[Path], sockets: Sequence[socket.socket], console: Console) -> Iterator[Running]:
    """Runs all instances until the block ends."""
    processes = Running(folders, sockets, console)
    try:
        processes.start_stopped()
        yield processes
    finally:
        for place in range(len(folders)):
            processes.stop(place)
