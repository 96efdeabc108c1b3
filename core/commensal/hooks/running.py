"""Calls one implementation of a hook: in this thread, or in a thread of its own that can be left behind."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
import types
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from functools import cache, partial
from typing import Any, Union, get_args, get_origin, get_type_hints

import pluggy

import commensal

from ..base.logs import plugin_context, running_plugin
from . import specifications
from .breaker import PluginPlace
from .contract import AnyHook, only_for_of
from .watchdog import on_taken_away

# One plugin's function for one hook, with what each call of it needs, worked out at the first call.

SETTINGS, INSTANCE_SETTINGS = "settings", "instance_settings"  # arguments that every implementation may take


class Implementation:
    """`names` are the arguments that it takes from the caller of the hook, so without those of settings. `only_for` are
    the arguments with the values for which alone it is called; empty: it always is."""

    __slots__ = ("function", "names", "only_for", "place", "plugin", "takes_instance_settings", "takes_settings")

    def __init__(self, hook: AnyHook, implementation: pluggy.HookImpl) -> None:
        self.plugin: str = implementation.plugin_name
        self.place = PluginPlace(self.plugin, hook.name)
        self.function: Callable[..., object] = implementation.function
        arguments = implementation.argnames
        self.takes_settings, self.takes_instance_settings = SETTINGS in arguments, INSTANCE_SETTINGS in arguments
        self.names = tuple(name for name in arguments if name not in (SETTINGS, INSTANCE_SETTINGS))
        self.only_for = tuple(only_for_of(self.function).items())

    def is_for(self, arguments: Mapping[str, object]) -> bool:
        """Whether the plugin is to be asked about these arguments: see `only_for`."""
        for name, values in self.only_for:  # noqa: SIM110 - an order asks this 25 times, and a loop takes half the time
            if name in arguments and arguments[name] not in values:
                return False
        return True


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


# Checks the answers of plugins against the return annotations of the hooks' specifications.

_LISTS = (list, tuple)


def answer_problem(hook: AnyHook, answer: object) -> str:
    """A text for the operator that says what is wrong with the answer; "" if it is as the specification promises."""
    is_valid, description = _answer_rule(hook)
    return "" if is_valid(answer) else f"{answer!r:.200} is not a {description}"


@cache
def _answer_rule(hook: AnyHook) -> tuple[Callable[[object], bool], str]:
    """A check of answers, and the name of the type that it expects."""
    hint = _return_annotation(hook)
    if hint is type(None):
        return lambda answer: True, ""  # the answer is not used
    choices = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    (kind,) = (choice for choice in choices if choice is not type(None))
    empty = type(None) in choices
    if get_origin(kind) is Sequence:
        (item,) = get_args(kind)
        return lambda answer: (answer is None and empty) or _is_list_of(item, answer), f"list of {item.__name__}"
    plain = get_origin(kind) or kind
    return lambda answer: (answer is None and empty) or isinstance(answer, plain), kind.__name__


def _is_list_of(item: type, answer: object) -> bool:
    return isinstance(answer, _LISTS) and all(isinstance(member, item) for member in answer)


def _return_annotation(hook: AnyHook) -> object:
    annotated = types.SimpleNamespace(__annotations__={"return": hook.specification.__annotations__["return"]})
    return get_type_hints(annotated, vars(specifications), _AnnotationNames())["return"]


class _AnnotationNames(dict[str, Any]):
    """Resolves names that specifications import for the type checker only; plugins import them from `commensal`."""

    def __missing__(self, name: str) -> object:
        if not hasattr(commensal, name):
            raise KeyError(name)
        return getattr(commensal, name)
