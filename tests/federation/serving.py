"""Instances that serve on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from commensal.instance import Instance
from commensal.parts.serving.serving import serve


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
