"""Calls one implementation of a hook: in this thread, or in a thread of its own that can be left behind."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial

from ..base.logs import plugin_context, running_plugin
from .implementation import Implementation
from .watchdog import on_taken_away


def call_in_this_thread(implementation: Implementation, arguments: dict[str, object], hook_name: str = "") -> object:
    """Calls it in this thread. Raises whatever it raises, and `TypeError` if it is async.

    `hook_name` bounds the transactions that it opens; "" for a start, which may take its time.
    """
    token = running_plugin.set((implementation.plugin, hook_name))
    try:
        value = implementation.function(**arguments)
    except SystemExit as error:  # may end a command, but not a server
        raise RuntimeError(f"it exits the process: {error}") from error
    finally:
        running_plugin.reset(token)
    if hasattr(value, "__await__"):
        value.close() if inspect.iscoroutine(value) else None
        raise TypeError("this hook cannot be async")
    return value


def start_in_thread(implementation: Implementation, arguments: dict[str, object], hook_name: str) -> Future[object]:
    """Starts it in a thread of its own, in a copy of the context, so that its log lines belong to the request.

    A daemon thread, not a pool: a plugin that hangs for ever must neither fill a pool nor delay the exit.
    """
    future: Future[object] = Future()
    run = partial(copy_context().run, _run, future, implementation, arguments, hook_name)
    threading.Thread(target=run, daemon=True, name=implementation.plugin).start()
    return future


def wait_for_answer(future: Future[object], deadline: float) -> object:
    """The answer of a started implementation. Raises `TimeoutError` at `deadline` (of the monotonic clock)."""
    return future.result(max(0.0, deadline - time.monotonic()))


def _run(future: Future[object], implementation: Implementation, arguments: dict[str, object], hook_name: str) -> None:
    on_taken_away.set(None)  # the thread that waits for this one has a time limit of its own
    try:
        with plugin_context(implementation.plugin, hook_name):
            value = implementation.function(**arguments)
            future.set_result(asyncio.run(value) if inspect.iscoroutine(value) else value)
    except SystemExit as error:  # may end a command, but not a server
        future.set_exception(RuntimeError(f"it exits the process: {error}"))
    except asyncio.CancelledError as error:  # the plugin's own loop was cancelled, not the waiting thread
        future.set_exception(RuntimeError(f"it cancels itself: {error}"))
    except BaseException as error:  # raised in the waiting thread, which follows the contract
        future.set_exception(error)
