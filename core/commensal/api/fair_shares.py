"""Shares the threads of requests: whoever sends many at once has a part of them, and the rest is for others.

Who that is, is told by what a request shows: the cookie of a session or a token, else its network. Nobody has looked by
then whether there is such a secret; requests with one that is made up end as soon as somebody does.
"""

from __future__ import annotations

import re
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from hashlib import sha256

from anyio import CapacityLimiter
from starlette.types import ASGIApp, Receive, Scope, Send

from ..base.networks import network
from ..base.shares import who_acts

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
