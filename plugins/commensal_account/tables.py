"""Tables of accounts: the balance of each account, and its ledger, whose sum it is."""

from sqlalchemy import Column, ForeignKey, Index, Table, Text, UniqueConstraint

from commensal import DERIVED, ON_BEHALF, PERSONAL, Time, Whole, append_only, checked_in, metadata, untraced

account_balance = Table(
    "account_balance",
    metadata,
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), primary_key=True),
    Column("customer_id", Text, ForeignKey("customer.id"), primary_key=True),
    Column("balance", Whole, nullable=False, info=DERIVED),  # minor units of money, or hundredths of the shop's unit
    Column("minimum", Whole),  # this member's own; none: the shop's
    Column("opened_at", Time, nullable=False),
    Column("version", Whole, nullable=False),
    sqlite_strict=True,
    info=ON_BEHALF,
)

# Append-only: a mistake is corrected by a reversing entry.
account_entry = Table(
    "account_entry",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("customer_id", Text, ForeignKey("customer.id"), nullable=False),
    Column("at", Time, nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount", Whole, nullable=False),  # as the balance; negative: taken
    Column("balance", Whole, nullable=False),  # after it
    Column("payment_id", Text, ForeignKey("payment.id")),  # of the core, or of a refund; none: paid in, or a correction
    Column("order_number", Whole),
    Column("note", Text, nullable=False, info=PERSONAL),
    Column("person_id", Text),  # who wrote it down; none: an order did
    UniqueConstraint("payment_id"),  # a payment moves an account once
    checked_in("kind", ("paid in", "order", "given back", "paid out", "correction")),
    Index("ix_account_entry_customer", "enterprise_id", "customer_id", "id"),
    sqlite_strict=True,
    info=untraced("it is a ledger, and says who wrote"),
)
append_only(account_entry, blanked="note")

# A statement that a customer was mailed, with the balance that it said.
account_statement_mail = Table(
    "account_statement_mail",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("customer_id", Text, ForeignKey("customer.id"), nullable=False),
    Column("balance", Whole, nullable=False),  # as that of the account
    Column("at", Time, nullable=False),
    Column("person_id", Text, nullable=False),  # who sent it
    Index("ix_account_statement_mail_customer", "enterprise_id", "customer_id"),
    sqlite_strict=True,
)
