"""Checks the origin of every request, of pages and API alike, and adds the security headers to every response."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...api.problems import problem_response

_SAFE = ("GET", "HEAD", "OPTIONS")
_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors "
)
_HEADERS = {  # as ASGI has them: names in small letters
    b"content-security-policy": f"{_POLICY}'none'".encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=()",
}
_HSTS = "max-age=31536000"
_CACHED = (b"last-modified", b"cache-control")


def allow_frames(response: Response, origins: Sequence[str]) -> None:
    """Lets pages of these origins ("https://www.example.org") show this response in a frame; of no others, and of none
    if there are no origins. Only for pages without forms: another site could lie above them (clickjacking)."""
    ancestors = " ".join(origins) or "'none'"
    response.headers["Content-Security-Policy"] = f"{_POLICY}{ancestors}"


class OriginGuard:
    """ASGI middleware. Refuses unsafe requests that a page of another site may have started (CSRF). It relies on the
    headers Sec-Fetch-Site and Origin of browsers, so pages need no CSRF tokens and can be cached.

    Requests below the path prefixes `signed` may have any origin: a signature proves them, and cookies are ignored.
    """

    def __init__(self, app: ASGIApp, *, secure: bool, signed: tuple[str, ...] = (), subdomains: bool = False) -> None:
        """`secure`: send HSTS, so that browsers use HTTPS only; `subdomains` extends it to all subdomains."""
        self._app, self._signed = app, signed
        hsts = f"{_HSTS}; includeSubDomains" if subdomains else _HSTS
        self._hsts = [(b"strict-transport-security", hsts.encode())] if secure else []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                names = {name.lower() for name, _ in headers}
                headers += [header for header in (*_HEADERS.items(), *self._hsts) if header[0] not in names]
                if names.isdisjoint(_CACHED):  # only files may be cached without a Cache-Control of their own
                    headers.append((b"cache-control", b"no-store"))
                message["headers"] = headers
            await send(message)

        unsafe = scope["method"] not in _SAFE and not scope["path"].startswith(self._signed)
        if unsafe and is_cross_site(Headers(scope=scope)):
            answer = problem_response(403, "foreign_origin", "This request was started by another site.", [])
            await answer(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)


def is_cross_site(headers: Headers) -> bool:
    """Whether a page of another site may have started an unsafe request.

    Browsers do not add an Authorization header by themselves, so a request with a token passes. Otherwise the browser
    names the origin. A request without an origin passes only if it has no cookies, since it can act for nobody then.
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
