"""Serves an instance over HTTP with uvicorn, with or without the worker in the same process."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import anyio.to_thread
import uvicorn

from ..base.errors import SettingsError
from ..instance import Instance
from ..interfaces.app import make_app
from ..storage.jobs.ticking import ticking
from .collector import spare_the_collector
from .connections import Connection, bound_unread, most_connections
from .memory import bound_memory
from .work import work_of

THREADS = 40  # requests at once; each may hold one of the store's `MAX_CONNECTIONS`
# Seconds until a thread that computes lets another go on. Python's own 5 ms are what a commit takes: who holds the one
# writer's turn would wait as long again for the interpreter as it did for the disk, and all other writers with it.
SWITCH = 0.0005


def serve(
    instance: Instance,
    *,
    port: int | None = None,
    jobs: bool = True,
    started: Callable[[str], None] = lambda url: None,
    running: Callable[[uvicorn.Server], None] = lambda server: None,
) -> None:
    """Listens until SIGINT or SIGTERM, or until ``server.should_exit`` is set through `running`.

    `started` is told the address once it accepts connections: the listening socket is bound before. Raises
    `SettingsError` where the port is taken.
    """
    bound_memory()
    settings = instance.settings.server
    listener = _listen(settings.host, settings.port if port is None else port)
    host, bound = listener.getsockname()[:2]
    config = uvicorn.Config(
        make_app(instance),
        http=Connection,
        limit_concurrency=most_connections(),
        log_config=None,  # it logs as we do
        log_level="warning",
        access_log=False,
        proxy_headers=True,
        forwarded_allow_ips=list(settings.trusted_proxies),
        server_header=False,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=64 * 1024,
        lifespan="off",
    )
    server = _Server(config)
    running(server)
    with ExitStack() as stack:
        stack.callback(listener.close)
        if jobs:
            stack.enter_context(ticking(instance, work_of(instance)))
        spare_the_collector()
        sys.setswitchinterval(SWITCH)
        started(f"http://{host}:{bound}")
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:  # uvloop's, where it is installed
            runner.run(_run(server, listener))


def _listen(host: str, port: int) -> socket.socket:
    """A socket that says it speaks TCP: asyncio looks for that before it sends small answers without delay, and the
    sockets of `socket.create_server` do not say it. It costs 40 ms an answer."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound_unread(listener)
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        text = "Port {port} of {host} cannot be used: {error}. Choose another with --port."
        raise SettingsError(text, port=port, host=host, error=error.strerror) from error
    return listener


class _Server(uvicorn.Server):
    """Stops on SIGINT and SIGTERM, and leaves it at that: uvicorn would raise the signal again, and nothing that stands
    around `serve` would be put away."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            yield
            self._captured_signals.clear()


async def _run(server: uvicorn.Server, listener: socket.socket) -> None:
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
    await server.serve(sockets=[listener])
