"""Neighbours of the demo region: small instances of their own, each with one hub."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
from rich.console import Console

from ..catalogs.catalogs import create_catalog
from ..enterprises.enterprises import create_enterprise
from ..enterprises.plugins import enable_plugin
from ..hooks.values import DemoHub
from ..instance import Instance
from ..languages.shell import spoken
from ..people.passwords import hash_password
from ..people.people import NewPerson, add_person
from .fill import PASSWORD
from .values import Region

NAMES = ("La Halle du Littoral", "L'Épicerie du Plateau")
_USED = ("cash",)  # plugins of these hubs
_PATIENCE = 60.0  # seconds for a server to start


def settle_neighbour(instance: Instance, region: Region, number: int) -> DemoHub:
    """One hub, which its owner also operates the instance of, and its catalog."""
    instance.store.auditor = None  # nobody did what a demo tells
    model = region.hubs[number % len(region.hubs)]
    with instance.store.write() as tx:
        email = f"voisin{number + 1}@example.org"
        new = NewPerson(
            email=email, name=f"Voisine {number + 1}", phone="", language="fr", password_hash=hash_password(PASSWORD)
        )
        owner = add_person(tx, new, confirmed=True, is_operator=True)
        assert owner is not None, "a neighbour of the demo is a new instance"
        hub = create_enterprise(
            tx, owner_id=owner.id, currency="EUR", name=NAMES[number % len(NAMES)], visibility="public",
            email=f"contact.{email}", city=model.place.city, country="FR", language="fr",
            timezone="Europe/Paris", is_hub=True,
        )  # fmt: skip
        for plugin in _USED:
            enable_plugin(tx, instance.hooks, hub.id, plugin, {})
        catalog = create_catalog(tx, enterprise_id=hub.id, name="Catalogue")
    return DemoHub(instance=instance, hub_id=hub.id, catalog_id=catalog.id)


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody uses now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Running:
    """Instances that serve, each as a process of its own, on fixed ports of loopback."""

    def __init__(self, folders: Sequence[Path], ports: Sequence[int], console: Console) -> None:
        self._folders, self._ports, self._console = folders, ports, console
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def url(self, place: int) -> str:
        return f"http://127.0.0.1:{self._ports[place]}"

    def start(self, place: int) -> None:
        """Starts the instance, and waits until it answers."""
        command = [sys.executable, "-m", "commensal", "serve", "--instance", str(self._folders[place])]
        log = (self._folders[place] / "serve.log").open("ab")
        with log:
            self._processes[place] = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - ourselves
        deadline = time.monotonic() + _PATIENCE
        while not self._answers(place):
            if self._processes[place].poll() is not None or time.monotonic() > deadline:
                said = "The instance in {folder} did not start; see its serve.log."
                raise RuntimeError(spoken(said, folder=self._folders[place]))
            time.sleep(0.1)

    def stop(self, place: int) -> None:
        """Ends the process, as whoever pulls the plug politely."""
        process = self._processes.pop(place, None)
        if process is not None:
            process.terminate()
            process.wait(timeout=30)

    def say(self, text: str) -> None:
        self._console.print(text)

    def wait(self) -> None:
        """Until one of them ends."""
        while all(process.poll() is None for process in self._processes.values()):
            time.sleep(0.5)

    def _answers(self, place: int) -> bool:
        try:
            return httpx.get(f"{self.url(place)}/-/health", trust_env=False, timeout=5).status_code < 500
        except httpx.TransportError:
            return False


@contextmanager
def running(folders: Sequence[Path], ports: Sequence[int], console: Console) -> Iterator[Running]:
    """All of them, until the block ends."""
    processes = Running(folders, ports, console)
    try:
        for place in range(len(folders)):
            processes.start(place)
        yield processes
    finally:
        for place in range(len(folders)):
            processes.stop(place)
