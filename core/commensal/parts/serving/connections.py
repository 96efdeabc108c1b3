"""HTTP/1.1 connections with limits that uvicorn lacks, against clients that only hold them open."""

from __future__ import annotations

import asyncio
import resource
import socket
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

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
