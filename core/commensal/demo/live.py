"""Serves an instance in this process while a block runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from ..instance import Instance
from ..operations.serving import serve


@contextmanager
def live(instance: Instance, *, port: int = 0) -> Iterator[str]:
    """Serves on a loopback port, by default a free one, without the worker. Yields the URL; stops after the block."""
    ready, address, servers = threading.Event(), list[str](), list[uvicorn.Server]()

    def remember(url: str) -> None:
        address.append(url)
        ready.set()

    thread = threading.Thread(
        target=serve,
        args=(instance,),
        kwargs={"port": port, "jobs": False, "started": remember, "running": servers.append},
    )
    thread.start()
    ready.wait(timeout=30)
    try:
        yield address[0]
    finally:
        servers[0].should_exit = True
        thread.join()
