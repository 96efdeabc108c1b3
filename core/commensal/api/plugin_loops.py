"""Runs asynchronous code of a plugin in an event loop of its own, in a thread of its own.

An `async def` that blocks stops its event loop. In the loop of the server it would stop every request, also the orders
of other people; in a loop of its own it stops only what else the plugin does.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

from anyio.to_thread import current_default_thread_limiter
from starlette.types import ASGIApp, Receive, Scope, Send

MAX_THREADS = 8  # of one plugin at once, for what its asynchronous code runs in threads
PATIENCE = 8.0  # seconds until a loop must begin with a request; one that does not is blocked


class LoopBlocked(Exception):
    """The plugin's loop has not begun with the request in time: something in it blocks."""


class PluginLoop:
    """The event loop of one plugin. Its thread begins with the first request, and ends with `close`, or when this
    object is deleted."""

    def __init__(self, plugin: str) -> None:
        self._plugin = plugin
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: Callable[[], object] | None = None

    def close(self) -> None:
        """Ends the loop and its thread. A later request begins a new one."""
        with self._lock:
            if self._end is not None:
                self._end()
            self._loop = self._end = None

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Calls the ASGI application in the plugin's loop, in a copy of this context; messages pass between the loops.

        Raises what it raises, and `LoopBlocked` after `PATIENCE`. A task that is cancelled here is cancelled there.
        """
        here, loop = asyncio.get_running_loop(), self._started_loop()
        has_begun, has_ended = asyncio.Event(), threading.Event()

        async def call() -> SystemExit | None:
            with suppress(RuntimeError):  # the server's loop has ended
                here.call_soon_threadsafe(has_begun.set)
            try:
                await app(scope, partial(_call_in, here, has_ended, receive), partial(_call_in, here, has_ended, send))
            except SystemExit as error:  # asyncio would end the loop
                return error
            except KeyboardInterrupt as error:
                raise RuntimeError("it interrupts the process") from error
            return None

        answer = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(call(), loop))
        begin = asyncio.ensure_future(has_begun.wait())
        try:
            either: set[asyncio.Future[Any]] = {answer, begin}
            done, _ = await asyncio.wait(either, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                raise LoopBlocked
            exit_error = await answer
        finally:
            has_ended.set()
            begin.cancel()
            answer.cancel()
        if exit_error is not None:
            raise exit_error

    def _started_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
                thread = threading.Thread(
                    target=asyncio.run, args=(_run_until_stopped(started),), daemon=True, name=f"loop of {self._plugin}"
                )
                thread.start()
                self._loop, stop = started.result()
                self._end = weakref.finalize(self, _stop, self._loop, stop)
            return self._loop


async def _run_until_stopped(started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]]) -> None:
    current_default_thread_limiter().total_tokens = MAX_THREADS
    stop = asyncio.Event()
    started.set_result((asyncio.get_running_loop(), stop))
    await stop.wait()


def _stop(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    with suppress(RuntimeError):  # the loop has ended
        loop.call_soon_threadsafe(stop.set)


async def _call_in(
    loop: asyncio.AbstractEventLoop,
    has_ended: threading.Event,
    function: Callable[..., Awaitable[object]],
    *arguments: object,
) -> Any:
    """Calls an asynchronous function in the server's loop, and waits for its result in this one. Raises `RuntimeError`
    if the request was abandoned meanwhile."""
    if has_ended.is_set():
        raise RuntimeError("the request has been answered without the plugin")

    async def call() -> object:
        return await function(*arguments)

    coroutine = call()
    try:
        future = asyncio.run_coroutine_threadsafe(coroutine, loop)
    except RuntimeError:  # the server's loop has ended
        coroutine.close()
        raise
    return await asyncio.wrap_future(future)
