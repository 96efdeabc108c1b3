"""Tables of orders. A cart is an order that is still a draft."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text, UniqueConstraint

from ..storage.database import (
    DERIVED,
    ON_BEHALF,
    PERSONAL,
    SECRET,
    Exact,
    Flag,
    Json,
    Time,
    Whole,
    append_only,
    checked_in,
    metadata,
    only_where,
    untraced,
)
from .values import Identity

customer_order = Table(
    "customer_order",
    metadata,
    Column("id", Text, primary_key=True),
    Column("session_id", Text, ForeignKey("sale_session.id"), nullable=False),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),  # the shop
    Column("customer_id", Text, ForeignKey("customer.id"), index=True),  # the shop's record; none while a draft
    Column("identity", Text, nullable=False, server_default=Identity.TYPED),  # see `identity`
    # None: bought without an account. Derived, so that no trail tells a shop whose address has an account.
    Column("person_id", Text, ForeignKey("person.id"), info=DERIVED),
    Column("secret_hash", Text, info=SECRET),  # opens the order to a guest; its SHA-256
    Column("number", Whole),  # gapless per enterprise; none while a draft
    Column("state", Text, nullable=False),
    Column("payment_state", Text, nullable=False),
    Column("fulfilment_state", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("prices_include_vat", Flag, nullable=False),  # as the enterprise had it when the order was placed
    Column("name", Text, nullable=False, info=PERSONAL),
    Column("email", Text, nullable=False, info=PERSONAL),
    Column("phone", Text, nullable=False, info=PERSONAL),
    Column("language", Text, nullable=False),
    Column("note", Text, nullable=False, info=PERSONAL),
    Column("collector", Text, nullable=False, server_default="", info=PERSONAL),  # who collects it for the customer
    Column("shipping", Text, nullable=False),  # "plugin:option"
    Column("shipping_label", Text, nullable=False),
    Column("shipping_address", Text, nullable=False, server_default=""),  # where it is collected, on one line
    Column("shipping_note", Text, nullable=False, server_default=""),  # how to find the door there
    Column("payment_method", Text, nullable=False),  # "plugin:method"
    Column("codes", Json, nullable=False, server_default="[]", info=PERSONAL),  # of vouchers, as they were typed
    Column("address", Json, info=PERSONAL),  # of a delivery; none: the goods are collected
    Column("plugin_fields", Json, nullable=False, server_default="{}", info=PERSONAL),  # by plugin and name
    Column("terms_id", Text, ForeignKey("legal_text.id")),  # the terms of sale that the customer accepted
    Column("products_total", Whole, nullable=False),  # all totals in minor units
    Column("deposits_total", Whole, nullable=False),
    Column("adjustments_total", Whole, nullable=False),  # what the customer pays of them (negative: saves)
    Column("vat_total", Whole, nullable=False),
    Column("total", Whole, nullable=False),
    Column("total_at_most", Whole),  # whatever the scales will say; none: nobody knows, or nothing is left to weigh
    Column("paid_total", Whole, nullable=False, default=0),  # the journal's sum for this order; only payments write it
    Column("created_at", Time, nullable=False),
    Column("placed_at", Time),
    Column("changed_at", Time, nullable=False, info=DERIVED),
    Column("cancelled_at", Time),
    Column("restocked", Flag),  # of a cancelled order: whether its goods are on sale; none: they are in another order
    Column("fulfilled_at", Time),
    Column("crates", Whole),  # into which it was packed; none: nobody has counted them
    Column("version", Whole, nullable=False),
    UniqueConstraint("enterprise_id", "number"),
    checked_in("identity", Identity),
    checked_in("state", ("Draft", "Held", "Complete", "Cancelled")),
    checked_in("payment_state", ("Unpaid", "Paid", "Cancelled")),
    checked_in("fulfilment_state", ("Unfulfilled", "Held", "Fulfilled", "Cancelled")),
    CheckConstraint("total >= 0", name="total_not_negative"),
    CheckConstraint("state = 'Draft' OR (number IS NOT NULL AND placed_at IS NOT NULL)", name="placed_has_number"),
    Index("ix_customer_order_session", "session_id", "state", "id"),
    Index("ix_customer_order_person", "person_id", "id", **only_where("person_id IS NOT NULL")),
    Index("ix_customer_order_unpaid", "enterprise_id", "number", **only_where("payment_state = 'Unpaid'")),
    Index(
        "uq_customer_order_cart",
        "session_id",
        "person_id",
        unique=True,
        **only_where("state = 'Draft' AND person_id IS NOT NULL"),
    ),
    Index("uq_customer_order_secret", "secret_hash", unique=True),
    sqlite_strict=True,
    info=ON_BEHALF,
)

# Secrets of links in e-mails to guests. They open the order like its own secret does, and also prove that their holder
# reads the mailbox: see `proof`.
order_link = Table(
    "order_link",
    metadata,
    Column("secret_hash", Text, primary_key=True, info=SECRET),  # SHA-256
    Column("order_id", Text, ForeignKey("customer_order.id"), nullable=False, index=True),
    Column("created_at", Time, nullable=False),
    sqlite_strict=True,
    info=untraced("it follows from the e-mail in which the link stands"),
)

# Orders of people who have not proved who they are: where they came from, and when they expire.
guest_order = Table(
    "guest_order",
    metadata,
    Column("order_id", Text, ForeignKey("customer_order.id"), primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("mailbox", Text, nullable=False, info=PERSONAL),  # SHA-256 of the address
    Column("network", Text, nullable=False, info=PERSONAL),  # an IPv4 address, or the /64 of an IPv6 one
    Column("placed_at", Time, nullable=False),
    Column("confirm_by", Time),  # none: the link in its e-mail need not be followed
    Column("pay_by", Time),  # none: it may stay unpaid
    Column("expired_at", Time),  # until the hub is told
    Column("confirmed_at", Time),  # when they have shown that the address is theirs
    Index("ix_guest_order_mailbox", "enterprise_id", "mailbox"),
    Index("ix_guest_order_network", "enterprise_id", "network"),
    sqlite_strict=True,
    info=untraced("the order is traced"),
)

# Lines of a cart: wishes without a price. Prices are worked out when the cart is read, and when the order is placed.
cart_line = Table(
    "cart_line",
    metadata,
    Column("order_id", Text, ForeignKey("customer_order.id", ondelete="CASCADE"), primary_key=True),
    Column("item_id", Text, ForeignKey("catalog_item.id"), primary_key=True),
    Column("quantity", Whole, nullable=False),  # pieces
    CheckConstraint("quantity > 0", name="quantity_positive"),
    sqlite_strict=True,
    info=untraced("what lies in a cart is a wish"),
)

order_line = Table(
    "order_line",
    metadata,
    Column("id", Text, primary_key=True),
    Column("order_id", Text, ForeignKey("customer_order.id"), nullable=False),
    Column("position", Whole, nullable=False),
    Column("item_id", Text, ForeignKey("catalog_item.id"), nullable=False),
    Column("product_id", Text, ForeignKey("supplied_product.id"), nullable=False),
    Column("supplier_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("lot_id", Text, ForeignKey("stock_lot.id"), nullable=False),
    Column("lot_quantity", Whole, nullable=False),  # grains that one piece takes
    Column("name", Text, nullable=False),
    Column("unit_quantity", Exact, nullable=False),  # net content of one piece …
    Column("unit", Text, nullable=False),  # … in this DFC measure
    Column("price", Whole, nullable=False),  # of one piece
    Column("list_price", Whole),  # of one piece for everybody, where this customer has another; none: the price
    Column("deposit", Whole, nullable=False),  # of one piece
    Column("vat_rate", Exact, nullable=False),  # percent
    Column("weighed", Flag, nullable=False),
    Column("weight_tolerance", Exact),  # percent, as when it was ordered; none: unknown
    Column("quantity", Whole, nullable=False),  # pieces ordered
    Column("final_quantity", Exact),  # weighed at packing, in `unit`; none: as ordered
    Column("amount", Whole, nullable=False),  # charged, without the deposit
    Column("cost", Whole),  # what the shop pays its supplier for one piece: fixed when it is ordered, see `line_costs`
    Column("settled_cost", Whole),  # of the whole line, while the books are closed; none: by `cost` and weight
    Column("substitutes_id", Text, ForeignKey("order_line.id")),
    CheckConstraint("quantity >= 0", name="quantity_not_negative"),
    Index("ix_order_line_order", "order_id", "position"),
    # Else deleting a line would read all lines.
    Index("ix_order_line_substitutes_id", "substitutes_id", **only_where("substitutes_id IS NOT NULL")),
    sqlite_strict=True,
    info=untraced("totals of the order tell that it changed, and its movements what"),
)

adjustment = Table(
    "adjustment",
    metadata,
    Column("id", Text, primary_key=True),
    Column("order_id", Text, ForeignKey("customer_order.id"), nullable=False),
    Column("position", Whole, nullable=False),
    Column("line_id", Text, ForeignKey("order_line.id")),  # none: of the whole order
    Column("phase", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("amount", Whole, nullable=False),  # minor units; negative: the customer pays less
    Column("vat_rate", Exact),  # percent; none: outside VAT
    Column("payer", Text, nullable=False),  # "customer", or the name or id of who pays instead
    Column("payee", Text, nullable=False),  # id of the enterprise that gets it
    Column("code", Text, nullable=False, server_default=""),  # the voucher's, for what came of one
    Column("plugin", Text, nullable=False),  # who asked for it; "" for the core
    Index("ix_adjustment_order", "order_id", "position"),
    Index("ix_adjustment_line_id", "line_id", **only_where("line_id IS NOT NULL")),
    sqlite_strict=True,
    info=untraced("totals of the order tell that it changed, and its movements what"),
)

# Empties that customers brought back, as they were counted. A wrong count is corrected by an opposite row.
container_return = Table(
    "container_return",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),  # the shop
    Column("order_id", Text, ForeignKey("customer_order.id"), nullable=False, index=True),  # on which they count
    Column("supplier_id", Text, ForeignKey("enterprise.id"), nullable=False),  # whose containers they are
    Column("deposit", Whole, nullable=False),  # minor units for one piece
    Column("pieces", Whole, nullable=False),  # negative: fewer than were counted before
    Column("at", Time, nullable=False),
    Column("person_id", Text),  # who counted them
    CheckConstraint("deposit > 0", name="deposit_positive"),
    CheckConstraint("pieces <> 0", name="some_pieces"),
    sqlite_strict=True,
    info=untraced("it is a journal, and says who wrote"),
)
append_only(container_return)

# What changed on placed orders, as people read it: of which goods how many pieces. Changes by customers have no trail.
order_change = Table(
    "order_change",
    metadata,
    Column("id", Text, primary_key=True),
    Column("order_id", Text, ForeignKey("customer_order.id"), nullable=False, index=True),
    Column("at", Time, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("goods", Json, nullable=False),  # lists of name, net content, unit, pieces before and after
    Column("total_before", Whole, nullable=False),  # minor units
    Column("total_after", Whole, nullable=False),
    checked_in("changed_by", ("customer", "hub")),
    sqlite_strict=True,
    info=untraced("it is a journal"),
)
append_only(order_change)

order_vat = Table(
    "order_vat",
    metadata,
    Column("order_id", Text, ForeignKey("customer_order.id"), primary_key=True),
    Column("rate", Exact, primary_key=True),  # percent
    Column("net", Whole, nullable=False),
    Column("vat", Whole, nullable=False),
    sqlite_strict=True,
    info=untraced("totals of the order tell that it changed, and its movements what"),
)

# A consent that a plugin asked for. It shows what the customer agreed to, so only `withdrawn_at` is ever changed.
order_consent = Table(
    "order_consent",
    metadata,
    Column("id", Text, primary_key=True),
    Column("order_id", Text, ForeignKey("customer_order.id"), nullable=False),
    Column("request", Text, nullable=False),  # "plugin:id"
    Column("text", Text, nullable=False),  # as it was shown, in the customer's language
    Column("given_at", Time, nullable=False),
    Column("withdrawn_at", Time),  # none: still given
    Index("ix_order_consent_order", "order_id", "request"),
    sqlite_strict=True,
    info=untraced("it says itself when it was given and taken back, and only customers do either"),
)
