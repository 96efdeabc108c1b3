"""One line in the log and one count for every request, whoever answers it: the API, a page, a file, or nobody.

A line names the route by its template, like ``/orders/{secret}``: paths hold the secrets of links, and queries what
people search for, so neither is ever written down.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...base.logs import LoggedRequest, log_as_request
from .figures import Figures

HEADER = "X-Request-Id"
GONE = 499  # what nginx writes for a client that went away before it was answered
NOWHERE = "nowhere"  # the route of what no route answers
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_SANE = re.compile(r"[A-Za-z0-9._-]{8,64}")
_log = structlog.get_logger("commensal.requests")


class Requests:
    """ASGI middleware, the outermost. `quiet` are routes that are asked every few seconds: their lines are for
    debugging."""

    def __init__(
        self, app: ASGIApp, *, templates: dict[int, str], figures: Figures, new_id: Callable[[], str],
        quiet: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self._app, self._templates, self._figures = app, templates, figures
        self._new_id, self._quiet = new_id, quiet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, status, began = self._request_id(scope), 500, time.perf_counter()
        began_to_answer = False

        async def send_with_id(message: Message) -> None:
            nonlocal status, began_to_answer
            if message["type"] == "http.response.start":
                began_to_answer = True
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        with log_as_request(LoggedRequest(request_id, lambda: self._route(scope))):
            try:
                await self._app(scope, receive, send_with_id)
                if not began_to_answer:
                    status = GONE
            finally:
                self._tell(scope, status, time.perf_counter() - began)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        route = self._route(scope)
        method = scope["method"] if scope["method"] in METHODS else "other"
        self._figures.count_request(method, route, status, seconds)
        if status >= 500 and route not in self._quiet:  # what monitors are told is no failure of its own
            self._figures.count_failure()
        tell = _log.debug if route in self._quiet else _log.info
        tell("request", method=method, status=status, ms=round(seconds * 1000, 1))

    def _request_id(self, scope: Scope) -> str:
        """The caller's, so that a proxy's log and ours can be read side by side; ours where it is none."""
        sent = Headers(scope=scope).get(HEADER, "")
        return sent if _SANE.fullmatch(sent) else self._new_id()

    def _route(self, scope: Scope) -> str:
        return self._templates.get(id(scope.get("route")), NOWHERE)


def templates_of(routes: Sequence[BaseRoute]) -> dict[int, str]:
    """The whole path of every route, with its parameters in braces, by the route's identity. There are as many as the
    code has, however many paths people ask for."""
    return dict(_templates(routes, ""))


def _templates(routes: Sequence[BaseRoute], prefix: str) -> Iterator[tuple[int, str]]:
    for one in routes:
        if isinstance(one, Route):
            yield id(one), prefix + one.path
        elif isinstance(one, Mount):
            yield id(one), f"{prefix}{one.path}/"
            yield from _templates(one.routes or (), prefix + one.path)
