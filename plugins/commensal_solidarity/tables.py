"""Tables of solidarity: what is spent of each year's budget, the grants of orders, and the payments of funds."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text

from commensal import DERIVED, ON_BEHALF, Time, Whole, append_only, checked_in, metadata, untraced

# One row for each programme and year, from its first grant on.
solidarity_budget = Table(
    "solidarity_budget",
    metadata,
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), primary_key=True),
    Column("programme", Text, primary_key=True),  # its id in the hub's settings
    Column("year", Whole, primary_key=True),  # the calendar year in which the fund's begins
    Column("budget", Whole, nullable=False),  # minor units; as it was when something was last granted
    Column("spent", Whole, nullable=False, info=DERIVED),  # minor units; the sum of its entries
    CheckConstraint("spent >= 0 AND spent <= budget", name="not_overspent"),
    sqlite_strict=True,
    info=ON_BEHALF,
)

# Append-only: a change of a grant is a separate entry.
solidarity_entry = Table(
    "solidarity_entry",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("programme", Text, nullable=False),
    Column("year", Whole, nullable=False),
    Column("order_id", Text, ForeignKey("customer_order.id"), nullable=False, index=True),
    Column("customer_id", Text, ForeignKey("customer.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount", Whole, nullable=False),  # minor units; positive: granted, negative: given back
    Column("at", Time, nullable=False),
    checked_in("kind", ("granted", "changed", "given back")),
    CheckConstraint("amount <> 0", name="amount_moves"),
    Index("ix_solidarity_entry_customer", "enterprise_id", "programme", "year", "customer_id"),
    Index("ix_solidarity_entry_at", "enterprise_id", "programme", "at"),
    sqlite_strict=True,
    info=untraced("it is a journal of orders"),
)
append_only(solidarity_entry)

# Append-only: a mistake is corrected by a reversing entry.
solidarity_payment = Table(
    "solidarity_payment",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("programme", Text, nullable=False),
    Column("amount", Whole, nullable=False),  # minor units that the hub has received of the fund
    Column("paid_on", Text, nullable=False),  # ISO 8601 day
    Column("reference", Text, nullable=False),
    Column("recorded_at", Time, nullable=False),
    Column("recorded_by", Text),  # id of the person; none: the command line
    CheckConstraint("amount <> 0", name="amount_moves"),
    Index("ix_solidarity_payment_programme", "enterprise_id", "programme", "id"),
    sqlite_strict=True,
    info=untraced("it is a journal, and says who wrote"),
)
append_only(solidarity_payment)
