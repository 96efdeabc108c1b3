"""What was written of the region, by the places that things have in it; and how its past is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypeVar

from ..storage.database import Transaction

T = TypeVar("T")


class Watch(Protocol):
    """Hands things on one by one, and shows how far it is."""

    def __call__(self, things: Sequence[T], label: str, /) -> Iterable[T]: ...


@dataclass(frozen=True, kw_only=True)
class People:
    """Ids of people, in the order of `Region`."""

    hub_owners: Sequence[str]
    packers: Sequence[str]
    producer_owners: Sequence[str]
    shoppers: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Enterprises:
    """Ids of enterprises, in the order of `Region`; for each hub its group of customers and its catalog."""

    hubs: Sequence[str]
    producers: Sequence[str]
    categories: Sequence[str]
    catalogs: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Listed:
    """An item of a hub's catalog, and the months in which it is sold."""

    item_id: str
    months: frozenset[int]


def at(tx: Transaction, moment: datetime) -> Transaction:
    """The same transaction at another time: what happened last month is written as it would have been then."""
    return replace(tx, now=moment)
