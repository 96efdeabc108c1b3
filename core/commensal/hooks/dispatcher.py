"""Calls hooks as their contracts say. pluggy registers and validates; it does not call, because its loop stops at the
first exception and knows neither time limits, nor enterprises, nor transactions.

Everything here is synchronous. Outside a transaction the plugins of one call run side by side in threads, so the
slowest decides, and one that hangs is left behind; an `async def` runs in a loop of its own in that thread.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar

import pluggy
import structlog

from ..clock import Clock
from ..errors import PluginError, Refused
from . import specifications
from .contract import AnyHook, Hook

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
_log = structlog.get_logger("commensal.hooks")


@dataclass(frozen=True)
class Answer(Generic[R]):
    """What one plugin said."""

    plugin: str
    value: R


@dataclass(frozen=True)
class Failure:
    """What one plugin did wrong: shown by ``commensal plugins`` and to the operator."""

    plugin: str
    hook: str
    what: str
    at: datetime


class Hooks:
    """The enabled plugins, in the operator's order."""

    def __init__(self, manager: pluggy.PluginManager, *, clock: Clock) -> None:
        self._manager, self._clock = manager, clock
        self.failures: list[Failure] = []

    def each(
        self, hook: Hook[P, R], among: Collection[str] | None = None, /, *args: P.args, **kwargs: P.kwargs
    ) -> list[Answer[R]]:
        """Asks every plugin that implements the hook and is `among` those the enterprise uses (None: all).

        Answers come in the operator's order; None is dropped.
        """
        found = [one for one in self._implementations(hook) if among is None or one.plugin_name in among]
        outside = hook.contract.where == "outside"
        calls = [(one.plugin_name, self._start(one, kwargs) if outside else self._now(one, kwargs)) for one in found]
        answers = []
        for plugin, call in calls:
            try:
                value = call(hook.contract.timeout)
            except Refused:
                raise
            except Exception as error:  # whatever a plugin raises, the contract says what follows
                self._failed(hook, plugin, error)
            else:
                if value is not None:
                    answers.append(Answer(plugin, value))
        return answers

    def ask(self, hook: Hook[P, R], plugin: str, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Asks the one plugin that is in charge. Raises `PluginError` where it is gone or fails."""
        answers = self.each(hook, {plugin}, *args, **kwargs)
        if not answers:
            raise PluginError(plugin, hook.name, "it is not enabled, or gave no answer")
        return answers[0].value

    def implemented_by(self, plugin: str) -> list[str]:
        """The names of the hooks a plugin implements."""
        module = self._manager.get_plugin(plugin)
        return sorted(caller.name for caller in self._manager.get_hookcallers(module) or [])

    def plugins(self) -> list[str]:
        """Ids of the enabled plugins, in the operator's order."""
        return [name for name, module in self._manager.list_name_plugin() if module is not None]

    def folders(self) -> dict[str, Path]:
        """The package folder of each plugin that has one: ``templates/``, ``static/`` and ``locale/`` lie there."""
        paths = {name: getattr(self._manager.get_plugin(name), "__path__", None) for name in self.plugins()}
        return {name: Path(path[0]) for name, path in paths.items() if path}

    def settings_class(self, plugin: str) -> type | None:
        """The shape of an enterprise's settings for this plugin, if it has any."""
        answers = self.each(specifications.enterprise_settings, {plugin})
        return answers[0].value if answers else None

    def _implementations(self, hook: AnyHook) -> list[pluggy.HookImpl]:
        return getattr(self._manager.hook, hook.name).get_hookimpls()  # type: ignore[no-any-return]

    def _now(self, one: pluggy.HookImpl, kwargs: dict[str, Any]) -> Callable[[float], Any]:
        def call(timeout: float) -> Any:
            value = one.function(**{name: kwargs[name] for name in one.argnames})
            if inspect.isawaitable(value):
                value.close() if inspect.iscoroutine(value) else None
                raise TypeError("this hook runs inside a transaction and cannot be async")
            return value

        return call

    def _start(self, one: pluggy.HookImpl, kwargs: dict[str, Any]) -> Callable[[float], Any]:
        future: Future[Any] = Future()
        given = {name: kwargs[name] for name in one.argnames}
        # A daemon thread, not a pool: a plugin that hangs for ever must neither fill a pool nor hold up the exit.
        threading.Thread(
            target=_run, args=(future, one.function, given), daemon=True, name=f"{one.plugin_name}"
        ).start()
        return lambda timeout: future.result(timeout)

    def _failed(self, hook: AnyHook, plugin: str, error: Exception) -> None:
        what = "it took too long" if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"
        self.failures = [*self.failures[-99:], Failure(plugin, hook.name, what, self._clock.now())]
        _log.warning("plugin failed", plugin=plugin, hook=hook.name, exc_info=error)
        if hook.contract.on_error == "raise":
            raise PluginError(plugin, hook.name, what) from error


def _run(future: Future[Any], function: Callable[..., Any], given: dict[str, Any]) -> None:
    try:
        value = function(**given)
        future.set_result(asyncio.run(value) if inspect.iscoroutine(value) else value)
    except BaseException as error:  # the thread that waits decides, by the contract
        future.set_exception(error)
