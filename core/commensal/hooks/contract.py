"""A hook's contract as data: which plugins are called, when, for how long, and what follows if one fails.

The dispatcher obeys it; documentation and tests are generated from it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Generic, Literal, ParamSpec, TypeVar, overload

import pluggy

PROJECT = "commensal"

_ONLY_FOR = f"{PROJECT}_only_for"
F = TypeVar("F", bound=Callable[..., Any])


def only_for(**values: Collection[object]) -> Callable[[F], F]:
    """Declares that the plugin has an answer only where arguments of the hook have these values, and is not called
    otherwise: ``@hookimpl`` above ``@only_for(phase=(Phase.FEE,))`` asks it in one phase of prices and not in five."""

    def mark(function: F) -> F:
        setattr(function, _ONLY_FOR, {name: tuple(chosen) for name, chosen in values.items()})
        return function

    return mark


def only_for_of(function: Callable[..., object]) -> Mapping[str, Collection[object]]:
    """The values by arguments that `only_for` has declared; empty if it is always called."""
    values: Mapping[str, Collection[object]] = getattr(function, _ONLY_FOR, {})
    return values


Scope = Literal["instance", "enterprise"]
Returns = Literal["each", "one", "nothing"]
Where = Literal["startup", "transaction", "outside", "job"]
OnError = Literal["raise", "skip", "undo", "retry"]

P = ParamSpec("P")
R = TypeVar("R")

_mark = pluggy.HookimplMarker(PROJECT)
_marked: dict[tuple[str, str], Callable[..., Any]] = {}  # by the module that defines it, and its name


@overload
def hookimpl(function: F, /, **options: Any) -> F: ...


@overload
def hookimpl(**options: Any) -> Callable[[F], F]: ...


def hookimpl(function: Any = None, /, **options: Any) -> Any:
    """Marks a plugin's function as the implementation of a hook: ``@hookimpl def payment_methods(...)``.

    `options` are those of `pluggy.HookimplMarker`: ``specname``, ``optionalhook``.
    """
    if function is None:
        return lambda marked: _remember(_mark(**options)(marked))
    return _remember(_mark(function, **options))


def _remember(function: F) -> F:
    _marked[function.__module__, function.__name__] = function
    return function


def implementing_function(module: ModuleType, name: str) -> Callable[..., Any] | None:
    """The function of the plugin `module` that implements the hook `name`; None if there is none.

    A submodule of that name does not hide it. Python binds a submodule to its package when it is first imported,
    whatever stood under the name: after ``import plugin.migrations.first``, ``plugin.migrations`` is not a function.
    """
    value = getattr(module, name, None)
    if isinstance(value, ModuleType):
        homes = [home for home, marked in _marked if marked == name and _holds(module, home) and home != value.__name__]
        value = _marked[homes[0], name] if homes else None
    return value if hasattr(value, f"{PROJECT}_impl") else None


def _holds(package: ModuleType, home: str) -> bool:
    return home == package.__name__ or home.startswith(f"{package.__name__}.")


@dataclass(frozen=True, kw_only=True)
class Contract:
    """scope:      `instance`: every enabled plugin is called; `enterprise`: only those that the enterprise uses
    returns:    `each`: a list of answers; `one`: one named plugin is called; `nothing`: there is no answer
    where:      `startup`: once, before serving; `transaction`: inside one, without I/O, never async;
                `outside`: between transactions, `def` or `async def`, under `timeout`; `job`: the same, in a job after
                the commit of the event
    on_error:   `raise`: the caller gets a `PluginError`; `skip`: the plugin is skipped, and the failure is shown;
                `undo`: the same, and what it wrote in the transaction is undone;
                `retry`: the job is tried again after growing delays, and parked and shown after its last try
    timeout:    seconds; in a transaction it is when the transaction is taken away from a plugin that hangs, which ends
                it whatever `on_error` says
    reads:      inside a transaction: whatever the hook writes is refused or undone, and is a failure
    since:      the version that introduced the hook
    deprecated: what to use instead, and when the hook is removed; a plugin that implements it is warned at start
    deprecated_arguments: the same for single arguments, by their names
    """

    scope: Scope
    returns: Returns
    where: Where
    on_error: OnError
    timeout: float = 5.0
    reads: bool = False
    since: str = "0.1"
    deprecated: str = ""
    deprecated_arguments: Mapping[str, str] = field(default_factory=dict)


class Hook(Generic[P, R]):
    """A specification with its contract. Callers pass this object to `Hooks`, so that calls are typed."""

    def __init__(self, specification: Callable[P, R], contract: Contract) -> None:
        self.name, self.contract, self.specification = specification.__name__, contract, specification
        self.__doc__ = specification.__doc__

    def __repr__(self) -> str:
        return f"<hook {self.name}>"


def hook(
    *,
    scope: Scope,
    returns: Returns,
    where: Where,
    on_error: OnError,
    timeout: float = 5.0,
    reads: bool = False,
    since: str = "0.1",
    deprecated: str = "",
    deprecated_arguments: Mapping[str, str] | None = None,
) -> Callable[[Callable[P, R]], Hook[P, R]]:
    """Declares a hook: ``@hook(scope="enterprise", returns="each", where="outside", on_error="skip")``.

    Raises `ValueError` for a hook that could be skipped after it has written in the transaction.
    """
    if where == "transaction" and on_error == "skip" and not reads:
        raise ValueError("a hook that writes in a transaction cannot be skipped")
    contract = Contract(
        scope=scope,
        returns=returns,
        where=where,
        on_error=on_error,
        timeout=timeout,
        reads=reads,
        since=since,
        deprecated=deprecated,
        deprecated_arguments=deprecated_arguments or {},
    )

    def declare(specification: Callable[P, R]) -> Hook[P, R]:
        return Hook(specification, contract)

    return declare


AnyHook = Hook[Any, Any]
