"""Sales as plugins, pages and the API see them. All times are aware and in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

LONGEST_NAME = 200  # characters, of a sale


@dataclass(frozen=True, kw_only=True)
class Supplier:
    """A supplier of a coordination. `closes_at`: its own cut-off; None: the closing of each session."""

    enterprise_id: str
    closes_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Coordination:
    """One sale of several suppliers at one or more shops (an order cycle).

    closes_at:         when it closes, or has closed
    planned_opens_at:  the planned opening of a sale that opens at another moment for once; None: it opens as planned
    planned_closes_at: the same of its closing, as of a sale that was closed early
    rhythm:            an RFC 5545 rule, stored at the latest sale of a series; None: it is not repeated
    previous_id:       the previous sale of the series
    completed_at:      when its orders were made Complete, after the closing; from then on its times cannot change
    """

    id: str
    coordinator_id: str
    name: str
    opens_at: datetime
    closes_at: datetime
    planned_closes_at: datetime | None
    rhythm: str | None
    previous_id: str | None
    cancelled_at: datetime | None
    completed_at: datetime | None
    created_at: datetime
    version: int
    planned_opens_at: datetime | None = None
    suppliers: tuple[Supplier, ...] = ()

    @property
    def plan_opens_at(self) -> datetime:
        """The opening that later sales of its rhythm follow, and from which clones are counted."""
        return self.planned_opens_at or self.opens_at

    @property
    def plan_closes_at(self) -> datetime:
        """The closing that later sales of its rhythm, and clones, follow."""
        return self.planned_closes_at or self.closes_at


@dataclass(frozen=True, kw_only=True)
class SaleSession:
    """A coordination's part at one shop (`enterprise_id`). `name`, `cancelled_at`, `completed_at`: the coordination's.

    `begins_at` and `ends_at` are those of the distribution; `planned_closes_at` as of the coordination. `names` and
    `notes` are `name` and `note` in further languages than the shop's. `planned_begins_at` and `planned_ends_at` are
    those of a distribution that was moved for once, as with its orders; None: it is as planned.
    """

    id: str
    coordination_id: str
    coordinator_id: str
    enterprise_id: str
    catalog_id: str
    name: str
    opens_at: datetime
    closes_at: datetime
    planned_closes_at: datetime | None
    begins_at: datetime
    ends_at: datetime
    names: Mapping[str, str]
    note: str
    notes: Mapping[str, str]
    cancelled_at: datetime | None
    completed_at: datetime | None
    version: int
    books_closed_at: datetime | None = None
    planned_begins_at: datetime | None = None
    planned_ends_at: datetime | None = None

    @property
    def plan(self) -> tuple[datetime, datetime]:
        """Beginning and end of the distribution that later sales of the series, and clones, follow."""
        return self.planned_begins_at or self.begins_at, self.planned_ends_at or self.ends_at


@dataclass(frozen=True, kw_only=True)
class SaleShop:
    """The enterprise of a sale session: where it is, and its language, time zone and currency."""

    id: str
    slug: str
    name: str
    city: str
    visibility: str
    language: str
    timezone: str
    currency: str
    prices_include_vat: bool


@dataclass(frozen=True, kw_only=True)
class Sale:
    """A session with its shop."""

    session: SaleSession
    shop: SaleShop


@dataclass(frozen=True, kw_only=True)
class ItemOnSale:
    """An item that a session sells, with its product and supplier."""

    item_id: str
    product_id: str
    supplier_id: str
    name: str
