"""Tables of payments: payments and refunds, the journal of money received or given back, and problems for a person."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text, UniqueConstraint

from ..storage.database import (
    DERIVED,
    ON_BEHALF,
    PERSONAL,
    SECRET,
    Json,
    Time,
    Whole,
    append_only,
    checked_in,
    metadata,
    untraced,
)

payment = Table(
    "payment",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("order_id", Text, ForeignKey("customer_order.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("method", Text, nullable=False),  # "plugin:method"
    Column("amount", Whole, nullable=False),  # minor units, positive for both kinds
    Column("currency", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False, info=SECRET),
    Column("reference", Text, nullable=False),  # the provider's, or a receipt's
    Column("instructions", Json, info=PERSONAL),  # what the payer is to do next
    Column("refunds", Text, ForeignKey("payment.id")),  # the payment that its provider is to give back
    Column(
        "asked", Whole, nullable=False, server_default="0", info=DERIVED
    ),  # how often its provider was asked what became of it
    Column("created_at", Time, nullable=False),
    Column("changed_at", Time, nullable=False, info=DERIVED),
    UniqueConstraint("enterprise_id", "idempotency_key"),
    checked_in("kind", ("payment", "refund")),
    checked_in("state", ("Started", "Pending", "Done", "Failed", "Cancelled")),
    CheckConstraint("amount > 0", name="amount_positive"),
    sqlite_strict=True,
    info=ON_BEHALF,
)

# Append-only and hash-chained, one chain for each enterprise (French CGI art. 286 I 3° bis). A mistake is corrected by
# a reversing entry. Triggers refuse UPDATE and DELETE.
payment_journal = Table(
    "payment_journal",
    metadata,
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), primary_key=True),
    Column("sequence", Whole, primary_key=True),  # 1, 2, 3 …
    Column("at", Time, nullable=False),
    Column("kind", Text, nullable=False),
    Column("payment_id", Text, ForeignKey("payment.id"), nullable=False),
    Column("order_id", Text, ForeignKey("customer_order.id"), nullable=False),
    Column("order_number", Whole, nullable=False),
    Column("method", Text, nullable=False),
    Column("amount", Whole, nullable=False),  # minor units; negative: given back
    Column("currency", Text, nullable=False),
    Column("person_id", Text),  # who wrote it down; none: a provider's message
    Column("corrects", Whole),  # the sequence of the entry that a correction takes back
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    checked_in("kind", ("payment", "refund", "correction")),
    Index("ix_payment_journal_order", "order_id"),
    UniqueConstraint("enterprise_id", "previous_hash"),  # no fork
    UniqueConstraint("enterprise_id", "corrects"),  # nothing is corrected twice
    sqlite_strict=True,
    info=untraced("it is a journal, and says who wrote"),
)
append_only(payment_journal)

# That a shop has reminded a customer of what is still to be paid for an order.
payment_reminder = Table(
    "payment_reminder",
    metadata,
    Column("id", Text, primary_key=True),
    Column("order_id", Text, ForeignKey("customer_order.id"), nullable=False, index=True),
    Column("at", Time, nullable=False),
    Column("person_id", Text, nullable=False),  # who asked for it
    sqlite_strict=True,
    info=untraced("it says itself who and when"),
)

# Counts of what lies in the till, one way to pay each. A wrong count is taken back by a counter-entry; none is changed.
counted_till = Table(
    "counted_till",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("number", Whole, nullable=False),  # 1, 2, 3 … of the enterprise
    Column("method", Text, nullable=False),  # "plugin:method"
    Column("currency", Text, nullable=False),
    Column("until", Whole, nullable=False),  # the sequence of the last journal entry that it covers
    Column("float_before", Whole, nullable=False),  # what the count before had left in the till; all in minor units
    Column("taken", Whole, nullable=False),  # by the journal since then
    Column("counted", Whole, nullable=False),
    Column("float_after", Whole, nullable=False),  # what stays in the till
    Column("reason", Text, nullable=False),  # of a difference between what was counted and what was expected
    Column("at", Time, nullable=False),
    Column("person_id", Text, nullable=False),  # who counted
    UniqueConstraint("enterprise_id", "number"),
    CheckConstraint("counted >= 0 AND float_after >= 0 AND float_after <= counted", name="amounts_fit"),
    Index("ix_counted_till_method", "enterprise_id", "method", "number"),
    sqlite_strict=True,
    info=untraced("it is a journal, and says who wrote"),
)
append_only(counted_till)

# Counter-entries: the count stays, and counts for nothing any more. The till then holds what the count before left.
taken_back_count = Table(
    "taken_back_count",
    metadata,
    Column("count_id", Text, ForeignKey("counted_till.id"), primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("number", Whole, nullable=False),  # in the series of counts
    Column("reason", Text, nullable=False),
    Column("at", Time, nullable=False),
    Column("person_id", Text, nullable=False),  # who took it back
    UniqueConstraint("enterprise_id", "number"),
    sqlite_strict=True,
    info=untraced("it is a journal, and says who wrote"),
)
append_only(taken_back_count)

# Messages of providers that need a decision by a person. Each is stored once, however often it is sent.
payment_problem = Table(
    "payment_problem",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("plugin", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("payment_id", Text, nullable=False),  # as it was named: there may be no such payment
    Column("order_id", Text, ForeignKey("customer_order.id")),
    Column("amount", Whole, nullable=False),
    Column("currency", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("settled_at", Time),
    Column("settled_by", Text),  # none: it has settled itself
    UniqueConstraint(
        "enterprise_id", "code", "payment_id", "amount", "currency", "reference", name="uq_payment_problem_said"
    ),
    Index("ix_payment_problem_open", "enterprise_id", "settled_at"),
    sqlite_strict=True,
    info=ON_BEHALF,
)
