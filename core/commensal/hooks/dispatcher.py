"""Calls hooks as their contracts say. pluggy registers and validates plugins but does not call them, because its loop
stops at the first exception, and has no time limits, enterprises or transactions.

Everything here is synchronous. Outside a transaction the plugins of one call run side by side in threads, so the call
takes as long as the slowest, and a plugin that hangs is left behind; an `async def` runs in an event loop of its own in
that thread. Inside a transaction plugins run in its own thread, one after the other, and the watchdog takes the
transaction away from a plugin that hangs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar

import msgspec
import pluggy

from ..base.clock import Clock
from ..base.errors import CommensalError, PluginError, Problem, Refused, SettingsError, Unavailable
from ..base.logs import current_plugin, plugin_context
from ..base.reading import read_settings
from ..storage.database import Transaction
from ..storage.database.errors import why_unavailable
from ..storage.database.hold import Hold
from .breaker import Failure, FailureLog, Keeper, PluginPlace
from .contract import AnyHook, Hook
from .running import (
    INSTANCE_SETTINGS,
    SETTINGS,
    Implementation,
    answer_problem,
    call_in_this_thread,
    start_in_thread,
    wait_for_answer,
)
from .time_limits import LATE, AbandonableCalls, AlreadyNoted, TimeBounds
from .watchdog import TookTooLong

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


@dataclass(frozen=True)
class HookAnswer(Generic[R]):
    """The answer of one plugin."""

    plugin: str
    value: R


Among = Collection[str] | Mapping[str, Mapping[str, Any]]
PluginAnswers = list[tuple[str, Any]]
_Calls = Sequence[tuple[PluginPlace, Implementation, dict[str, object]]]  # implementations with their arguments
TRANSACTION_SECONDS = 8.0  # of a transaction that a plugin opens or writes in: other writers wait for ten
READING_SECONDS = 30.0  # of a transaction in which a report reads its lines
_GO_ON = ("skip", "undo")  # values of `on_error` with which the caller goes on
_NOTED = "_commensal_plugin"  # the attribute of an error that tells for which plugin it was noted
_NO_BOUND: AbstractContextManager[None] = nullcontext()


class Hooks:
    """The enabled plugins, in the operator's order.

    `shapes` are the classes of the plugins' settings for an enterprise, `of_instance` the operator's settings of each
    plugin, and `absent` the plugins that instance.toml enables but that could not be loaded, with the reason.
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
        self._manager = manager
        self._settings_classes, self._instance_settings = shapes or {}, of_instance or {}
        self.absent = absent or {}
        self._implementations_by_hook: dict[str, list[Implementation]] = {}  # a cache, filled by the calls
        self._failure_log = FailureLog(clock)
        self._bounds = TimeBounds(self._failure_log)
        self._abandonable = AbandonableCalls(self._failure_log)

    @property
    def failures(self) -> list[Failure]:
        """The latest failures in this process, the newest last."""
        return self._failure_log.failures

    def keep_failures(self, keeper: Keeper) -> None:
        """From now on, hands every failure to `keeper` too."""
        self._failure_log.keeper = keeper

    def flush_failures(self) -> None:
        """Waits until the keeper has stored all failures, or has given up."""
        if self._failure_log.keeper is not None:
            self._failure_log.keeper.flush()

    def each(
        self, hook: Hook[P, R], among: Among | None = None, /, *args: P.args, **kwargs: P.kwargs
    ) -> list[HookAnswer[R]]:
        """Calls every plugin that implements the hook and is `among` those the enterprise uses (None: all).

        If `among` is a mapping, its values are the enterprise's settings for each plugin, and implementations that take
        `settings` get them as their own class. Answers come in the operator's order, without None.
        """
        return [HookAnswer(plugin, value) for plugin, value in self._ask(hook, among, kwargs) if value is not None]

    def ask(self, hook: Hook[P, R], plugin: str, among: Among | None = None, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Calls one plugin and returns its answer; None only if the hook's specification allows it.

        Raises `PluginError` if the plugin is not there or fails.
        """
        answers = self._ask(hook, _only(plugin, among), kwargs)
        if not answers:
            raise PluginError(plugin, hook.name, "it is not enabled, or gave no answer")
        value: R = answers[0][1]
        return value

    def tell(
        self, hook: Hook[P, None], plugin: str, among: Among | None = None, /, *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Calls one plugin whose hook returns nothing. Raises `PluginError` if the plugin is not there or fails."""
        if not self._ask(hook, _only(plugin, among), kwargs):
            raise PluginError(plugin, hook.name, "it is not enabled, or does not know what to do")

    def blame(self, hook: AnyHook, plugin: str, what: str) -> None:
        """Notes that the core cannot use an answer of the plugin.

        Raises `PluginError` unless the hook's contract says that plugins may be skipped.
        """
        self._handle_failure(hook, plugin, PluginError(plugin, hook.name, what))

    def blame_hang(self, plugin: str, where: str) -> PluginError:
        """Notes that the plugin hangs in a page or the like, and returns the error for those who wait for it."""
        self._failure_log.note(PluginPlace(plugin, where), LATE, late=True)
        return PluginError(plugin, where, LATE)

    @contextmanager
    def running(self, plugin: str, what: str, hold: Hold | None = None) -> Iterator[None]:
        """Wraps code of a plugin that is not a hook: a page, an endpoint, a job, the lines of a report.

        Notes what the block raises as a failure of the plugin, and raises it again; `SystemExit` becomes a
        `PluginError`. Other exceptions that are not `Exception`, such as `KeyboardInterrupt`, are not the plugin's.
        Transactions that the block opens have a time limit, and so has the one of `hold`, which it uses. Raises
        `PluginError` if such a limit has passed, or if the plugin is set aside at this place.
        """
        place = PluginPlace(plugin, what)
        if current_plugin() != place:  # a page comes here twice: by its route, and in the thread that runs it
            self._failure_log.refuse_set_aside(place)
        breaker = self._failure_log.breaker
        points_before = breaker.points(place)
        try:
            with plugin_context(plugin, what), self._bound_use(hold, place):
                yield
        except CommensalError:
            raise
        except (Exception, SystemExit) as error:
            # Not the plugin's fault: there is no database, or another plugin's page inside this one has failed.
            if why_unavailable(error) or getattr(error, _NOTED, plugin) != plugin:
                raise
            setattr(error, _NOTED, plugin)
            text = f"{type(error).__name__}: {error}"
            self._failure_log.note(place, text, error, counts=False)
            if isinstance(error, SystemExit):
                raise PluginError(plugin, what, text) from error
            raise
        if breaker.points(place) == points_before:  # no failure was noted and answered inside either
            self._failure_log.note_success(place)

    def _bound_use(self, hold: Hold | None, place: PluginPlace) -> AbstractContextManager[None]:
        """Bounds the use of a transaction that the core has opened. Other writers wait for one that writes."""
        if hold is None:
            return _NO_BOUND
        return self._bounds.bound(hold, place, READING_SECONDS if hold.only_reads else TRANSACTION_SECONDS)

    def run_abandonable(self, plugin: str, what: str, act: Callable[[], T], seconds: float) -> T:
        """As `running`, in a thread that is left behind after `seconds`, or once its transaction is taken away."""

        def run() -> T:
            with self.running(plugin, what):
                return act()

        value: T = self._abandonable.call(PluginPlace(plugin, what), run, seconds)
        return value

    def bound(self, hold: Hold, seconds: float | None) -> AbstractContextManager[None]:
        """Wraps a transaction: if a plugin has opened it, it is taken away after `seconds` (None: eight)."""
        place = PluginPlace(*current_plugin())
        return self._bounds.bound(hold, place, seconds or TRANSACTION_SECONDS) if place.where else _NO_BOUND

    def implemented_by(self, plugin: str) -> list[str]:
        """The names of the hooks that a plugin implements."""
        module = self._manager.get_plugin(plugin)
        return sorted(caller.name for caller in self._manager.get_hookcallers(module) or [])

    def implementing(self, hook: AnyHook, among: Collection[str] | None = None) -> list[str]:
        """Ids of the plugins that implement the hook, in the operator's order."""
        plugins = [implementation.plugin for implementation in self._implementations(hook)]
        return [plugin for plugin in plugins if among is None or plugin in among]

    def plugins(self) -> list[str]:
        """Ids of the enabled plugins, in the operator's order."""
        return [name for name, module in self._manager.list_name_plugin() if module is not None]

    def begins_hubs(self, plugin: str) -> bool:
        """Whether every new hub uses it at once: it needs no settings, and its module says ``BEGINS_HUBS = True``."""
        return bool(getattr(self._manager.get_plugin(plugin), "BEGINS_HUBS", False))

    def folders(self) -> Mapping[str, Path]:
        """The package folders of plugins by their ids, with ``templates/``, ``static/`` and ``locale/``.

        A plugin that is a single module has none.
        """
        return self._folders

    @cached_property
    def _folders(self) -> dict[str, Path]:
        paths = {name: getattr(self._manager.get_plugin(name), "__path__", None) for name in self.plugins()}
        return {name: Path(path[0]) for name, path in paths.items() if path}

    def settings_class(self, plugin: str) -> type | None:
        """The class of an enterprise's settings for this plugin; None if it has none."""
        return self._settings_classes.get(plugin)

    def instance_settings(self, plugin: str) -> object:
        """The operator's settings for this plugin, as its own class; None if it has none."""
        return self._instance_settings.get(plugin)

    def settings(self, plugin: str, values: Mapping[str, object]) -> object:
        """The settings of an enterprise for this plugin, as its own class; None if it has none.

        Raises `PluginError` if this version of the plugin cannot read values that an older version accepted.
        """
        settings_class = self._settings_classes.get(plugin)
        if settings_class is None:
            return None
        try:
            return _read_settings(settings_class, msgspec.json.encode(values))
        except SettingsError as error:
            raise PluginError(plugin, "enterprise_settings", error) from error

    def _ask(self, hook: AnyHook, among: Among | None, kwargs: dict[str, Any]) -> PluginAnswers:
        calls, any_fails = [], bool(self._failure_log.breaker.streaks)
        for implementation in self._implementations(hook):
            plugin = implementation.plugin
            if among is not None and plugin not in among:
                continue
            if implementation.only_for and not implementation.is_for(kwargs):
                continue
            if any_fails and self._is_skipped(hook, implementation.place):
                continue
            arguments = {name: kwargs[name] for name in implementation.names if name in kwargs}
            if implementation.takes_instance_settings:
                arguments[INSTANCE_SETTINGS] = self.instance_settings(plugin)
            if implementation.takes_settings and not self._add_settings(hook, plugin, among, arguments):
                continue
            calls.append((implementation.place, implementation, arguments))
        if hook.contract.where in ("outside", "job"):
            return self._call_side_by_side(hook, calls)
        tx = kwargs.get("tx")
        if tx is None or hook.contract.where != "transaction" or not calls:
            return self._call_at_start(hook, calls)
        return self._call_in_transaction(hook, calls, tx)

    def _is_skipped(self, hook: AnyHook, place: PluginPlace) -> bool:
        """Whether the plugin is set aside. Raises `PluginError` if it is, and the contract forbids to skip it."""
        try:
            self._failure_log.refuse_set_aside(place)
        except PluginError:
            if hook.contract.on_error not in _GO_ON:
                raise
            return True
        return False

    def _call_side_by_side(self, hook: AnyHook, calls: _Calls) -> PluginAnswers:
        """Calls all plugins at once, each in a thread of its own."""
        futures = [
            (place, start_in_thread(implementation, arguments, hook.name)) for place, implementation, arguments in calls
        ]
        deadline = time.monotonic() + hook.contract.timeout
        answers: PluginAnswers = []
        for place, future in futures:
            answers += self._answer(hook, place, partial(wait_for_answer, future, deadline))
        return answers

    def _call_at_start(self, hook: AnyHook, calls: _Calls) -> PluginAnswers:
        """Calls one plugin after the other in this thread, without a time limit."""
        answers: PluginAnswers = []
        for place, implementation, arguments in calls:
            act = partial(call_in_this_thread, implementation, arguments)
            call = partial(self._bounds.call_without_limit, place, hook.contract.timeout, act)
            answers += self._answer(hook, place, call)
        return answers

    def _call_in_transaction(self, hook: AnyHook, calls: _Calls, tx: Transaction) -> PluginAnswers:
        """Calls one plugin after the other in this thread, with `tx`.

        If the contract says that the hook only reads, the database enforces it, and a plugin that fails leaves the
        transaction usable for the others.
        """
        tx.hold.catch_up()  # raises errors of earlier statements, which no plugin has caused
        answers: PluginAnswers = []
        in_transaction = self._bounds.calls_in_transaction(tx.hold, hook.contract.timeout)
        with tx.hold.reading() if hook.contract.reads else nullcontext(None) as restart:
            for place, implementation, arguments in calls:
                call = partial(in_transaction.call, implementation, arguments)
                if hook.contract.on_error == "undo":
                    answers += self._answer_or_undo(hook, place, call, tx)
                    continue
                answer = self._answer(hook, place, call)
                if not answer and restart is not None:
                    restart()
                answers += answer
        return answers

    def _answer_or_undo(
        self, hook: AnyHook, place: PluginPlace, call: Callable[[], object], tx: Transaction
    ) -> PluginAnswers:
        """As `_answer`; what a plugin that fails has written is undone."""
        with tx.attempt() as savepoint:
            answer = self._answer(hook, place, call)
            if not answer:
                savepoint.rollback()
        return answer

    def _answer(self, hook: AnyHook, place: PluginPlace, call: Callable[[], object]) -> PluginAnswers:
        """The plugin with its answer; an empty list if it fails and the contract says to skip it."""
        try:
            value = call()
            problem = answer_problem(hook, value)
        except Refused:
            self._failure_log.note_success(place)
            raise
        except Unavailable:
            raise
        except TookTooLong as error:  # already noted; the transaction is gone, so the plugin cannot be skipped
            raise PluginError(*place, LATE) from error
        except Exception as error:  # whatever a plugin raises, the contract says what follows
            if why_unavailable(error):  # not the plugin's fault, and reported at the end of the transaction
                raise
            self._handle_failure(hook, place.plugin, error)
            return []
        if problem:
            self._handle_failure(hook, place.plugin, PluginError(*place, problem))
            return []
        if self._failure_log.breaker.streaks:
            self._failure_log.note_success(place)
        return [(place.plugin, value)]

    def _add_settings(self, hook: AnyHook, plugin: str, among: Among | None, arguments: dict[str, object]) -> bool:
        """Adds the enterprise's settings to the arguments. Returns False if they cannot be read, and the plugin is
        skipped."""
        values = among[plugin] if isinstance(among, Mapping) else {}
        try:
            arguments[SETTINGS] = self.settings(plugin, values)
        except PluginError as error:
            self._handle_failure(hook, plugin, error)
            return False
        return True

    def _implementations(self, hook: AnyHook) -> list[Implementation]:
        implementations = self._implementations_by_hook.get(hook.name)
        if implementations is None:
            registered = getattr(self._manager.hook, hook.name).get_hookimpls()
            implementations = [Implementation(hook, implementation) for implementation in registered]
            self._implementations_by_hook[hook.name] = implementations
        return implementations

    def _handle_failure(self, hook: AnyHook, plugin: str, error: Exception) -> None:
        """Notes the failure. Raises `PluginError` unless the contract says to skip the plugin."""
        what = LATE if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"
        if isinstance(error, PluginError):
            what = error.what
        if not isinstance(error, AlreadyNoted):
            cause = None if isinstance(error, PluginError | TimeoutError) else error
            late = isinstance(error, TimeoutError)
            self._failure_log.note(PluginPlace(plugin, hook.name), what, cause, late=late)
        if hook.contract.on_error not in _GO_ON:
            raise PluginError(plugin, hook.name, what) from error


def _only(plugin: str, among: Among | None) -> Among:
    """`among`, restricted to one plugin."""
    if not isinstance(among, Mapping):
        return {plugin: {}} if among is None or plugin in among else {}
    return {plugin: among[plugin]} if plugin in among else {}


@lru_cache(maxsize=512)
def _read_settings(settings_class: type, values: bytes) -> object:
    return read_settings(settings_class, msgspec.json.decode(values))
