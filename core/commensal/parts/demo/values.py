"""The values of the demo region, which are drawn before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Protocol, TypeVar

from ...storage.database import Transaction


@dataclass(frozen=True, kw_only=True)
class Somebody:
    """A person with an address at example.org and a telephone number that is reserved for fiction."""

    name: str
    email: str
    phone: str


@dataclass(frozen=True, kw_only=True)
class Location:
    """A location that does not exist: no French postcode begins with 96. Degrees are WGS 84."""

    street: str
    postcode: str
    city: str
    latitude: Decimal
    longitude: Decimal


@dataclass(frozen=True, kw_only=True)
class Size:
    """A size of a product: the net content of a piece in a DFC measure, and its price in cents, including VAT."""

    quantity: Decimal
    unit: str
    price: int
    sku: str


@dataclass(frozen=True, kw_only=True)
class DrawnLot:
    """A product in several sizes, which share one stock.

    months:  in which it is sold, 1 to 12
    on_hand: in the unit usual for its measure (kilograms, litres, pieces); None is unlimited
    deposit: cents for one piece
    """

    name: str
    description: str
    product_type: str
    months: frozenset[int]
    sizes: tuple[Size, ...]
    on_hand: Decimal | None
    vat_rate: Decimal
    deposit: int
    weighed: bool
    labels: tuple[str, ...]
    allergens: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DrawnProducer:
    """`hubs` are indexes of `DemoRegion.hubs`: the hubs that may sell its goods."""

    kind: str
    name: str
    description: str
    owner: Somebody
    phone: str
    place: Location
    lots: tuple[DrawnLot, ...]
    hubs: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Hub:
    """markup:       per cent that it adds to the producers' prices
    category:     the name of its customer category with prices of its own
    off:          per cent that this category pays less
    rhythm:       recurrence rule of its sales (RFC 5545)
    past:         its past sales, in weeks before the present one
    """

    name: str
    description: str
    owner: Somebody
    packer: Somebody
    phone: str
    place: Location
    markup: int
    category: str
    off: int
    rhythm: str
    past: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Shopper:
    """`hubs` are indexes of `DemoRegion.hubs`; `in_category`: whether they pay the lower prices there."""

    somebody: Somebody
    hubs: tuple[int, ...]
    in_category: bool


@dataclass(frozen=True, kw_only=True)
class DrawnSale:
    """Who orders at a sale. `hub` is an index of `DemoRegion.hubs`, `shoppers` are indexes of `DemoRegion.shoppers`, by
    time; `weeks_ago` is 0 for the sale under way."""

    hub: int
    weeks_ago: int
    shoppers: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class DemoRegion:
    """The whole region. A region of scale 1 is the beginning of that of scale 2."""

    seed: int
    scale: int
    hubs: tuple[Hub, ...]
    producers: tuple[DrawnProducer, ...]
    shoppers: tuple[Shopper, ...]
    past_sales: tuple[DrawnSale, ...]
    running_sales: tuple[DrawnSale, ...]


# The ids of what was written of the region, by index; and transactions at past times.

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
