"""Compresses answers with gzip, which every browser reads: the page of a sale is 13 KB long instead of 186.

The length of a compressed page tells whether two parts of it are alike. Whoever watches the network, and makes
somebody's browser ask for pages that repeat what they choose, could guess a secret that stands beside it (BREACH).
So an answer is left as it is where all of that may come together:

- another site may have made the browser ask, by what the browser says of it (`Sec-Fetch-Site`), and
- the request carries a cookie, so that somebody's own things may stand in the answer, and
- something of it may be repeated: it has a query, or the answer is that nothing is there.

Everything else about the attack is shut off before: cookies do not travel with what other sites embed (SameSite), their
forms are refused, no page holds a token against forged requests, and secrets of orders stand in pages only whose
address holds the same secret. Signed answers stay as they were signed.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipResponder
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LEAST = 1024  # bytes: less fits into one packet anyway
_LEVEL = 6  # 9 takes three times as long for a hundredth less
_OWN = ("same-origin", "none")


class Compression:
    """ASGI middleware. Answers that have a Content-Encoding, and types that are compressed already, are left alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "gzip" not in Headers(scope=scope).get("accept-encoding", ""):
            await self._app(scope, receive, send)
            return
        await _Responder(self._app, others=_started_elsewhere(scope))(scope, receive, send)


def _started_elsewhere(scope: Scope) -> bool:
    """Whether another site may have made somebody's browser ask. Programs send no cookies."""
    headers = Headers(scope=scope)
    return "cookie" in headers and headers.get("sec-fetch-site", "") not in _OWN


class _Responder(GZipResponder):
    """Starlette's, but for what must not be compressed."""

    def __init__(self, app: ASGIApp, *, others: bool) -> None:
        super().__init__(app, _LEAST, compresslevel=_LEVEL)
        self._others, self._plain, self._asked = others, False, False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._asked = bool(scope["query_string"])
        await super().__call__(scope, receive, send)

    async def send_with_compression(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            repeats = self._asked or message["status"] >= 300
            signed = "content-digest" in Headers(raw=message.get("headers", []))
            self._plain = signed or (self._others and repeats)
        if self._plain:
            await self.send(message)
        else:
            await super().send_with_compression(message)
