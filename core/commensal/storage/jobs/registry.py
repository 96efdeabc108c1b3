"""Which function does a kind of job, and what happens periodically. Filled once at start; read-only afterwards."""

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
    """A promise, as its handler sees it. The same job may be handed over twice: act once, by its id."""

    id: str
    kind: str
    payload: Mapping[str, Any]
    attempts: int


@dataclass(frozen=True)
class Periodic:
    """Work that happens once in each slot of `every`, in one transaction, however many workers there are.

    `irreversible` work deletes or ends what no later run brings back. It waits while the clock is in doubt: see
    `jobs.clock`.
    """

    name: str
    every: timedelta
    act: Callable[[Transaction], object]
    irreversible: bool = False


Handler = Callable[["Instance", Job], None]


@dataclass(frozen=True)
class Work:
    """All that the workers of an instance know how to do."""

    handlers: Mapping[str, Handler]
    periodic: tuple[Periodic, ...] = ()


class PermanentFailure(Exception):
    """Raised by a handler: another try would end alike, so the job is parked at once. Its text is for the operator."""
