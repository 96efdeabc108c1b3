"""Connections of HTTP/1.1 that are given up where their client only holds them: uvicorn's, with the limits it lacks."""

from __future__ import annotations

import asyncio
import resource
import socket
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 15.0  # until a request's line and headers must have come
_SMALLEST_CHUNK = 64  # bytes, on average, of a body in more than `_CHUNKS` pieces
_CHUNKS = 5_000
_UNREAD_SECONDS = 60  # until a client must take some of its answer
_FILES, _OTHER_FILES = 8_192, 400  # open at once in this process; and those of them that are no connections
_MOST = 2_000  # connections


class Connection(H11Protocol):
    """uvicorn's protocol on h11. A head that does not come in time ends the connection, and so does a body of very many
    tiny chunks, each of which costs h11 as much work as a large one."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.conn = _Pieces(h11.SERVER, self.config.h11_max_incomplete_event_size or 64 * 1024)
        self._head_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        """While a request is answered nothing is waited for; between two, uvicorn counts until the first byte."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()
        elif self._head_due is None:
            self._head_due = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _give_up(self) -> None:
        self._head_due = None
        self.transport.abort()


class _Pieces(h11.Connection):
    """Counts the pieces in which a body comes."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._pieces = self._size = 0

    def next_event(self) -> Any:
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._pieces = self._size = 0
        elif isinstance(event, h11.Data):
            self._pieces += 1
            self._size += len(event.data)
            if self._pieces > _CHUNKS and self._size < self._pieces * _SMALLEST_CHUNK:
                raise h11.RemoteProtocolError("The body comes in too many tiny chunks.")
        return event


def bound_unread(listener: socket.socket) -> None:
    """The kernel ends connections of this listener whose client takes nothing of an answer for a minute. On Linux."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_SECONDS * 1000)


def most_connections() -> int:
    """How many connections are served at once; beyond, uvicorn answers 503. Lets this process open as many files as
    that takes, where the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return _MOST if soft == resource.RLIM_INFINITY else max(100, min(_MOST, soft - _OTHER_FILES))
