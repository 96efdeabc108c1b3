"""Limits the requests of each address: reads, writes, log-ins, sign-ups and messages a minute. Each process counts for
itself.

The times of the last minute's requests are kept in memory, so a limit holds for any sixty seconds (a sliding window).
"""

from __future__ import annotations

import re
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from hashlib import sha256

from anyio import CapacityLimiter
from starlette.types import ASGIApp, Receive, Scope, Send

from ..base.errors import Invalid, TooMany
from ..base.networks import network
from ..base.shares import who_acts
from ..instance.settings import LimitSettings
from ..people.actor import Actor

_WINDOW = 60.0  # seconds


class Rates:
    """Counts requests. An IPv6 address counts as its /64 network, which is what one household or server gets."""

    def __init__(self, settings: LimitSettings, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self._most = {
            "reads": settings.reads,
            "writes": settings.writes,
            "logins": settings.logins,
            "signups": settings.signups,
            "webhooks": settings.webhooks,
        }
        self._seconds, self._lock = seconds, threading.Lock()
        self._hits: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)
        self._swept_at = seconds()

    def count(self, kind: str, address: str, times: int = 1) -> None:
        """Counts a request, or as many `times` as it tries something, all or none of them. Raises `TooMany`, with the
        seconds to wait, if the limit is reached."""
        with self._lock:
            hits = self._refuse_spent(kind, address, times)
            hits.extend([self._seconds()] * times)

    @contextmanager
    def attempt(self, kind: str, address: str) -> Iterator[None]:
        """Counts before the block runs, so that parallel attempts are all counted. Of the kind "logins" only failures
        stay counted: forty people behind one Wi-Fi may log in at once. Raises `TooMany`."""
        self.count(kind, address)
        yield
        self.note_success(kind, address)

    def note_success(self, kind: str, address: str) -> None:
        """Takes the count of a successful log-in back; see `attempt`."""
        if kind == "logins":
            self.give_back(kind, address)

    def give_back(self, kind: str, address: str, times: int = 1) -> None:
        """Takes counts back."""
        with self._lock:
            hits = self._hits.get((kind, network(address)), deque())
            for _ in range(min(times, len(hits))):
                hits.pop()

    def _refuse_spent(self, kind: str, address: str, times: int = 1) -> deque[float]:
        """The times of the address's requests within the last minute. Raises `TooMany` if there is no room for as many
        `times`; the first request of a minute always has room."""
        now = self._seconds()
        self._sweep(now)
        hits = self._hits[kind, network(address)]
        while hits and hits[0] <= now - _WINDOW:
            hits.popleft()
        if len(hits) + max(1, min(times, self._most[kind])) > self._most[kind]:
            raise TooMany(max(1, int(hits[0] + _WINDOW - now) + 1) if hits else int(_WINDOW))
        return hits

    def _sweep(self, now: float) -> None:
        """Forgets addresses without a request in the last minute; at most once a minute."""
        if now - self._swept_at < _WINDOW:
            return
        self._swept_at = now
        for key in [key for key, hits in self._hits.items() if not hits or hits[-1] <= now - _WINDOW]:
            del self._hits[key]


# Limits how fast voucher codes can be guessed: each address and each account may try as many wrong ones a minute as
# passwords, however many a request carries.

_KIND = "logins"


@contextmanager
def throttle_codes(rates: Rates, actor: Actor, codes: Sequence[str]) -> Iterator[None]:
    """Counts the `codes` of a request before the block runs. Only unknown codes stay counted, like wrong passwords.

    Raises `TooMany` for an address or an account that has tried too many unknown codes, even if these are valid.
    """
    with ExitStack() as counted:
        for guesser in (actor.address, f"codes of {actor.person_id}" if actor.person_id else ""):
            if guesser:
                counted.enter_context(_counted(rates, guesser, len(codes)))
        yield


@contextmanager
def _counted(rates: Rates, guesser: str, tried: int) -> Iterator[None]:
    if not tried:
        yield
        return
    rates.count(_KIND, guesser, tried)
    unknown = 0
    try:
        yield
    except Invalid as error:
        unknown = sum(problem.code == "code_unknown" for problem in error.problems)
        raise
    finally:
        rates.give_back(_KIND, guesser, tried - unknown)


# Shares the threads of requests: whoever sends many at once has a part of them, and the rest is for others.
#
# Who that is, is told by what a request shows: the cookie of a session or a token, else its network. Nobody has
# looked by then whether there is such a secret; requests with one that is made up end as soon as somebody does.

MOST = 10  # requests of one who run at once, of the 40 threads of `parts/serving/serving.py`
_SESSION = re.compile(rb"(?:^|[; ])(?:__Host-)?session=([^;]{1,200})")

share: ContextVar[AbstractAsyncContextManager[None] | None] = ContextVar("share", default=None)


class FairShares:
    """ASGI middleware that says whose share a request takes. Only the thread of the loop touches it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._shares: dict[str, _Share] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        who = _who(scope)
        mine = self._shares.setdefault(who, _Share())
        mine.requests += 1
        tokens = share.set(mine.limiter), who_acts.set(who)
        try:
            await self._app(scope, receive, send)
        finally:
            share.reset(tokens[0])
            who_acts.reset(tokens[1])
            mine.requests -= 1
            if not mine.requests:
                self._shares.pop(who, None)


class _Share:
    """`requests`: that have not been answered."""

    def __init__(self) -> None:
        self.limiter = CapacityLimiter(MOST)
        self.requests = 0


def _who(scope: Scope) -> str:
    secret = b""
    for name, value in scope["headers"]:
        if name == b"authorization":
            secret = value
        elif name == b"cookie" and (match := _SESSION.search(value)):
            secret = match[1]
    if secret:
        return sha256(secret).hexdigest()
    client = scope.get("client")
    return network(client[0]) if client else ""
