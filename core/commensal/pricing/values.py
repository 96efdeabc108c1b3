"""An order while its price is worked out: frozen values that pricing, shipping and payment plugins receive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Literal

from ..base.hidden_fields import Amount, VoucherCode
from ..base.plugin_fields import PluginValues
from ..hooks.values import ShippingOption


class Phase(StrEnum):
    """When an adjustment is worked out. All plugins in a phase see the same subtotal, so their order is irrelevant.

    The last phase is for money that the customer pays for later use, such as a gift card that they buy: it is not a
    sale, so it is outside VAT (directive 2006/112/EC, art. 30b), and no discount, voucher or subsidy of the order
    pays it.
    """

    FEE = "FEE"
    DISCOUNT = "DISCOUNT"
    VOUCHER = "VOUCHER"
    SUBSIDY = "SUBSIDY"
    ROUNDING = "ROUNDING"
    PREPAID = "PREPAID"


CUSTOMER = "customer"  # the usual payer of an adjustment


@dataclass(frozen=True, kw_only=True)
class Adjustment:
    """An amount that is not a line's price: fee, discount, voucher, subsidy, rounding.

    amount:   minor units of the order's currency; negative: the customer pays less. It always counts towards the
              customer's total, whoever the payer is
    vat_rate: percent; None: outside VAT. The amount includes VAT if the order's prices do
    payer:    `CUSTOMER`, or the name of a third party, such as a fund: then `amount` is negative, the payer owes this
              amount to the payee, and VAT stays on the full price, so `vat_rate` is None
              (directive 2006/112/EC, art. 73: what a third party pays is part of the price)
    payee:    id of the enterprise that receives the amount; "" is the shop
    code:     the voucher code that caused it, as written on the order; "" if it needs none
    plugin:   id of the plugin that asked for it; the core sets it, "" is the core itself
    """

    phase: Phase
    kind: str
    label: str
    amount: Amount
    vat_rate: Decimal | None = None
    line_id: str | None = None
    payer: str = CUSTOMER
    payee: str = ""
    code: VoucherCode = ""
    plugin: str = ""


@dataclass(frozen=True, kw_only=True)
class WeightRule:
    """How an adjustment's amount follows from what the goods weigh, as data, for a telephone without a network.

    The measure is `base`, and for each line in `shares` that share of its amount (minor units, without its deposit), or
    with `of` "quantity" of its final quantity, in its own unit. The amount is the measure, rounded half up and kept
    between `least` and `most`; with `steps` it is the second of the first pair whose first the measure does not exceed,
    and `beyond` after the last.

    shares:    by the ids of lines that are sold by weight; until it is weighed, a line has what was ordered
    unweighed: the amount in minor units as long as none of these lines is weighed; None: by the measure too
    vat_rate:  as in `Adjustment`
    """

    of: Literal["amount", "quantity"] = "amount"
    shares: Mapping[str, Fraction] = field(default_factory=dict, hash=False)
    base: Fraction = Fraction(0)
    least: int = 0
    most: int | None = None
    steps: tuple[tuple[Fraction, int], ...] = ()
    beyond: int = 0
    unweighed: int | None = None
    vat_rate: Decimal | None = None

    @classmethod
    def fixed(cls, adjustment: Adjustment) -> WeightRule:
        """The rule of an adjustment that does not depend on weights."""
        return cls(base=Fraction(adjustment.amount), least=adjustment.amount, vat_rate=adjustment.vat_rate)


@dataclass(frozen=True, kw_only=True)
class PricedLine:
    """A line with its price. Amounts are minor units; `amount` is what the line costs without its deposit.

    lot_quantity:     grains that one piece takes from its lot
    unit_quantity:    what one piece holds, in `unit`, a term of the DFC measures: 0.5 "Kilogram"
    price, deposit:   of one piece; with or without VAT as the order's prices are
    list_price:       of one piece for everybody, if this customer has another: as one of a group, or for what replaces
                      missing goods; None: `price` is it
    vat_rate:         percent
    quantity:         how many pieces
    final_quantity:   what the scales say, in `unit`, for all of them; None: not weighed, or not sold by weight
    substitutes_id:   the line that this one replaces
    weight_tolerance: percent beyond the ordered weight for which the customer pays at most; None: for any weight
    """

    id: str
    item_id: str
    product_id: str
    supplier_id: str
    lot_id: str
    lot_quantity: int
    name: str
    unit_quantity: Decimal
    unit: str
    price: Amount
    deposit: Amount
    vat_rate: Decimal
    weighed: bool
    quantity: int
    final_quantity: Decimal | None = None
    amount: Amount = 0
    substitutes_id: str | None = None
    weight_tolerance: Decimal | None = None
    list_price: Amount | None = None

    @property
    def awaits_scales(self) -> bool:
        """Whether nobody knows yet what it will cost, because it is sold by weight and was not weighed."""
        return self.weighed and self.final_quantity is None and self.quantity > 0


@dataclass(frozen=True, kw_only=True)
class Address:
    """The address of a delivery. `country` is ISO 3166-1 alpha-2; "" is the shop's country, `note` for the driver."""

    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class OrderDraft:
    """An order at one shop's sale session that is being placed, quoted or changed.

    category_ids:    groups of customers to which the customer belongs
    customer_id:     None for people who have never ordered here, and for people who are not logged in
    email:           "" for a quote
    codes:           voucher codes, in capitals
    codes_before:    the codes of the order before this change; none for a new order
    payment_method:  "plugin:method"; "" is not chosen yet
    shipping:        "plugin:option"; "" is not chosen yet
    shipping_option: what is chosen, as its plugin describes it; None for a choice that nobody offers any more
    begins_at:       when the distribution begins; UTC
    timezone:        IANA; the shop's, in which its days and years are counted
    coordinator_id:  the enterprise that coordinates the sale, often the shop itself
    adjustments:     those of earlier phases
    plugin_fields:   values of the plugins' `order_fields`, by plugin and name, as far as they are filled in already
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
    payment_method: str = ""
    lines: tuple[PricedLine, ...]
    shipping: str
    address: Address | None = None
    begins_at: datetime
    timezone: str = "UTC"
    coordinator_id: str = ""
    shipping_option: ShippingOption | None = None
    adjustments: tuple[Adjustment, ...] = ()
    plugin_fields: PluginValues = field(default_factory=dict, hash=False)

    @property
    def awaits_scales(self) -> bool:
        """Whether goods are still to be weighed, which changes what it costs."""
        return any(line.awaits_scales for line in self.lines)

    @property
    def subtotal(self) -> int:
        """The sum of the lines and of the adjustments of earlier phases, without deposits; minor units."""
        return sum(line.amount for line in self.lines) + sum(adjustment.amount for adjustment in self.adjustments)

    @property
    def prepaid(self) -> int:
        """What the order pays for later use, such as for gift cards; minor units."""
        return sum(adjustment.amount for adjustment in self.adjustments if adjustment.phase is Phase.PREPAID)


@dataclass(frozen=True, kw_only=True)
class VatShare:
    """The net amount and the VAT at one rate, in minor units; `rate` is in percent."""

    rate: Decimal
    net: Amount
    vat: Amount


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Sums in minor units. `total` is what the customer pays: products, deposits, adjustments, and VAT if prices are
    net. `at_most` is what `total` can become when the goods are weighed; None: nobody knows, or nothing is to weigh."""

    products: int
    deposits: int
    adjustments: int
    vat: int
    total: int
    shares: tuple[VatShare, ...]
    at_most: int | None = None
