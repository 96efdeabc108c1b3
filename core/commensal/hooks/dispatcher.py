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
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any, Generic, ParamSpec, Protocol, TypeVar

import msgspec
import pluggy
import structlog

from ..base.clock import Clock
from ..base.errors import CommensalError, PluginError, Problem, Refused, SettingsError, Unavailable
from ..base.logs import speaker, speaking
from ..base.reading import read_settings
from ..storage.database import Transaction
from ..storage.database.hold import Hold
from ..storage.database.unavailable import why_unavailable
from .answers import nonsense
from .aside import Aside
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


class _Noted(PluginError):
    """Of a plugin that was noted when its transaction was taken away."""


Among = Collection[str] | Mapping[str, Mapping[str, Any]]
Calls = Sequence[tuple[pluggy.HookImpl, dict[str, Any]]]
_LATE = "it took too long"
_TRANSACTION = 8.0  # seconds for one that a plugin has opened: less than the ten that others wait for their turn
_READING = 30.0  # seconds for some lines of a report
_NO_BOUND: AbstractContextManager[None] = nullcontext()

# How to answer whoever waits for this thread before a plugin that hangs in it gives it back. Called by the watchdog,
# after the transaction was taken away.
leave: ContextVar[Callable[[PluginError], None] | None] = ContextVar("leave", default=None)


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
        self._aside = Aside()

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

    @contextmanager
    def running(self, plugin: str, what: str, hold: Hold | None = None) -> Iterator[None]:
        """The block is code of the plugin's that no hook asks for: a page, an endpoint, a job, the rows of a report.

        What it raises is noted with its name and raised again; `SystemExit` becomes a `PluginError`. Other exceptions
        that are no `Exception`, such as `KeyboardInterrupt`, are not the plugin's and pass.
        Transactions that it opens are bounded; so is the one of `hold`, in which it reads. Raises `PluginError` where
        it hangs in one, and where it is set aside there.
        """
        if speaker() != (plugin, what):  # a page is told by its route, and again in the thread in which it runs
            self._refuse_aside(plugin, what)
        before = self._aside.points((plugin, what))
        try:
            with speaking(plugin, what), _NO_BOUND if hold is None else self._bound(hold, plugin, what, _READING):
                yield
        except CommensalError:
            raise
        except (Exception, SystemExit) as error:
            if why_unavailable(error):  # no fault of the plugin
                raise
            self._note(what, plugin, f"{type(error).__name__}: {error}", error, counts=False)
            if isinstance(error, SystemExit):
                raise PluginError(plugin, what, f"{type(error).__name__}: {error}") from error
            raise
        if self._aside.points((plugin, what)) == before:  # nor did anything fail inside that was answered there
            self._aside.worked((plugin, what))

    def bound(self, hold: Hold, seconds: float | None) -> AbstractContextManager[None]:
        """Around a transaction: one that a plugin has opened is taken away at its time limit."""
        plugin, what = speaker()
        return self._bound(hold, plugin, what, seconds or _TRANSACTION) if what else _NO_BOUND

    @contextmanager
    def _bound(self, hold: Hold, plugin: str, what: str, seconds: float) -> Iterator[None]:
        left, guilty = leave.get(), (plugin, what)

        def late() -> None:
            nonlocal guilty
            guilty = hold.current_call or guilty  # it may wait for another plugin's hook
            self._take_away(hold, *guilty, left)

        try:
            with watchdog.watch(seconds, late):
                yield
        except TookTooLong as error:
            raise _Noted(*guilty, _LATE) from error

    def _take_away(self, hold: Hold, plugin: str, what: str, left: Callable[[PluginError], None] | None) -> None:
        try:
            hold.take_away()
        finally:
            self._note(what, plugin, _LATE, late=True)
            if left is not None:
                left(PluginError(plugin, what, _LATE))

    def _refuse_aside(self, plugin: str, what: str) -> None:
        until = self._aside.until((plugin, what), self._clock.now())
        if until is not None:
            text = f"it is set aside until {until:%H:%M:%S} UTC, because it failed again and again"
            raise PluginError(plugin, what, text)

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
        found = [one for one in found if self._is_asked(hook, one.plugin_name)]
        calls = [(one, given) for one in found if (given := self._given(hook, one, among, kwargs)) is not None]
        if hook.contract.where in ("outside", "job"):
            return self._side_by_side(hook, calls)
        return self._in_turn(hook, calls, kwargs.get("tx"))

    def _is_asked(self, hook: AnyHook, plugin: str) -> bool:
        """Not where it is set aside. Raises `PluginError` there, unless it may be left out."""
        try:
            self._refuse_aside(plugin, hook.name)
        except PluginError:
            if hook.contract.on_error != "skip":
                raise
            return False
        return True

    def _side_by_side(self, hook: AnyHook, calls: Calls) -> list[tuple[str, Any]]:
        started = [(one.plugin_name, _start(hook, one, given)) for one, given in calls]
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
            with watchdog.watch(hook.contract.timeout, partial(self._note, hook.name, one.plugin_name, _LATE)):
                answered.append(_call(one, given))
        except TookTooLong as late:
            if late.__cause__ is not None:
                raise late.__cause__ from None
        return answered[0]

    def _watched(self, hook: AnyHook, one: pluggy.HookImpl, given: dict[str, Any], tx: Transaction) -> Any:
        around, left = tx.hold.current_call, leave.get()
        tx.hold.current_call = one.plugin_name, hook.name
        late = partial(self._take_away, tx.hold, one.plugin_name, hook.name, left)
        try:
            with watchdog.watch(hook.contract.timeout, late):
                value = _call(one, given, hook.name)
                tx.hold.catch_up()
        finally:
            tx.hold.current_call = around
        if tx.hold.taken:  # from a hook that this one has called, which it must not get over
            raise TookTooLong
        tx.hold.refuse_writes()
        return value

    def _answer(self, hook: AnyHook, plugin: str, call: Callable[[], Any]) -> list[tuple[str, Any]]:
        """The plugin with what it answers; nothing where it fails and may be left out."""
        try:
            value = call()
            wrong = nonsense(hook, value)
        except Refused:
            self._aside.worked((plugin, hook.name))
            raise
        except Unavailable:
            raise
        except TookTooLong as late:  # noted when it was; its transaction is gone, so nobody can be left out of it
            raise PluginError(plugin, hook.name, _LATE) from late
        except Exception as error:  # whatever a plugin raises, the contract says what follows
            if why_unavailable(error):  # told where its transaction ends, and no fault of the plugin
                raise
            self._failed(hook, plugin, error)
            return []
        if wrong:
            self._failed(hook, plugin, PluginError(plugin, hook.name, wrong))
            return []
        self._aside.worked((plugin, hook.name))
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
        cause = None if isinstance(error, PluginError | TimeoutError) else error
        if not isinstance(error, _Noted):
            self._note(hook.name, plugin, what, cause, late=isinstance(error, TimeoutError))
        if hook.contract.on_error != "skip":
            raise PluginError(plugin, hook.name, what) from error

    def _note(
        self,
        where: str,
        plugin: str,
        what: str,
        error: BaseException | None = None,
        *,
        late: bool = False,
        counts: bool = True,
    ) -> None:
        """`counts`: it may set the plugin aside. What a visitor can make fail by what they send must not."""
        now = self._clock.now()
        aside = counts and self._aside.failed((plugin, where), now, late=late)
        failure = Failure(plugin, where, f"{what}; it is set aside for a minute" if aside else what, now)
        self.failures = [*self.failures[-99:], failure]
        _log.warning("plugin failed", plugin=plugin, hook=where, what=failure.what, exc_info=error)
        if self._keeper is not None:
            self._keeper.keep(failure)


