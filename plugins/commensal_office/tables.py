"""Tables of the office: conflicts between telephones, for the treasurer to decide, statements that were mailed, and
which lines of orders lie in their crates."""

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from commensal import Time, Whole, metadata

# What two telephones recorded about one order.
office_conflict = Table(
    "office_conflict",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("order_id", Text, ForeignKey("customer_order.id"), nullable=False),
    Column("method", Text, nullable=False),  # "plugin:method"
    Column("amount", Whole, nullable=False),  # that somebody says they took, in minor units of `currency`
    Column("currency", Text, nullable=False),
    Column("taken_at", Time, nullable=False),  # by the clock of the telephone
    Column("recorded_at", Time, nullable=False),
    Column("person_id", Text, nullable=False),  # who took it
    Column("settled_at", Time),
    Column("settled_by", Text),  # the person who decided
    Column("decision", Text),  # "given_back" or "recorded"; null also for what was settled before there was a choice
    Index("ix_office_conflict_enterprise", "enterprise_id", "settled_at"),
    Index("ix_office_conflict_order", "order_id"),
    sqlite_strict=True,
)

# A statement that a supplier was mailed, with what it said.
office_statement_mail = Table(
    "office_statement_mail",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("session_id", Text, ForeignKey("sale_session.id"), nullable=False),
    Column("supplier_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("owed", Whole, nullable=False),  # minor units of the shop's currency
    Column("paid", Whole, nullable=False),
    Column("at", Time, nullable=False),
    Column("person_id", Text, nullable=False),  # who sent it
    Index("ix_office_statement_mail_session", "enterprise_id", "session_id", "supplier_id"),
    sqlite_strict=True,
)

# A line of an order that somebody has laid into its crate, until the sale is long over.
office_packed_line = Table(
    "office_packed_line",
    metadata,
    Column("line_id", Text, primary_key=True),  # no foreign key: a change of the order may write its lines anew
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("session_id", Text, nullable=False),  # no foreign key: a session without orders may be removed
    Column("order_id", Text, ForeignKey("customer_order.id", ondelete="CASCADE"), nullable=False),
    Column("quantity", Whole, nullable=False),  # pieces; of a line that has changed since, others are to be packed
    Column("at", Time, nullable=False),
    Column("person_id", Text, nullable=False),  # who laid it in
    Index("ix_office_packed_line_session", "enterprise_id", "session_id"),
    Index("ix_office_packed_line_order", "order_id"),
    sqlite_strict=True,
)
