"""Calls hooks as their contracts say. pluggy registers and validates; it does not call, because its loop stops at the
first exception and knows neither time limits, nor enterprises, nor transactions.

Everything here is synchronous. Outside a transaction the plugins of one call run side by side in threads, so the
slowest decides, and one that hangs is left behind; an `async def` runs in a loop of its own in that thread. Inside a
transaction they run in its own thread, and the watchdog takes the transaction away from one that hangs.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from contextlib import nullcontext
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any, Generic, ParamSpec, Protocol, TypeVar

import msgspec
import pluggy
import structlog

from ..clock import Clock
from ..errors import PluginError, Problem, Refused, SettingsError
from ..logs import speaking
from ..reading import read_settings
from ..store import Transaction
from .answers import nonsense
from .contract import AnyHook, Hook
from .watch import TookTooLong, watchdog

SETTINGS, INSTANCE_SETTINGS = "settings", "instance_settings"  # arguments that implementations may take besides

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


class Keeper(Protocol):
    """Keeps failures beyond this process. `keep` is called inside transactions, and must not wait."""

    def keep(self, failure: Failure) -> None: ...

    def flush(self) -> None: ...


Among = Collection[str] | Mapping[str, Mapping[str, Any]]
Calls = Sequence[tuple[pluggy.HookImpl, dict[str, Any]]]
_LATE = "it took too long"


class Hooks:
    """The enabled plugins, in the operator's order.

    `shapes` are the classes of the plugins' settings for an enterprise, `of_instance` the settings of the operator,
    `absent` says why what is enabled in instance.toml is not there after all.
    """

    def __init__(
        self,
        manager: pluggy.PluginManager,
        *,
        clock: Clock,
        shapes: Mapping[str, type] | None = None,
        of_instance: Mapping[str, object] | None = None,
        absent: Mapping[str, str | Problem] | None = None,
    ) -> None:
        self._manager, self._clock = manager, clock
        self._shapes, self._of_instance = shapes or {}, of_instance or {}
        self.absent = absent or {}
        self.failures: list[Failure] = []
        self._found: dict[str, list[pluggy.HookImpl]] = {}  # by hook, so that nobody looks for them at every call
        self._keeper: Keeper | None = None

    def keep_failures(self, keeper: Keeper) -> None:
        """From now on every failure is handed to `keeper` too."""
        self._keeper = keeper

    def flush_failures(self) -> None:
        """Waits until all that has failed is kept, or cannot be."""
        if self._keeper is not None:
            self._keeper.flush()

    def each(
        self, hook: Hook[P, R], among: Among | None = None, /, *args: P.args, **kwargs: P.kwargs
    ) -> list[Answer[R]]:
        """Asks every plugin that implements the hook and is `among` those the enterprise uses (None: all).

        A mapping holds the enterprise's settings for each, and those who take `settings` get them in their own shape.
        Answers come in the operator's order; None is dropped.
        """
        return [Answer(plugin, value) for plugin, value in self._ask(hook, among, kwargs) if value is not None]

    def ask(self, hook: Hook[P, R], plugin: str, among: Among | None = None, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Asks the one plugin that is in charge. Raises `PluginError` where it is gone or fails.

        None comes back only from a hook whose specification allows it.
        """
        answers = self._ask(hook, _only(plugin, among), kwargs)
        if not answers:
            raise PluginError(plugin, hook.name, "it is not enabled, or gave no answer")
        value: R = answers[0][1]
        return value

    def tell(
        self, hook: Hook[P, None], plugin: str, among: Among | None = None, /, *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Tells the one plugin whose matter it is. Raises `PluginError` where it is gone or fails."""
        if not self._ask(hook, _only(plugin, among), kwargs):
            raise PluginError(plugin, hook.name, "it is not enabled, or does not know what to do")

    def blame(self, hook: AnyHook, plugin: str, what: str) -> None:
        """The core cannot use what the plugin has answered. Raises `PluginError` unless it may be left out."""
        self._failed(hook, plugin, PluginError(plugin, hook.name, what))

    def implemented_by(self, plugin: str) -> list[str]:
        """The names of the hooks a plugin implements."""
        module = self._manager.get_plugin(plugin)
        return sorted(caller.name for caller in self._manager.get_hookcallers(module) or [])

    def implementing(self, hook: AnyHook, among: Collection[str] | None = None) -> list[str]:
        """Ids of the plugins that implement the hook, in the operator's order."""
        return [one.plugin_name for one in self._implementations(hook) if among is None or one.plugin_name in among]

    def plugins(self) -> list[str]:
        """Ids of the enabled plugins, in the operator's order."""
        return [name for name, module in self._manager.list_name_plugin() if module is not None]

    def folders(self) -> Mapping[str, Path]:
        """The package folder of each plugin that has one: ``templates/``, ``static/`` and ``locale/`` lie there."""
        return self._folders

    @cached_property
    def _folders(self) -> dict[str, Path]:
        paths = {name: getattr(self._manager.get_plugin(name), "__path__", None) for name in self.plugins()}
        return {name: Path(path[0]) for name, path in paths.items() if path}

    def settings_class(self, plugin: str) -> type | None:
        """The shape of an enterprise's settings for this plugin, if it has any."""
        return self._shapes.get(plugin)

    def instance_settings(self, plugin: str) -> object:
        """What the operator has set for this plugin, in its own shape; None for one that has none."""
        return self._of_instance.get(plugin)

    def settings(self, plugin: str, values: Mapping[str, Any]) -> object:
        """What an enterprise has set for this plugin, in its own shape; None for a plugin that has none.

        Raises `PluginError` where a newer version of the plugin cannot read what an older one let the enterprise set.
        """
        shape = self._shapes.get(plugin)
        if shape is None:
            return None
        try:
            return _read(shape, msgspec.json.encode(values))
        except SettingsError as error:
            raise PluginError(plugin, "enterprise_settings", error) from error

    def _ask(self, hook: AnyHook, among: Among | None, kwargs: dict[str, Any]) -> list[tuple[str, Any]]:
        found = [one for one in self._implementations(hook) if among is None or one.plugin_name in among]
        calls = [(one, given) for one in found if (given := self._given(hook, one, among, kwargs)) is not None]
        if hook.contract.where in ("outside", "job"):
            return self._side_by_side(hook, calls)
        return self._in_turn(hook, calls, kwargs.get("tx"))

    def _side_by_side(self, hook: AnyHook, calls: Calls) -> list[tuple[str, Any]]:
        started = [(one.plugin_name, _start(one, given)) for one, given in calls]
        deadline = time.monotonic() + hook.contract.timeout
        waiting = [(plugin, partial(_wait, future, deadline)) for plugin, future in started]
        return [one for plugin, call in waiting for one in self._answer(hook, plugin, call)]

    def _in_turn(self, hook: AnyHook, calls: Calls, tx: Transaction | None) -> list[tuple[str, Any]]:
        """One after the other, in this thread. Who only reads is kept to reading, and one who fails spoils nothing."""
        if tx is None or hook.contract.where != "transaction" or not calls:
            called = [(one.plugin_name, partial(self._patiently, hook, one, given)) for one, given in calls]
            return [one for plugin, call in called for one in self._answer(hook, plugin, call)]
        tx.hold.catch_up()  # what went wrong before is nobody's fault here
        answers = []
        with tx.hold.reading() if hook.contract.reads else nullcontext(None) as start_again:
            for one, given in calls:
                answered = self._answer(hook, one.plugin_name, partial(self._watched, hook, one, given, tx))
                if not answered and start_again is not None:
                    start_again()
                answers += answered
        return answers

    def _patiently(self, hook: AnyHook, one: pluggy.HookImpl, given: dict[str, Any]) -> Any:
        """A start is waited for, however long it takes; but who holds it up is told while it does."""
        answered: list[Any] = []
        try:
            with watchdog.watch(hook.contract.timeout, partial(self._note, hook, one.plugin_name, _LATE)):
                answered.append(_call(one, given))
        except TookTooLong as late:
            if late.__cause__ is not None:
                raise late.__cause__ from None
        return answered[0]

    def _watched(self, hook: AnyHook, one: pluggy.HookImpl, given: dict[str, Any], tx: Transaction) -> Any:
        def late() -> None:
            try:
                tx.hold.take_away()
            finally:
                self._note(hook, one.plugin_name, _LATE)

        with watchdog.watch(hook.contract.timeout, late):
            value = _call(one, given)
            tx.hold.catch_up()
        if tx.hold.taken:  # from a hook that this one has called, which it must not get over
            raise TookTooLong
        tx.hold.refuse_written()
        return value

    def _answer(self, hook: AnyHook, plugin: str, call: Callable[[], Any]) -> list[tuple[str, Any]]:
        """The plugin with what it answers; nothing where it fails and may be left out."""
        try:
            value = call()
            wrong = nonsense(hook, value)
        except Refused:
            raise
        except TookTooLong as late:  # noted when it was; its transaction is gone, so nobody can be left out of it
            raise PluginError(plugin, hook.name, _LATE) from late
        except Exception as error:  # whatever a plugin raises, the contract says what follows
            self._failed(hook, plugin, error)
            return []
        if wrong:
            self._failed(hook, plugin, PluginError(plugin, hook.name, wrong))
            return []
        return [(plugin, value)]

    def _given(
        self, hook: AnyHook, one: pluggy.HookImpl, among: Among | None, kwargs: dict[str, Any]
    ) -> dict[str, Any] | None:
        """The arguments that this implementation takes; None where its settings cannot be read."""
        given = {name: kwargs[name] for name in one.argnames if name in kwargs}
        if INSTANCE_SETTINGS in one.argnames:
            given[INSTANCE_SETTINGS] = self.instance_settings(one.plugin_name)
        if SETTINGS in one.argnames:
            values = among[one.plugin_name] if isinstance(among, Mapping) else {}
            try:
                given[SETTINGS] = self.settings(one.plugin_name, values)
            except PluginError as error:
                self._failed(hook, one.plugin_name, error)
                return None
        return given

    def _implementations(self, hook: AnyHook) -> list[pluggy.HookImpl]:
        found = self._found.get(hook.name)
        if found is None:
            found = self._found[hook.name] = getattr(self._manager.hook, hook.name).get_hookimpls()
        return found

    def _failed(self, hook: AnyHook, plugin: str, error: Exception) -> None:
        what = _LATE if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"
        if isinstance(error, PluginError):
            what = error.what
        self._note(hook, plugin, what, None if isinstance(error, PluginError | TimeoutError) else error)
        if hook.contract.on_error != "skip":
            raise PluginError(plugin, hook.name, what) from error

    def _note(self, hook: AnyHook, plugin: str, what: str, error: Exception | None = None) -> None:
        failure = Failure(plugin, hook.name, what, self._clock.now())
        self.failures = [*self.failures[-99:], failure]
        _log.warning("plugin failed", plugin=plugin, hook=hook.name, what=what, exc_info=error)
        if self._keeper is not None:
            self._keeper.keep(failure)


def _call(one: pluggy.HookImpl, given: dict[str, Any]) -> Any:
    with speaking(one.plugin_name):
        value = one.function(**given)
    if hasattr(value, "__await__"):
        value.close() if inspect.iscoroutine(value) else None
        raise TypeError("this hook cannot be async")
    return value


def _start(one: pluggy.HookImpl, given: dict[str, Any]) -> Future[Any]:
    future: Future[Any] = Future()
    # A daemon thread, not a pool: a plugin that hangs for ever must neither fill a pool nor hold up the exit.
    # It goes on in a copy of the context, so that its lines in the log are the request's.
    run = partial(copy_context().run, _run, future, one, given)
    threading.Thread(target=run, daemon=True, name=one.plugin_name).start()
    return future


def _wait(future: Future[Any], deadline: float) -> Any:
    return future.result(max(0.0, deadline - time.monotonic()))


def _only(plugin: str, among: Among | None) -> Among:
    """The same enterprise's settings, for one plugin."""
    if not isinstance(among, Mapping):
        return {plugin: {}} if among is None or plugin in among else {}
    return {plugin: among[plugin]} if plugin in among else {}


@lru_cache(maxsize=512)
def _read(shape: type, values: bytes) -> object:
    return read_settings(shape, msgspec.json.decode(values))


def _run(future: Future[Any], one: pluggy.HookImpl, given: dict[str, Any]) -> None:
    try:
        with speaking(one.plugin_name):
            value = one.function(**given)
            future.set_result(asyncio.run(value) if inspect.iscoroutine(value) else value)
    except BaseException as error:  # the thread that waits decides, by the contract
        future.set_exception(error)
