"""Bounds the time and the memory that request bodies take, for the whole process.

A body that arrives too slowly is refused (408): it has `_PATIENCE` seconds, and one second more for each `_RATE` bytes
received. Bodies larger than `_SMALL` share `_MOST` bytes of memory, and those of one network at most a quarter of it;
a body that does not fit is refused (503, retry later). Small bodies, like an order, do not count and never wait.

A client that disconnects in the middle of its body gets no response, and that is not an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import anyio
import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...api.problems import problem
from ...base.errors import Busy, Refused
from ...base.networks import network

_PATIENCE = 20.0  # seconds
_RATE = 20_000  # bytes a second
_SMALL = 64 * 1024  # bytes
_MOST = 64 * 1024 * 1024
_NO_BODY = ("GET", "HEAD", "OPTIONS")  # a body sent with these is never read
_log = structlog.get_logger("commensal.api")


class TooSlow(Refused):
    """The body took too long to arrive."""

    status = 408

    def __init__(self) -> None:
        super().__init__("too_slow", "The request took too long to arrive. Nothing was done; please send it again.")


class Intake:
    """ASGI middleware. `most` is how many bytes of large bodies are held at once. Reading a body raises `TooSlow` or
    `Busy`, which the application may answer in its own way; what it does not catch is answered here."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        most: int = _MOST,
        patience: float = _PATIENCE,
        rate: float = _RATE,
        now: Callable[[], float] = anyio.current_time,
    ) -> None:
        self._app, self._most, self.now = app, most, now
        self._patience, self._rate = patience, rate
        self._held = Counter[str]()  # bytes of large bodies, by network
        self._total = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in _NO_BODY:
            await self._app(scope, receive, send)
            return
        body = _TimedBody(self, receive, network((scope.get("client") or ("",))[0]))
        started = False

        async def send_noting_start(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, body.receive, send_noting_start)
        except ClientDisconnect:
            _log.debug("the client went away while it was sending")
        except (TooSlow, Busy) as refusal:
            if started:
                raise
            await problem(refusal, "en")(scope, receive, send)
        finally:
            self._give_back(body.network, body.held)

    def seconds_for(self, size: int) -> float:
        """How long a body may take, once `size` bytes of it have arrived."""
        return self._patience + size / self._rate

    def take(self, network: str, size: int) -> None:
        """Reserves memory for `size` more bytes of a large body. Raises `Busy`."""
        if self._total + size > self._most or self._held[network] + size > self._most // 4:
            raise Busy("there is no room for another large request")
        self._held[network] += size
        self._total += size

    def _give_back(self, network: str, size: int) -> None:
        self._total -= size
        self._held[network] -= size
        if not self._held[network]:
            del self._held[network]


class _TimedBody:
    """The body of one request: how much of it has arrived, and when the rest is due."""

    def __init__(self, intake: Intake, receive: Receive, network: str) -> None:
        self._intake, self._receive, self.network = intake, receive, network
        self._size, self.held = 0, 0
        self._begun_at: float | None = None
        self._complete = False

    async def receive(self) -> Message:
        if self._complete:  # the application waits for the client to disconnect, without a time limit
            return await self._receive()
        if self._begun_at is None:
            self._begun_at = self._intake.now()
        seconds_left = self._intake.seconds_for(self._size) - (self._intake.now() - self._begun_at)
        if seconds_left <= 0:
            raise TooSlow
        try:
            with anyio.fail_after(seconds_left):
                message = await self._receive()
        except TimeoutError:
            raise TooSlow from None
        self._complete = message["type"] != "http.request" or not message.get("more_body", False)
        self._size += len(message.get("body", b""))
        if self._size > _SMALL:
            self._intake.take(self.network, self._size - self.held)
            self.held = self._size
        return message
