"""Serves an instance over HTTP with uvicorn, with or without the worker in the same process."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import resource
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import anyio.to_thread
import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ...base.errors import SettingsError
from ...instance import Instance
from ...storage.jobs.periodic import ticking
from ..monitoring.backups_folder import watching_backups_folder
from ..monitoring.watched import watching_certificate
from .app import make_app
from .work import work_of

# HTTP/1.1 connections with limits that uvicorn lacks, against clients that only hold them open.

HEAD_SECONDS = 15.0  # for a request's line and headers to arrive
_SMALLEST_CHUNK = 64  # bytes, on average, of a body in more than `_CHUNKS` chunks
_CHUNKS = 5_000
_UNREAD_SECONDS = 60  # for a client to read a part of its response
_FILES, _OTHER_FILES = 8_192, 400  # open files of this process; and those of them that are not connections
_MAX_CONNECTIONS = 2_000


class LimitedConnection(H11Protocol):
    """uvicorn's protocol on h11. Ends the connection if the head does not arrive in time, or if a body has very many
    tiny chunks, each of which costs h11 as much work as a large one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = _ChunkCounter(h11.SERVER, self.config.h11_max_incomplete_event_size or 64 * 1024)
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._limit_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._limit_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_timer()
        super().connection_lost(exc)

    def _limit_head(self) -> None:
        """Starts the timer for the next head, or stops it while a request is being answered. Between two requests,
        uvicorn has its own timeout until the first byte."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._cancel_timer()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._abort)

    def _cancel_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _abort(self) -> None:
        self._head_timer = None
        self.transport.abort()


class _ChunkCounter(h11.Connection):
    """Counts the chunks of a body. Raises `RemoteProtocolError` if they are many and tiny."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._chunks = self._size = 0

    def next_event(self) -> Any:
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._chunks = self._size = 0
        elif isinstance(event, h11.Data):
            self._chunks += 1
            self._size += len(event.data)
            if self._chunks > _CHUNKS and self._size < self._chunks * _SMALLEST_CHUNK:
                raise h11.RemoteProtocolError("The body comes in too many tiny chunks.")
        return event


def bound_unread(listener: socket.socket) -> None:
    """Lets the kernel end connections whose client reads nothing of a response for a minute. Linux only."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_SECONDS * 1000)


def connection_limit() -> int:
    """The number of concurrent connections, beyond which uvicorn answers 503.

    Raises the process's limit of open files to what they need, as far as the system allows it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        soft = limit
    return _MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else max(100, min(_MAX_CONNECTIONS, soft - _OTHER_FILES))


# Bounds the memory of processes that run for months, and the time that Python's garbage collector takes in them.

_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1  # of malloc.h
_LARGE = 1024 * 1024  # bytes


def bound_memory() -> None:
    """Makes threads share two heaps, and glibc return large blocks at once. Without it, each thread has a heap that
    keeps all memory that it ever needed.

    Call it before threads are started. Does nothing without glibc.
    """
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_ARENA_MAX, 2)
        mallopt(_MMAP_THRESHOLD, _LARGE)
        mallopt(_TRIM_THRESHOLD, _LARGE)


def tune_garbage_collector() -> None:
    """Excludes everything loaded until now from garbage collection, and makes collections rarer.

    A request makes some thousand objects, and nearly all of them are freed without the collector. This saves a tenth of
    the time of an order, and a third of that of a catalogue with thousands of products.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 20)


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
