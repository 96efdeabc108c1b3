"""The ids of what was written of the region, by index; and transactions at past times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypeVar

from ...storage.database import Transaction

T = TypeVar("T")


class Progress(Protocol):
    """Iterates over things, and shows the progress."""

    def __call__(self, things: Sequence[T], label: str, /) -> Iterable[T]: ...


@dataclass(frozen=True, kw_only=True)
class PeopleIds:
    """Ids of people, in the order of `DemoRegion`."""

    hub_owners: Sequence[str]
    packers: Sequence[str]
    producer_owners: Sequence[str]
    shoppers: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Enterprises:
    """Ids of enterprises, in the order of `DemoRegion`; of each hub also its customer category and its catalog."""

    hubs: Sequence[str]
    producers: Sequence[str]
    categories: Sequence[str]
    catalogs: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class SeasonalItem:
    """An item of a hub's catalog, and the months in which it is sold."""

    item_id: str
    months: frozenset[int]


def at(tx: Transaction, moment: datetime) -> Transaction:
    """The same transaction with another time, to write what happened in the past."""
    return replace(tx, now=moment)
