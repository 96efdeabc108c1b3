"""Instances that serve on loopback."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn

from commensal.instance import Instance
from commensal.operations.serving import serve


def free_ports() -> tuple[int, int]:
    """Two free ports, below those that the system gives to outgoing connections so that none takes them."""
    ports = list[int]()
    while len(ports) < 2:
        port = secrets.randbelow(10_000) + 20_000
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            ports.append(port)
    return ports[0], ports[1]


@contextmanager
def serving(instance: Instance, port: int, *, jobs: bool = True) -> Iterator[None]:
    """Serves the instance, with its worker unless a test does the work itself."""
    listening, servers = threading.Event(), list[uvicorn.Server]()
    thread = threading.Thread(
        target=serve,
        args=(instance,),
        kwargs={"port": port, "jobs": jobs, "started": lambda url: listening.set(), "running": servers.append},
    )
    thread.start()
    assert listening.wait(30)
    try:
        yield
    finally:
        servers[0].should_exit = True
        thread.join(30)
