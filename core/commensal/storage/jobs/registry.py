"""The handlers of jobs and the periodic work of an instance, collected once at its start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ..database import Transaction

if TYPE_CHECKING:
    from ...instance import Instance


@dataclass(frozen=True)
class Job:
    """A job as its handler gets it. A handler may get the same job twice, and must act once, by its id."""

    id: str
    kind: str
    payload: Mapping[str, Any]
    attempts: int


@dataclass(frozen=True)
class Periodic:
    """Work that runs once in each slot of `every`, in one transaction, however many workers there are.

    `act` gets the transaction. `irreversible` work deletes or ends what no later run can restore. It waits while the
    clock is in doubt: see `jobs.clock`.
    """

    name: str
    every: timedelta
    act: Callable[[Transaction], object]
    irreversible: bool = False


Handler = Callable[["Instance", Job], None]


@dataclass(frozen=True)
class Work:
    """Handlers by the kind of job, each called with the `Instance` and the `Job`, and periodic work.

    `irreversible`: the kinds of jobs that delete or end what no later run can restore. They stay due while the clock is
    in doubt: see `jobs.clock`. A job that does so among other things asks `clock_in_doubt` itself.
    """

    handlers: Mapping[str, Handler]
    periodic: tuple[Periodic, ...] = ()
    irreversible: frozenset[str] = frozenset()


class PermanentFailure(Exception):
    """Raised by a handler if another try cannot succeed: the job is parked at once. The text is for the operator."""
