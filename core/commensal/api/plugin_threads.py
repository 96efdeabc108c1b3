"""Runs the code that answers a request in a thread that can be abandoned, with a bounded number for each plugin.
Asynchronous code of plugins runs in loops of their own: see `plugin_loops`.

A thread that hangs in a plugin cannot be interrupted. But its transaction is closed at the time limit, so nothing that
it does afterwards has an effect. The caller therefore gets an error at the limit instead of waiting for the plugin.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext, suppress
from contextvars import ContextVar
from copy import copy
from functools import partial
from inspect import iscoroutinefunction
from typing import TypeVar

from anyio import CancelScope, CapacityLimiter
from anyio.to_thread import run_sync
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..base.errors import PluginError
from ..base.file_readers.reading import request_files
from ..base.languages.catalogs import best_language
from ..hooks.dispatcher import Hooks
from ..hooks.watchdog import on_taken_away
from .limits import share
from .plugin_loops import LoopBlocked, PluginLoop
from .problems import problem

T = TypeVar("T")
MAX_REQUESTS = 8  # of one plugin at once, so that a plugin that hangs cannot occupy all threads
_limiter: ContextVar[CapacityLimiter | None] = ContextVar("limiter", default=None)


async def run_in_thread(function: Callable[..., T], *arguments: object, limiter: CapacityLimiter | None = None) -> T:
    """Calls the function in a thread. Returns or raises what it does; raises `PluginError` if a plugin hangs in it."""
    limiter = limiter or _limiter.get()
    # A request that waits for its turn in a plugin takes none of the share: others of the same person go on.
    async with limiter or nullcontext(), share.get() or nullcontext():
        return await _abandonable(partial(_call_in_thread, function, *arguments))


async def _call_in_thread(function: Callable[..., T], *arguments: object) -> T:
    files = request_files.get()
    call = partial(function, *arguments) if files is None else partial(files.call, function, *arguments)
    return await run_sync(call, abandon_on_cancel=True)


async def _abandonable(start: Callable[[], Awaitable[T]]) -> T:
    """The result of `start`. Raises `PluginError` as soon as its transaction is taken away from a plugin in it."""
    hang_errors: list[PluginError] = []
    loop = asyncio.get_running_loop()
    with CancelScope() as scope:

        def abandon(error: PluginError) -> None:  # called in the watchdog's thread
            hang_errors.append(error)
            with suppress(RuntimeError):  # the loop may have ended
                loop.call_soon_threadsafe(scope.cancel)

        token = on_taken_away.set(abandon)
        try:
            return await start()
        finally:
            on_taken_away.reset(token)
    raise hang_errors[0]


class LoopRoute(Route):
    """A route whose `async def` is the core's own code and never blocks, so that it runs in the server's loop."""


class PluginApp:
    """ASGI application around a route of a plugin: attributes errors and log lines inside to the plugin. With `loop`,
    the route runs in it."""

    def __init__(
        self,
        app: ASGIApp,
        hooks: Hooks,
        plugin: str,
        part: str,
        limiter: CapacityLimiter | None,
        loop: PluginLoop | None,
    ) -> None:
        self._app, self._hooks, self._plugin, self._what = app, hooks, plugin, part
        self._limiter, self._loop = limiter, loop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_answered = False

        async def send_noting_start(message: Message) -> None:
            nonlocal has_answered
            has_answered = True
            await send(message)

        token = _limiter.set(self._limiter)
        try:
            await self._run(scope, receive, send_noting_start)
        except PluginError as error:
            if has_answered:
                raise
            accept_language = dict(scope["headers"]).get(b"accept-language", b"").decode("latin-1")
            await problem(error, best_language(accept_language, default="en"))(scope, receive, send)
        finally:
            _limiter.reset(token)

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        answered_error: Exception | None = None
        with self._hooks.running(self._plugin, self._what):
            try:
                await self._call_app(scope, receive, send)
            except (ClientDisconnect, HTTPException) as error:  # not the plugin's fault
                answered_error = error
        if answered_error is not None:
            raise answered_error

    async def _call_app(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._loop is None:
            await self._app(scope, receive, send)
            return
        try:
            await _abandonable(partial(self._loop.run, self._app, scope, receive, send))
        except LoopBlocked as error:
            raise self._hooks.blame_hang(self._plugin, self._what) from error


class Limiters:
    """Limits how many requests of each plugin run at once. Pages of the `front` plugin may take all threads."""

    def __init__(self, front: str) -> None:
        self._front, self._made = front, dict[str, CapacityLimiter]()
        self._loops = dict[str, PluginLoop]()

    def of(self, plugin: str) -> CapacityLimiter | None:
        if plugin in ("", self._front):
            return None
        return self._made.setdefault(plugin, CapacityLimiter(MAX_REQUESTS))

    def close(self) -> None:
        """Ends the event loops of all plugins."""
        for loop in self._loops.values():
            loop.close()

    def attribute_routes(self, hooks: Hooks, plugin: str, routes: Sequence[BaseRoute]) -> list[BaseRoute]:
        """The plugin's routes, wrapped so that what happens inside is attributed to it."""
        loop = self._loops.setdefault(plugin, PluginLoop(plugin))
        return [_attribute_route(hooks, plugin, route, self.of(plugin), loop) for route in routes]


def _attribute_route(
    hooks: Hooks, plugin: str, route: BaseRoute, limiter: CapacityLimiter | None, plugin_loop: PluginLoop
) -> BaseRoute:
    """The route with its application in a `PluginApp`. A plain function runs in a thread, a `LoopRoute` in the server's
    loop, everything else in the plugin's."""
    loop: PluginLoop | None = None if isinstance(route, LoopRoute) else plugin_loop
    app = getattr(route, "app", None)
    if app is None:
        return route
    if isinstance(route, Route) and callable(route.endpoint) and not isinstance(route.endpoint, type):
        function = route.endpoint.func if isinstance(route.endpoint, partial) else route.endpoint
        if not iscoroutinefunction(function):
            route = Route(route.path, _in_thread(route.endpoint), methods=list(route.methods or ()), name=route.name)
            app, loop = route.app, None
    wrapped = copy(route)
    part = f"page {getattr(route, 'path', '')}"
    wrapped.app = PluginApp(app, hooks, plugin, part, limiter, loop)  # type: ignore[attr-defined]
    return wrapped


def _in_thread(function: Callable[[Request], Response]) -> Callable[[Request], object]:
    async def run(request: Request) -> Response:
        return await run_in_thread(function, request)

    return run
