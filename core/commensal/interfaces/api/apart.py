"""Runs what answers a request in a thread that can be left behind, with few threads for each plugin.

A plugin that hangs cannot be interrupted. But its transaction was taken away at the time limit, so nothing counts that
it does in it: whoever waits for the answer gets an error then, and not when the plugin comes back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from copy import copy
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from anyio import CancelScope, CapacityLimiter
from anyio.to_thread import run_sync
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ...base.errors import PluginError
from ...base.languages.catalogs import LANGUAGES, best_language
from ...hooks.dispatcher import Hooks, leave
from .problems import problem

T = TypeVar("T")
MOST = 8  # requests of one plugin that run at once, so that it cannot take all the threads that answer
_limiter: ContextVar[CapacityLimiter | None] = ContextVar("limiter", default=None)


async def run_apart(function: Callable[..., T], *given: Any, limiter: CapacityLimiter | None = None) -> T:
    """What the function returns or raises, or the `PluginError` of a plugin that hangs in it."""
    limiter = limiter or _limiter.get()
    if limiter is None:
        return await _run_apart(function, *given)
    async with limiter:
        return await _run_apart(function, *given)


async def _run_apart(function: Callable[..., T], *given: Any) -> T:
    late: list[PluginError] = []
    loop = asyncio.get_running_loop()
    with CancelScope() as scope:

        def left(error: PluginError) -> None:  # in the thread of the watchdog
            late.append(error)
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(scope.cancel)

        token = leave.set(left)
        try:
            return await run_sync(partial(function, *given), abandon_on_cancel=True)
        finally:
            leave.reset(token)
    raise late[0]


class Blaming:
    """ASGI around a route of a plugin's: its name is known to whatever runs inside, and to whoever sees it fail."""

    def __init__(self, app: ASGIApp, hooks: Hooks, plugin: str, what: str, limiter: CapacityLimiter | None) -> None:
        self._app, self._hooks, self._plugin, self._what, self._limiter = app, hooks, plugin, what, limiter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = False

        async def send_on(message: Any) -> None:
            nonlocal began
            began = True
            await send(message)

        token = _limiter.set(self._limiter)
        try:
            await self._run(scope, receive, send_on)
        except PluginError as error:
            if began:
                raise
            accepted = dict(scope["headers"]).get(b"accept-language", b"").decode("latin-1")
            await problem(error, best_language(accepted, default=LANGUAGES[0]))(scope, receive, send)
        finally:
            _limiter.reset(token)

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        answered: Exception | None = None
        with self._hooks.running(self._plugin, self._what):
            try:
                await self._app(scope, receive, send)
            except (ClientDisconnect, HTTPException) as error:  # no fault of the plugin's
                answered = error
        if answered is not None:
            raise answered


class Limiters:
    """For each plugin how many of its requests may run at once; the pages of the `front` may take all threads."""

    def __init__(self, front: str) -> None:
        self._front, self._made = front, dict[str, CapacityLimiter]()

    def of(self, plugin: str) -> CapacityLimiter | None:
        if plugin in ("", self._front):
            return None
        return self._made.setdefault(plugin, CapacityLimiter(MOST))

    def blaming(self, hooks: Hooks, plugin: str, routes: Sequence[BaseRoute]) -> list[BaseRoute]:
        """The plugin's routes, inside which it is named."""
        return [_blaming(hooks, plugin, one, self.of(plugin)) for one in routes]


def _blaming(hooks: Hooks, plugin: str, route: BaseRoute, limiter: CapacityLimiter | None) -> BaseRoute:
    app = getattr(route, "app", None)
    if app is None:
        return route
    if isinstance(route, Route) and callable(route.endpoint) and not isinstance(route.endpoint, type):
        function = route.endpoint.func if isinstance(route.endpoint, partial) else route.endpoint
        if not iscoroutinefunction(function):
            route = Route(route.path, _apart(route.endpoint), methods=list(route.methods or ()), name=route.name)
            app = route.app
    named = copy(route)
    named.app = Blaming(app, hooks, plugin, f"page {getattr(route, 'path', '')}", limiter)  # type: ignore[attr-defined]
    return named


def _apart(function: Callable[[Request], Response]) -> Callable[[Request], Any]:
    async def run(request: Request) -> Response:
        return await run_apart(function, request)

    return run
