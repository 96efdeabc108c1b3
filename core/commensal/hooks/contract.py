"""A hook's contract, as data: who is asked, when, how often, and what happens when a plugin fails.

Documentation and tests are made from it, and the dispatcher obeys it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, ParamSpec, TypeVar

import pluggy

PROJECT = "commensal"

# Plugins mark their functions with it: ``@hookimpl def payment_methods(...)``.
hookimpl = pluggy.HookimplMarker(PROJECT)

Scope = Literal["instance", "enterprise"]
Returns = Literal["each", "one", "nothing"]
Where = Literal["startup", "transaction", "outside", "job"]
OnError = Literal["raise", "skip", "retry"]

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Contract:
    """scope:      `instance`: every enabled plugin is asked; `enterprise`: only those the enterprise switched on
    returns:    `each`: a list of answers; `one`: one named plugin is asked; `nothing`: it is only told
    where:      `startup`: once, before serving; `transaction`: inside one, without I/O, never async;
                `outside`: between transactions, `def` or `async def`, under `timeout`; `job`: the same, after the
                commit of what it tells of
    on_error:   `raise`: the caller gets a `PluginError`; `skip`: the plugin is left out, and the failure is shown;
                `retry`: the job comes back with growing delay, and is parked and shown after its last try
    timeout:    seconds; in a transaction it is when the database is taken away from a plugin that hangs, which ends the
                transaction whatever `on_error` says
    reads:      inside a transaction: whatever it writes is refused or undone, and is a failure
    since:      the version that brought it
    deprecated: what to use instead, and when it goes; a plugin that implements it is warned of at start
    deprecated_arguments: the same for single arguments, by their names; a plugin that takes one is warned of
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
    """A specification with its contract. Hooks are called by this object, so calls are typed."""

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
    """Declares a hook: ``@hook(scope="enterprise", returns="each", where="outside", on_error="skip")``."""
    if where == "transaction" and on_error == "skip" and not reads:
        raise ValueError("who is left out of a transaction must not have written in it")
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
