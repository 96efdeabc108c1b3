"""Tables of what shops order from suppliers of this instance after each cut-off."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text, UniqueConstraint

from ...storage.database import Exact, Flag, Json, Time, Whole, append_only, checked_in, metadata, untraced

# What an enterprise wants to happen at the cut-offs of its sales; one without a row has the defaults.
closing_policy = Table(
    "closing_policy",
    metadata,
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), primary_key=True),
    Column("telling", Text, nullable=False),
    Column("shortage", Text, nullable=False),
    Column("final_mail", Flag, nullable=False, server_default="1"),
    Column("reminder", Flag, nullable=False, server_default="1"),
    checked_in("telling", ("at the cut-off", "by hand")),
    checked_in("shortage", ("newest first", "pro rata", "by hand")),
    sqlite_strict=True,
)

# A supplier's part in a sale session whose cut-off has passed: closed, until the supplier is told what to bring.
sale_part = Table(
    "sale_part",
    metadata,
    Column("session_id", Text, ForeignKey("sale_session.id"), primary_key=True),
    Column("supplier_id", Text, ForeignKey("enterprise.id"), primary_key=True, index=True),
    Column("state", Text, nullable=False),
    Column("closed_at", Time, nullable=False),
    Column("told_at", Time),
    checked_in("state", ("closed", "told")),
    sqlite_strict=True,
)

# Sessions whose closing was noticed: their orders are final, and people have been told.
sale_closing = Table(
    "sale_closing",
    metadata,
    Column("session_id", Text, primary_key=True),  # no foreign key: a session without orders may be removed
    Column("noticed_at", Time, nullable=False),
    Column("reminded_at", Time),
    sqlite_strict=True,
    info=untraced("it marks a moment"),
)

purchase_order = Table(
    "purchase_order",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),  # the shop, which buys
    Column("supplier_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("session_id", Text, ForeignKey("sale_session.id"), nullable=False),
    Column("number", Whole, nullable=False),  # gapless per shop
    Column("revision", Whole, nullable=False),  # grows when the pieces have changed, and the supplier is told again
    Column("currency", Text, nullable=False),
    Column("prices_include_vat", Flag, nullable=False),
    Column("state", Text, nullable=False),
    Column("mail_state", Text, nullable=False),  # of the last e-mail to the supplier
    Column("placed_at", Time, nullable=False),
    Column("changed_at", Time, nullable=False),  # of the revision
    Column("compared_at", Time, nullable=False),  # with the orders of customers
    Column("answered_at", Time),
    Column("version", Whole, nullable=False),
    Column("received_at", Time),  # when the shop last counted what came
    UniqueConstraint("enterprise_id", "number"),
    UniqueConstraint("session_id", "supplier_id"),
    Index("ix_purchase_order_supplier", "supplier_id", "id"),
    checked_in("state", ("placed", "confirmed", "shortened")),
    checked_in("mail_state", ("no address", "waiting", "sent", "failed")),
    sqlite_strict=True,
)

purchase_order_line = Table(
    "purchase_order_line",
    metadata,
    Column("id", Text, primary_key=True),
    Column("order_id", Text, ForeignKey("purchase_order.id"), nullable=False),
    Column("product_id", Text, ForeignKey("supplied_product.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("unit_quantity", Exact, nullable=False),  # net content of one piece …
    Column("unit", Text, nullable=False),  # … in this DFC measure
    Column("price", Whole, nullable=False),  # what the shop pays for one piece, in minor units
    Column("vat_rate", Exact, nullable=False),  # percent
    Column("quantity", Whole, nullable=False),  # pieces
    Column("counted", Whole, nullable=False),  # pieces that customers had ordered at the last comparison
    Column("confirmed", Whole),  # pieces that will come; none: the supplier has not answered
    Column("reason", Text, nullable=False),  # of the supplier, why there are fewer
    UniqueConstraint(
        "order_id", "product_id", "unit_quantity", "unit", "price", "vat_rate", name="uq_purchase_order_line_key"
    ),
    CheckConstraint("quantity >= 0", name="quantity_not_negative"),
    CheckConstraint("confirmed >= 0 AND confirmed <= quantity", name="confirmed_in_quantity"),
    sqlite_strict=True,
)

# Money that a shop has given its suppliers for a sale. A mistake is taken back by a row with the opposite amount.
supplier_payment = Table(
    "supplier_payment",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),  # the shop
    Column("supplier_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("session_id", Text, ForeignKey("sale_session.id"), nullable=False),
    Column("amount", Whole, nullable=False),  # minor units; negative: it came back, or was recorded by mistake
    Column("currency", Text, nullable=False),
    Column("reference", Text, nullable=False),  # on the statement of the bank
    Column("at", Time, nullable=False),
    Column("person_id", Text, nullable=False),  # who recorded it
    CheckConstraint("amount <> 0", name="some_money"),
    Index("ix_supplier_payment_session", "enterprise_id", "session_id"),
    sqlite_strict=True,
    info=untraced("it is a journal, and says who wrote"),
)
append_only(supplier_payment)

# What a shop bought for its own stock of goods of which more came than customers had ordered.
stock_purchase = Table(
    "stock_purchase",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),  # the shop
    Column("supplier_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("session_id", Text, ForeignKey("sale_session.id"), nullable=False, index=True),
    Column("purchase_order_id", Text, ForeignKey("purchase_order.id"), nullable=False, index=True),
    Column("purchase_line_id", Text, ForeignKey("purchase_order_line.id"), nullable=False),
    Column("product_id", Text, ForeignKey("supplied_product.id"), nullable=False),  # the supplier's
    Column("own_product_id", Text, ForeignKey("supplied_product.id"), nullable=False),  # the shop's
    Column("name", Text, nullable=False),
    Column("unit_quantity", Exact, nullable=False),  # net content of one piece …
    Column("unit", Text, nullable=False),  # … in this DFC measure
    Column("vat_rate", Exact, nullable=False),  # percent
    Column("price", Whole, nullable=False),  # what the shop pays for one piece, in minor units
    Column("deposit", Whole, nullable=False),  # for the container of one piece, in minor units
    Column("currency", Text, nullable=False),
    Column("prices_include_vat", Flag, nullable=False),
    Column("pieces", Whole, nullable=False),  # negative: fewer than were kept before
    Column("grains", Whole, nullable=False),  # taken off the supplier's lot; negative: given back to it
    Column("at", Time, nullable=False),
    Column("person_id", Text),  # who counted them
    CheckConstraint("pieces <> 0", name="some_pieces"),
    Index("ix_stock_purchase_product", "enterprise_id", "product_id", "id"),
    sqlite_strict=True,
    info=untraced("it is a journal, and says who wrote"),
)
append_only(stock_purchase)

# When the books of a sale session were closed, and when and why they were opened again.
session_books = Table(
    "session_books",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("session_id", Text, ForeignKey("sale_session.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("figures", Json, nullable=False),  # of the session at that moment
    Column("reason", Text, nullable=False),  # why they were opened again
    Column("at", Time, nullable=False),
    Column("person_id", Text, nullable=False),
    checked_in("kind", ("closed", "opened again")),
    sqlite_strict=True,
    info=untraced("it is a journal, and says who wrote"),
)
append_only(session_books)
