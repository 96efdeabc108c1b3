"""An order while its price is worked out: frozen values that price rules, shipping and payment plugins get to see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from ...hooks.values import ShippingOption


class Phase(StrEnum):
    """When an adjustment is worked out. All plugins in a phase see the same subtotal, so their order is irrelevant."""

    FEE = "FEE"
    DISCOUNT = "DISCOUNT"
    VOUCHER = "VOUCHER"
    SUBSIDY = "SUBSIDY"
    ROUNDING = "ROUNDING"


CUSTOMER = "customer"  # the usual payer of an adjustment


@dataclass(frozen=True, kw_only=True)
class Adjustment:
    """An amount that is not a line's price: fee, discount, voucher, subsidy, rounding.

    amount:   minor units of the order's currency; negative spares the customer. It always counts into what the customer
              pays, whoever the payer is
    vat_rate: percent; None is outside VAT. The amount includes VAT or not as the order's prices do
    payer:    `CUSTOMER`, or who pays instead of the customer (a fund's name): then `amount` is negative, the payer owes
              the payee as much as the customer is spared, and VAT stays on the full price, so `vat_rate` is None
              (directive 2006/112/EC, art. 73: what a third party pays is part of the price)
    payee:    id of the enterprise that gets it; "" is the shop
    code:     the voucher's code that it answers to, as the order has it; "" for what needs none
    plugin:   who asked for it; the core writes it, "" is the core itself
    """

    phase: Phase
    kind: str
    label: str
    amount: int
    vat_rate: Decimal | None = None
    line_id: str | None = None
    payer: str = CUSTOMER
    payee: str = ""
    code: str = ""
    plugin: str = ""


@dataclass(frozen=True, kw_only=True)
class PricedLine:
    """A line with its price. Amounts are minor units; `amount` is what the line costs without its deposit."""

    id: str
    item_id: str
    product_id: str
    supplier_id: str
    lot_id: str
    lot_quantity: int
    name: str
    unit_quantity: Decimal
    unit: str
    price: int
    deposit: int
    vat_rate: Decimal
    weighed: bool
    quantity: int
    final_quantity: Decimal | None = None
    amount: int = 0
    substitutes_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where goods are to be brought. `country` is ISO 3166-1 alpha-2; "" is the shop's own."""

    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    note: str = ""  # for whoever brings them


@dataclass(frozen=True, kw_only=True)
class OrderDraft:
    """What a customer is about to order, or to change it into, at one shop's sale session.

    customer_id:  None for somebody who has never ordered here, and for who is not logged in
    email:        "" for a quote
    codes:        of vouchers, in capitals
    codes_before: those that the order has had since it was placed or last changed; none for a new order
    """

    id: str
    session_id: str
    enterprise_id: str
    currency: str
    prices_include_vat: bool
    category_ids: frozenset[str]
    person_id: str | None
    customer_id: str | None = None
    email: str = ""
    language: str = "fr"
    codes: tuple[str, ...] = ()
    codes_before: tuple[str, ...] = ()
    payment_method: str = ""  # "plugin:method"; "" is not chosen yet
    lines: tuple[PricedLine, ...]
    shipping: str  # "plugin:option"; "" is not chosen yet
    address: Address | None = None
    begins_at: datetime  # of the distribution
    timezone: str = "UTC"  # IANA; the shop's, in which days and years are meant
    coordinator_id: str = ""  # the enterprise that coordinates the sale, often the shop itself
    shipping_option: ShippingOption | None = None  # what the plugin said of it
    adjustments: tuple[Adjustment, ...] = ()

    @property
    def subtotal(self) -> int:
        """Lines and the adjustments of the phases before, without deposits; minor units."""
        return sum(line.amount for line in self.lines) + sum(one.amount for one in self.adjustments)


@dataclass(frozen=True, kw_only=True)
class VatShare:
    """What one rate contributes: net and VAT, in minor units."""

    rate: Decimal
    net: int
    vat: int


@dataclass(frozen=True, kw_only=True)
class Totals:
    """All in minor units. `total` is what the customer pays: products, deposits, adjustments, and VAT where added."""

    products: int
    deposits: int
    adjustments: int
    vat: int
    total: int
    shares: tuple[VatShare, ...]
