"""The demo region as values: what is drawn before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class Somebody:
    """A person with an e-mail address of example.org and a telephone number that is kept free for fiction."""

    name: str
    email: str
    phone: str


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place that does not exist: no French postcode begins with 96. Degrees are WGS 84."""

    street: str
    postcode: str
    city: str
    latitude: Decimal
    longitude: Decimal


@dataclass(frozen=True, kw_only=True)
class Size:
    """One piece as it is sold: its net content in a DFC measure, and its price in cents, VAT included."""

    quantity: Decimal
    unit: str
    price: int
    sku: str


@dataclass(frozen=True, kw_only=True)
class Heap:
    """A product with all its sizes over one stock.

    months:  1 to 12, in which it is sold
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
class Producer:
    """`hubs` are places in `Region.hubs`: whom it lets sell its goods."""

    kind: str
    name: str
    description: str
    owner: Somebody
    phone: str
    place: Place
    heaps: tuple[Heap, ...]
    hubs: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Hub:
    """markup:       percent that it adds to the producers' prices
    category:     its group of customers with prices of their own
    off:          percent that these pay less
    rhythm:       of its sales, as RFC 5545 writes it
    past:         its past sales, in weeks before the present one
    """

    name: str
    description: str
    owner: Somebody
    packer: Somebody
    phone: str
    place: Place
    markup: int
    category: str
    off: int
    rhythm: str
    past: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Shopper:
    """`hubs` are places in `Region.hubs`; `in_category` whether they pay the lower prices there."""

    somebody: Somebody
    hubs: tuple[int, ...]
    in_category: bool


@dataclass(frozen=True, kw_only=True)
class PastSale:
    """Of the hub at this place; `shoppers` are places in `Region.shoppers`, who ordered in this order."""

    hub: int
    weeks_ago: int
    shoppers: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Region:
    """Everything that is drawn. The region of scale 1 is the beginning of that of scale 2."""

    seed: int
    scale: int
    hubs: tuple[Hub, ...]
    producers: tuple[Producer, ...]
    shoppers: tuple[Shopper, ...]
    past_sales: tuple[PastSale, ...]
