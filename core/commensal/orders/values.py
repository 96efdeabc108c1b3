"""Orders as the code outside this room sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ..base.hidden_fields import Amount, EmailAddress, VoucherCodes, WithMoney
from ..base.plugin_fields import PluginValues
from ..pricing.values import Address, Adjustment, OrderDraft, PricedLine, Totals, VatShare

# Who vouches for the owner of an order. Access to anything that belongs to a customer depends on this value alone.
#
# The e-mail address of an order is where its e-mails go. It proves nothing: anybody can type any address. So each
# order stores an `Identity` beside the address:
#
# * `Identity.TYPED`: the owner is not proven: a guest, or an account whose own address is not confirmed. *
# `Identity.PROVEN`: the customer was logged in with a confirmed address, or has followed the link that only the
# e-mail about the order contains (`proof.prove_order`). * `Identity.BY_HUB`: the shop ordered for its customer and
# vouches for them.
#
# How to use it:
#
# * `Order.customer_id` is the customer who owns the order: None while the identity is typed. A plugin that reads it
# (accounts, subsidies, limits for each customer) can never reach what belongs to another customer. * Inside the core,
# `proof.known_customer_of(tx, order)` returns the customer for whom an order is priced; `proof.identify(...)` decides
# both for a new order. No other code looks a customer up by the address of an order. * A proven order of an account
# belongs to its customer, so that everybody in the customer's household sees and changes it (`questions._opens_to`);
# `Order.person_id` is the account that placed it. Only a typed order opens to that. * In SQL, the column
# `customer_order.customer_id` also names the shop's record for an address that was only typed: the shop wants to read
# who is expected on Thursday. A statement that gives or takes something must also demand `identity <> 'typed'`. * A
# typed order becomes proven by `proof.prove_order`, which the link in the e-mail leads to, or when the account that
# placed it confirms its address. `emails.mailed_secret` creates the secret of such a link: it goes into an e-mail and
# nowhere else, least of all into a response to the client that placed the order.


class Identity(StrEnum):
    """Who vouches for the owner of an order; the value of `customer_order.identity`."""

    TYPED = "typed"
    PROVEN = "proven"
    BY_HUB = "hub"


MOST_LINES = 500  # of one order
MOST_PIECES = 10_000  # of one line
LONGEST_COLLECTOR = 200  # characters


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a customer wants to order.

    `items` maps catalog items to pieces; `shipping` and `payment_method` are "plugin:id". `total` is the total that the
    customer was shown, in minor units: a different total is refused, not charged. `codes` are voucher codes; `address`
    is the place of a delivery; `consents` are the requests ("plugin:id") to which the customer agrees. `language` is
    that of the e-mails about the order; empty: the shop's. `plugin_fields` are values of fields that plugins declare.
    `terms_id` is the version of the shop's terms of sale that the customer accepts (`LegalText.id`); empty: none.
    `collector` is who collects the order instead of the customer: a name, with a telephone number if they like.
    """

    items: Mapping[str, int]
    name: str
    email: str
    phone: str = ""
    note: str = ""
    language: str = ""
    shipping: str = ""
    payment_method: str = ""
    total: int | None = None
    codes: tuple[str, ...] = ()
    address: Address | None = None
    consents: tuple[str, ...] = ()
    plugin_fields: PluginValues = field(default_factory=dict)
    terms_id: str = ""
    collector: str = ""


@dataclass(frozen=True, kw_only=True)
class SaleContext:
    """A sale session with what placing an order needs to know about its shop.

    `terms_id` is the current version of the shop's terms of sale (`LegalText.id`); None: it has published none.
    """

    session_id: str
    coordination_id: str
    coordinator_id: str  # the enterprise that coordinates the sale
    coordination_name: str
    enterprise_id: str
    enterprise_name: str
    currency: str
    prices_include_vat: bool
    timezone: str
    language: str
    visibility: str
    opens_at: datetime
    closes_at: datetime
    begins_at: datetime  # of the distribution
    ends_at: datetime
    cancelled: bool
    terms_id: str | None
    completed: bool  # its orders were made Complete after the close
    books_closed: bool  # its orders do not change any more
    plugins: Mapping[str, Mapping[str, object]]  # the shop's, with its settings for them

    def is_open(self, now: datetime) -> bool:
        """Tells whether the sale takes orders. Time alone decides: no job opens or closes a sale."""
        return not self.cancelled and self.opens_at <= now < self.closes_at


@dataclass(frozen=True, kw_only=True)
class Quote:
    """A priced order: what a wish would cost now, or what a placed order costs."""

    draft: OrderDraft
    totals: Totals


@dataclass(frozen=True, kw_only=True)
class Order:
    """A placed order, or a draft. Amounts are minor units of `currency`; moments are UTC.

    shipping_address and shipping_note tell where to collect the order, as of when it was placed or last changed; they
    are empty for an order that is delivered to `address`.

    state, payment_state and fulfilment_state are the DFC vocabularies OrderState, PaymentState, FulfilmentState.
    customer_id is the customer who owns it; None for a draft, and while its identity is typed: `email` proves nothing.
    person_id is the account that placed it or that it has joined.
    restocked tells for a cancelled order whether its goods went back on sale; False: the shop lost them; None: they
    are in the order into which it was merged.
    plugin_fields are values of fields that plugins declare by `order_fields`.
    total_at_most is what the total can become when the goods are weighed; None: nobody knows, or nothing is to weigh.
    crates is into how many it was packed; None: nobody has counted them.
    terms_id is the version of the shop's terms of sale that the customer accepted (`LegalText.id`); None: none.
    collector is who collects it instead of the customer, in the customer's words; empty: the customer.
    email is empty if the shop took the order for somebody without an address; it then has no `customer_id` either.
    """

    id: str
    session_id: str
    enterprise_id: str
    customer_id: str | None
    identity: Identity
    person_id: str | None
    number: int | None
    state: str
    payment_state: WithMoney[str]
    fulfilment_state: str
    currency: str
    prices_include_vat: bool
    name: str
    email: EmailAddress
    phone: str
    language: str
    note: str
    shipping: str
    shipping_label: str
    shipping_address: str
    shipping_note: str
    payment_method: WithMoney[str]
    codes: VoucherCodes
    address: Address | None
    products_total: Amount
    deposits_total: Amount
    adjustments_total: Amount
    vat_total: Amount
    total: Amount
    paid_total: Amount
    created_at: datetime
    placed_at: datetime | None
    changed_at: datetime
    cancelled_at: datetime | None
    fulfilled_at: datetime | None
    version: int
    lines: tuple[PricedLine, ...] = ()
    adjustments: WithMoney[tuple[Adjustment, ...]] = ()
    vat: tuple[VatShare, ...] = ()
    restocked: bool | None = None
    crates: int | None = None
    terms_id: str | None = None
    total_at_most: Amount | None = None
    plugin_fields: PluginValues = field(default_factory=dict)
    collector: str = ""

    @property
    def awaits_scales(self) -> bool:
        """Whether goods are still to be weighed, which changes what it costs."""
        is_going = self.state in ("Held", "Complete") and self.fulfilment_state != "Fulfilled"
        return is_going and any(line.awaits_scales for line in self.lines)
