"""What every request meets first, pages and API alike: its size, its origin; and what every answer carries."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .problems import document

_SAFE = ("GET", "HEAD", "OPTIONS")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_HSTS = "max-age=31536000"


class Guard:
    """ASGI middleware. Refuses unsafe requests that a page of another site may have caused (CSRF), by what browsers
    say of their origin (Sec-Fetch-Site, Origin), so that pages need no tokens and can be cached.

    Below the paths `signed`, messages are proved by their signatures and no cookie counts: any origin may send them.
    """

    def __init__(self, app: ASGIApp, *, secure: bool, signed: tuple[str, ...] = (), subdomains: bool = False) -> None:
        """`secure`: browsers shall come by https only; with `subdomains`, also to those below, which may be others'."""
        self._app, self._secure, self._signed = app, secure, signed
        self._hsts = f"{_HSTS}; includeSubDomains" if subdomains else _HSTS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if "last-modified" not in headers:  # a file; whatever else says nothing of caches is not kept
                    headers.setdefault("Cache-Control", "no-store")
                if self._secure:
                    headers.setdefault("Strict-Transport-Security", self._hsts)
            await send(message)

        unsafe = scope["method"] not in _SAFE and not scope["path"].startswith(self._signed)
        if unsafe and foreign(Headers(scope=scope)):
            answer = document(403, "foreign_origin", "This request was started by another site.", [])
            await answer(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)


def foreign(headers: Headers) -> bool:
    """Whether an unsafe request may come from a page of another site.

    A token in Authorization is no browser's doing. Otherwise a browser says where the request comes from; without that
    word only requests without cookies pass, which could do nothing in anybody's name.
    """
    if "authorization" in headers:
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is not None:
        return origin.partition("://")[2] != headers.get("host", "")
    return "cookie" in headers
