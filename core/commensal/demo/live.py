"""An instance that serves in this process while a block runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from ..instance import Instance
from ..operations.serving import serve


@contextmanager
def live(instance: Instance, *, port: int = 0) -> Iterator[str]:
    """Serves on a port of loopback, a free one unless told, without the worker; gives the address, and stops at the end
    of the block."""
    ready, address, servers = threading.Event(), list[str](), list[uvicorn.Server]()

    def started(url: str) -> None:
        address.append(url)
        ready.set()

    thread = threading.Thread(
        target=serve,
        args=(instance,),
        kwargs={"port": port, "jobs": False, "started": started, "running": servers.append},
    )
    thread.start()
    ready.wait(timeout=30)
    try:
        yield address[0]
    finally:
        servers[0].should_exit = True
        thread.join()
