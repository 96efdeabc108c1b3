"""Orders as everybody outside this room sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ..pricing.values import Address, Adjustment, OrderDraft, PricedLine, Totals, VatShare
from .identity import Identity

MOST_LINES = 500  # of one order
MOST_PIECES = 10_000  # of one line


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody wants to order. `items` maps catalog items to pieces; `shipping` and `payment_method` are
    "plugin:id". `total` is the total they were shown, in minor units: another one is refused, not charged. `codes` are
    of vouchers; `address` is where the goods are to be brought, where they are; `consents` are the requests
    ("plugin:id") that the customer agrees to."""

    items: Mapping[str, int]
    name: str
    email: str
    phone: str = ""
    note: str = ""
    language: str = "fr"
    shipping: str = ""
    payment_method: str = ""
    total: int | None = None
    codes: tuple[str, ...] = ()
    address: Address | None = None
    consents: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Selling:
    """A sale session with all that placing an order needs to know of its shop."""

    session_id: str
    coordination_id: str
    coordinator_id: str  # the enterprise that coordinates the sale
    coordination_name: str
    enterprise_id: str
    enterprise_name: str
    currency: str
    prices_include_vat: bool
    timezone: str
    visibility: str
    opens_at: datetime
    closes_at: datetime
    begins_at: datetime  # of the distribution
    ends_at: datetime
    cancelled: bool
    completed: bool  # its orders were made Complete after the close
    plugins: Mapping[str, Mapping[str, object]]  # the shop's, with its settings for them

    def is_open(self, now: datetime) -> bool:
        """Open is a matter of time alone: no job opens or closes a sale."""
        return not self.cancelled and self.opens_at <= now < self.closes_at


@dataclass(frozen=True, kw_only=True)
class Quote:
    """What a wish would cost now. Nothing is taken, nothing is written."""

    draft: OrderDraft
    totals: Totals


@dataclass(frozen=True, kw_only=True)
class Order:
    """A placed order, or a draft. Amounts are minor units of `currency`; moments are UTC.

    shipping_address and shipping_note tell where the order is collected, as of when it was placed or last changed; they
    are empty for one that is brought to `address`.

    state, payment_state and fulfilment_state are the DFC vocabularies OrderState, PaymentState, FulfilmentState.
    customer_id is whose order it is; None for a draft, and while its identity is typed: then `email` proves nothing.
    person_id is the account that placed it, or to which it was attached.
    restocked says of a cancelled order whether its goods went back on sale; False: the shop lost them.
    """

    id: str
    session_id: str
    enterprise_id: str
    customer_id: str | None
    identity: Identity
    person_id: str | None
    number: int | None
    state: str
    payment_state: str
    fulfilment_state: str
    currency: str
    prices_include_vat: bool
    name: str
    email: str
    phone: str
    language: str
    note: str
    shipping: str
    shipping_label: str
    shipping_address: str
    shipping_note: str
    payment_method: str
    codes: tuple[str, ...]
    address: Address | None
    products_total: int
    deposits_total: int
    adjustments_total: int
    vat_total: int
    total: int
    paid_total: int
    created_at: datetime
    placed_at: datetime | None
    changed_at: datetime
    cancelled_at: datetime | None
    fulfilled_at: datetime | None
    version: int
    lines: tuple[PricedLine, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    vat: tuple[VatShare, ...] = ()
    restocked: bool | None = None
