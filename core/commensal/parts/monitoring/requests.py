"""Logs and counts every request, whether the API, a page, a file or nothing answers it.

A log line names the route by its template, like ``/orders/{secret}``: paths contain secrets of links, and queries what
people search for, so neither is ever logged.
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
from ...base.networks import network
from .metrics import Metrics

HEADER = "X-Request-Id"
GONE = 499  # as nginx logs a client that disconnected before its response
NOWHERE = "nowhere"  # stands for the route of a request that no route matches
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_SANE = re.compile(r"[A-Za-z0-9._-]{8,64}")
_log = structlog.get_logger("commensal.requests")


class RequestLog:
    """ASGI middleware, the outermost. `quiet` are routes that monitors request every few seconds; they are logged with
    the level DEBUG."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        templates: dict[int, str],
        metrics: Metrics,
        new_id: Callable[[], str],
        quiet: tuple[str, ...] = (),
    ) -> None:
        self._app, self._templates, self._metrics = app, templates, metrics
        self._new_id, self._quiet = new_id, quiet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, status, began_at = self._request_id(scope), 500, time.perf_counter()
        has_answered = False

        async def send_with_id(message: Message) -> None:
            nonlocal status, has_answered
            if message["type"] == "http.response.start":
                has_answered = True
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        caller = network(scope["client"][0]) if scope.get("client") else ""
        with log_as_request(LoggedRequest(request_id, lambda: self._route(scope), caller)):
            try:
                await self._app(scope, receive, send_with_id)
                if not has_answered:
                    status = GONE
            finally:
                self._record(scope, status, time.perf_counter() - began_at)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route = self._route(scope)
        method = scope["method"] if scope["method"] in METHODS else "other"
        self._metrics.count_request(method, route, status, seconds)
        if status >= 500 and route not in self._quiet:  # a monitor that is told "down" got its answer
            self._metrics.count_failure()
        log = _log.debug if route in self._quiet else _log.info
        log("request", method=method, status=status, ms=round(seconds * 1000, 1))

    def _request_id(self, scope: Scope) -> str:
        """The id that the caller sent, so that logs of a proxy match ours; a new one if it is malformed or missing."""
        given_id = Headers(scope=scope).get(HEADER, "")
        return given_id if _SANE.fullmatch(given_id) else self._new_id()

    def _route(self, scope: Scope) -> str:
        return self._templates.get(id(scope.get("route")), NOWHERE)


def templates_of(routes: Sequence[BaseRoute]) -> dict[int, str]:
    """The full path of every route, with parameters in braces, by the identity of the route. Their number is bounded by
    the code, whatever paths are requested."""
    return dict(_templates(routes, ""))


def _templates(routes: Sequence[BaseRoute], prefix: str) -> Iterator[tuple[int, str]]:
    for route in routes:
        if isinstance(route, Route):
            yield id(route), prefix + route.path
        elif isinstance(route, Mount):
            yield id(route), f"{prefix}{route.path}/"
            yield from _templates(route.routes or (), prefix + route.path)
