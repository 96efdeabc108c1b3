"""Compresses responses with gzip, which every browser reads: the page of a sale takes 13 KB instead of 186.

The length of a compressed page reveals whether two parts of it are alike. An attacker who watches the network, and
makes a victim's browser request pages that repeat text of the attacker's choice, could guess a secret on the same page
(BREACH). A response is therefore not compressed where all three conditions may hold:

- another site may have started the request, according to the browser's `Sec-Fetch-Site`, and
- the request carries a cookie, so that the response may contain private data, and
- the response may repeat a part of the request: it has a query, or the response is an error or a redirect.

The other ways of the attack are closed elsewhere: cookies are not sent with what other sites embed (SameSite), forms of
other sites are refused, no page holds a CSRF token, and the secret of an order appears only in pages whose URL holds
the same secret. Signed responses are sent as they were signed.
"""

from __future__ import annotations

from functools import lru_cache
from zlib import MAX_WBITS, compress

from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipResponder
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MIN_SIZE = 1024  # bytes; less fits into one packet anyway
_LEVEL = 5  # level 6 takes a quarter longer and saves nothing; 4 costs 3 per cent, and 9 takes twice as long
_SAME_SITE = ("same-origin", "none")
_LEVEL_KEPT = 9  # what is kept is compressed once: a stylesheet becomes 2 per cent smaller
_MAX_BODIES = 32  # that are kept compressed
_LARGEST_KEPT = 256 * 1024  # bytes; what is kept holds the body, too


class Compression:
    """ASGI middleware. Leaves responses alone that have a Content-Encoding or a type that is compressed already."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "gzip" not in Headers(scope=scope).get("accept-encoding", ""):
            await self._app(scope, receive, send)
            return
        await _Responder(self._app, cross_site=_may_be_cross_site(scope))(scope, receive, send)


def _may_be_cross_site(scope: Scope) -> bool:
    """Whether another site may have started this request in somebody's browser. Programs send no cookies."""
    headers = Headers(scope=scope)
    return "cookie" in headers and headers.get("sec-fetch-site", "") not in _SAME_SITE


class _Responder(GZipResponder):
    """Starlette's responder, except for what must not be compressed."""

    def __init__(self, app: ASGIApp, *, cross_site: bool) -> None:
        super().__init__(app, _MIN_SIZE, compresslevel=_LEVEL)
        self._cross_site, self._uncompressed, self._has_query, self._has_tag = cross_site, False, False, False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._has_query = bool(scope["query_string"])
        await super().__call__(scope, receive, send)

    async def send_with_compression(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            repeats = self._has_query or message["status"] >= 300
            signed = "content-digest" in Headers(raw=message.get("headers", []))
            self._uncompressed = signed or (self._cross_site and repeats)
            self._has_tag = "etag" in Headers(raw=message.get("headers", []))
        if self._uncompressed:
            await self.send(message)
        else:
            await super().send_with_compression(message)

    def _compress_body(self, body: bytes, more_body: bool) -> bytes:
        """What has a tag is asked for again, and is the same object if it was kept (`CachedPages`)."""
        if more_body or not self._has_tag or len(body) > _LARGEST_KEPT:
            return super()._compress_body(body, more_body)
        return _compress_once(body)


@lru_cache(_MAX_BODIES)
def _compress_once(body: bytes) -> bytes:
    return compress(body, _LEVEL_KEPT, wbits=16 + MAX_WBITS)
