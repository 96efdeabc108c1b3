"""Serves an instance over HTTP with uvicorn, with or without the worker in the same process."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import anyio.to_thread
import uvicorn

from ...base.errors import SettingsError
from ...instance import Instance
from ...storage.jobs.ticking import ticking
from ..monitoring.backups_folder import watching_backups_folder
from ..monitoring.certificate import watching_certificate
from .app import make_app
from .connections import LimitedConnection, bound_unread, connection_limit
from .memory import bound_memory, tune_garbage_collector
from .work import work_of

THREADS = 40  # requests at once; each may hold one of the store's `MAX_CONNECTIONS`
# Seconds after which a computing thread releases the interpreter. With Python's default of 5 ms, the thread that holds
# the writer's turn would wait for the interpreter as long as for the disk, and all other writers with it.
SWITCH = 0.0005


def serve(
    instance: Instance,
    *,
    port: int | None = None,
    jobs: bool = True,
    started: Callable[[str], None] = lambda url: None,
    running: Callable[[uvicorn.Server], None] = lambda server: None,
) -> None:
    """Serves until SIGINT or SIGTERM, or until ``server.should_exit`` is set.

    `running` gets the server before it starts, and `started` its address once it accepts connections. `jobs`: also
    works on jobs. Raises `SettingsError` if the port cannot be used.
    """
    bound_memory()
    settings = instance.settings.server
    listener = _listen(settings.host, settings.port if port is None else port)
    host, bound_port = listener.getsockname()[:2]
    config = uvicorn.Config(
        make_app(instance),
        http=LimitedConnection,
        limit_concurrency=connection_limit(),
        log_config=None,  # it uses the configuration of the process
        log_level="warning",
        access_log=False,
        proxy_headers=True,
        forwarded_allow_ips=list(settings.trusted_proxies),
        server_header=False,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=64 * 1024,
        lifespan="on",
    )
    server = _Server(config)
    running(server)
    with ExitStack() as stack:
        stack.callback(listener.close)
        if jobs:
            stack.enter_context(ticking(instance, work_of(instance)))
            stack.enter_context(watching_certificate(instance))
            stack.enter_context(watching_backups_folder(instance))
        tune_garbage_collector()
        sys.setswitchinterval(SWITCH)
        started(f"http://{host}:{bound_port}")
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:  # uvloop's, where it is installed
            runner.run(_run(server, listener))


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket whose protocol is set to TCP, because only then does asyncio set TCP_NODELAY.

    `socket.create_server` does not set it, which costs 40 ms per response.
    """
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
    """Stops on SIGINT and SIGTERM. uvicorn itself would raise the signal again, and skip the cleanup around `serve`."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            yield
            self._captured_signals.clear()


async def _run(server: uvicorn.Server, listener: socket.socket) -> None:
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
    await server.serve(sockets=[listener])
