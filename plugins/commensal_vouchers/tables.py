"""Tables of vouchers: the codes, their uses by orders, the movements of gift cards, and the cards that were sold."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text, UniqueConstraint

from commensal import (
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
    untraced,
)

vouchers_voucher = Table(
    "vouchers_voucher",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("code", Text, nullable=False, info=SECRET),  # in capitals; never changes
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),  # for the shop: what it is for
    Column("currency", Text, nullable=False),
    Column("amount", Whole),  # the discount of a voucher of a fixed amount, minor units
    Column("percent", Exact),  # the discount of a voucher in percent
    Column("most", Whole),  # the largest discount of a voucher in percent, minor units
    Column("balance", Whole, info=DERIVED),  # of a gift card, minor units: the sum of its movements
    Column("valid_from", Time),
    Column("valid_until", Time),  # not any more from this moment on
    Column("minimum", Whole, nullable=False),  # of goods in the order, minor units
    Column("once", Flag, nullable=False),  # for each customer
    Column("confirmed", Flag, nullable=False),  # only for people whose address is confirmed
    Column("alone", Flag, nullable=False),  # not together with another voucher
    Column("category_ids", Json, nullable=False),  # of customers; none: for all
    Column("product_types", Json, nullable=False),  # to which it applies; none: to all
    Column("most_uses", Whole),  # none: any number
    Column("used", Whole, nullable=False, info=DERIVED),  # by how many orders: the number of its uses
    Column("batch_id", Text),
    Column("archived_at", Time),
    Column("created_at", Time, nullable=False),
    Column("version", Whole, nullable=False),  # of what the shop may edit: orders leave it alone
    UniqueConstraint("enterprise_id", "code"),
    checked_in("kind", ("amount", "percent", "card")),
    CheckConstraint("used >= 0 AND (most_uses IS NULL OR used <= most_uses)", name="not_used_too_often"),
    CheckConstraint("(kind = 'card') = (balance IS NOT NULL)", name="only_cards_have_a_balance"),
    CheckConstraint("balance IS NULL OR balance >= 0", name="not_overspent"),
    Index("ix_vouchers_voucher_batch", "batch_id"),
    sqlite_strict=True,
    info=ON_BEHALF,
)

# The use of a voucher by an order, until the order is cancelled or changed so that it does not use it any more.
# For vouchers that each customer has once, it identifies the customer, and no two rows may have the same one.
vouchers_use = Table(
    "vouchers_use",
    metadata,
    Column("voucher_id", Text, ForeignKey("vouchers_voucher.id"), primary_key=True),
    Column("order_id", Text, ForeignKey("customer_order.id"), primary_key=True),
    Column("mailbox", Text, info=PERSONAL),  # the fingerprint of a guest's address, or of the customer's id
    Column("person_id", Text, ForeignKey("person.id"), index=True),
    Column("at", Time, nullable=False),
    UniqueConstraint("voucher_id", "mailbox"),
    UniqueConstraint("voucher_id", "person_id"),
    Index("ix_vouchers_use_order", "order_id"),
    sqlite_strict=True,
    info=untraced("the order tells which voucher it used"),
)

# Append-only: the balance of a gift card is the sum of its movements.
vouchers_movement = Table(
    "vouchers_movement",
    metadata,
    Column("id", Text, primary_key=True),
    Column("voucher_id", Text, ForeignKey("vouchers_voucher.id"), nullable=False),
    Column("order_id", Text, ForeignKey("customer_order.id"), index=True),  # none: the shop put money on it
    Column("amount", Whole, nullable=False),  # minor units; negative pays for an order
    Column("note", Text, nullable=False),
    Column("person_id", Text),  # who put money on it; none: an order, or the command line
    Column("at", Time, nullable=False),
    CheckConstraint("amount <> 0", name="amount_moves"),
    Index("ix_vouchers_movement_voucher", "voucher_id", "id"),
    sqlite_strict=True,
    info=untraced("it is a journal, and says who wrote"),
)
append_only(vouchers_movement)

# A gift card that a customer buys. It is bound to the order that has its code; the card exists once that is paid.
vouchers_sale = Table(
    "vouchers_sale",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("code", Text, nullable=False, info=SECRET),  # with which an order buys it; not the code of the card
    Column("currency", Text, nullable=False),
    Column("amount", Whole, nullable=False),  # minor units
    Column("language", Text, nullable=False),  # of whoever gets the card
    Column("giver", Text, nullable=False, info=PERSONAL),  # as the e-mail names them
    Column("recipient", Text, nullable=False, info=PERSONAL),  # an e-mail address; "": the customer
    Column("message", Text, nullable=False, info=PERSONAL),
    Column("order_id", Text, ForeignKey("customer_order.id"), index=True),  # none: not ordered, or not any more
    Column("card_id", Text, ForeignKey("vouchers_voucher.id")),  # none: not paid yet
    Column("created_at", Time, nullable=False),
    Column("issued_at", Time),
    Column("ended_at", Time),  # the order was cancelled after it was paid, and the card taken back
    UniqueConstraint("enterprise_id", "code"),
    UniqueConstraint("card_id"),
    CheckConstraint("amount > 0", name="amount_positive"),
    CheckConstraint("(card_id IS NULL) = (issued_at IS NULL)", name="issued_with_its_card"),
    sqlite_strict=True,
    info=untraced("the order tells what it bought, and movements what became of the card"),
)
