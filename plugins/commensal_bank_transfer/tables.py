"""Tables of bank transfer: every credit and debit of the imported statements, once, and what became of
credits that pay several orders, or more than is due."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text, UniqueConstraint

from commensal import PERSONAL, Flag, Time, Whole, checked_in, metadata

bank_transfer_entry = Table(
    "bank_transfer_entry",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("key", Text, nullable=False),  # the bank's id, or a hash of its content
    Column("booked_on", Text, nullable=False),  # the bank's day, ISO 8601
    Column("amount", Whole, nullable=False),  # minor units
    Column("currency", Text, nullable=False),
    Column("payer", Text, nullable=False, info=PERSONAL),
    Column("text", Text, nullable=False, info=PERSONAL),
    Column("state", Text, nullable=False),
    Column("order_id", Text, ForeignKey("customer_order.id")),
    Column("payment_id", Text, ForeignKey("payment.id")),
    Column("settled_by", Text),  # the person who settled it; none: matched by its reference
    Column("created_at", Time, nullable=False),
    UniqueConstraint("enterprise_id", "key"),
    checked_in("state", ("open", "matched", "ignored")),
    Index("ix_bank_transfer_entry_state", "enterprise_id", "state", "id"),
    sqlite_strict=True,
)

# What of a credit was recorded for which order, if it is shared out. With the rest their sum is that of the credit.
bank_transfer_share = Table(
    "bank_transfer_share",
    metadata,
    Column("entry_id", Text, ForeignKey("bank_transfer_entry.id"), primary_key=True),
    Column("order_id", Text, ForeignKey("customer_order.id"), primary_key=True),
    Column("payment_id", Text, ForeignKey("payment.id"), nullable=False),
    Column("amount", Whole, nullable=False),  # minor units
    sqlite_strict=True,
)

# What was left of a credit, and is kept for the customer of its orders by a plugin.
bank_transfer_rest = Table(
    "bank_transfer_rest",
    metadata,
    Column("entry_id", Text, ForeignKey("bank_transfer_entry.id"), primary_key=True),
    Column("customer_id", Text, ForeignKey("customer.id"), nullable=False),
    Column("plugin", Text, nullable=False),
    Column("amount", Whole, nullable=False),  # minor units
    CheckConstraint("amount > 0", name="amount_positive"),
    sqlite_strict=True,
)

# Every debit of the imported statements, once: what went to a supplier or back to a customer, or is nothing of these.
bank_transfer_debit = Table(
    "bank_transfer_debit",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("key", Text, nullable=False),  # the bank's id, or a hash of its content
    Column("booked_on", Text, nullable=False),  # the bank's day, ISO 8601
    Column("amount", Whole, nullable=False),  # minor units
    Column("currency", Text, nullable=False),
    Column("payee", Text, nullable=False, info=PERSONAL),
    Column("text", Text, nullable=False, info=PERSONAL),
    Column("state", Text, nullable=False),
    Column("supplier_payment_id", Text, ForeignKey("supplier_payment.id"), unique=True),
    Column("payment_id", Text, ForeignKey("payment.id")),  # the refund
    Column("recorded", Flag, nullable=False),  # with the decision; else it was known before
    Column("settled_by", Text),
    Column("created_at", Time, nullable=False),
    UniqueConstraint("enterprise_id", "key"),
    checked_in("state", ("open", "matched", "ignored")),
    Index("ix_bank_transfer_debit_state", "enterprise_id", "state", "id"),
    sqlite_strict=True,
)

# The accounts to which a shop transfers what it owes its suppliers, as their invoices name them.
bank_transfer_payee = Table(
    "bank_transfer_payee",
    metadata,
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), primary_key=True),
    Column("supplier_id", Text, ForeignKey("enterprise.id"), primary_key=True),
    Column("holder", Text, nullable=False),
    Column("iban", Text, nullable=False),  # ISO 13616, without blanks
    Column("changed_at", Time, nullable=False),
    sqlite_strict=True,
)