def _call(one: pluggy.HookImpl, given: dict[str, Any], what: str = "") -> Any:
    with speaking(one.plugin_name, what):
        try:
            value = one.function(**given)
        except SystemExit as error:  # what ends a command must not end a server
            raise RuntimeError(f"it exits the process: {error}") from error
    if hasattr(value, "__await__"):
        value.close() if inspect.iscoroutine(value) else None
        raise TypeError("this hook cannot be async")
    return value


def _start(hook: AnyHook, one: pluggy.HookImpl, given: dict[str, Any]) -> Future[Any]:
    future: Future[Any] = Future()
    # A daemon thread, not a pool: a plugin that hangs for ever must neither fill a pool nor hold up the exit.
    # It goes on in a copy of the context, so that its lines in the log are the request's.
    run = partial(copy_context().run, _run, future, hook, one, given)
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


def _run(future: Future[Any], hook: AnyHook, one: pluggy.HookImpl, given: dict[str, Any]) -> None:
    leave.set(None)  # whoever waits for this thread has a time limit
    try:
        with speaking(one.plugin_name, hook.name):
            value = one.function(**given)
            future.set_result(asyncio.run(value) if inspect.iscoroutine(value) else value)
    except SystemExit as error:  # what ends a command must not end a server
        future.set_exception(RuntimeError(f"it exits the process: {error}"))
    except asyncio.CancelledError as error:  # of its own loop; whoever waits has not been cancelled
        future.set_exception(RuntimeError(f"it cancels itself: {error}"))
    except BaseException as error:  # the thread that waits decides, by the contract
        future.set_exception(error)
