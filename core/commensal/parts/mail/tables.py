"""Tables of e-mails: which are delayed, which were sent, and what the links in those of plugins open."""

from datetime import timedelta

from sqlalchemy import Column, ForeignKey, Table, Text

from ...storage.database import PERSONAL, SECRET, Time, Whole, at_most_ahead, checked_in, metadata, untraced

# Orders with an e-mail that is delayed until the mailbox is below its limit. It replaces all e-mails about the order.
late_mail = Table(
    "late_mail",
    metadata,
    Column("order_id", Text, ForeignKey("customer_order.id"), primary_key=True),
    Column("due_at", Time, nullable=False, info=at_most_ahead(timedelta(days=1))),
    sqlite_strict=True,
    info=untraced("the mail is sent"),
)

# The same for e-mails to suppliers, for each address of a supplier.
late_supplier_mail = Table(
    "late_supplier_mail",
    metadata,
    Column("purchase_order_id", Text, ForeignKey("purchase_order.id"), primary_key=True),
    Column("to", Text, primary_key=True, info=PERSONAL),
    Column("due_at", Time, nullable=False, info=at_most_ahead(timedelta(days=1))),
    sqlite_strict=True,
    info=untraced("the mail is sent"),
)

# E-mails about orders, to customers and to suppliers: what was sent to whom, or why it was not.
sent_mail = Table(
    "sent_mail",
    metadata,
    Column("id", Text, primary_key=True),  # of the job
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),  # the shop
    Column("order_id", Text, ForeignKey("customer_order.id"), index=True),
    Column("purchase_order_id", Text, ForeignKey("purchase_order.id"), index=True),
    Column("kind", Text, nullable=False),
    Column("to", Text, nullable=False, info=PERSONAL),
    Column("state", Text, nullable=False),
    Column("error", Text, nullable=False, info=PERSONAL),  # may repeat the address
    Column("attempts", Whole, nullable=False),
    Column("at", Time, nullable=False, index=True),  # of the last try
    checked_in("state", ("sent", "failed")),
    sqlite_strict=True,
    info=untraced("it is a log itself"),
)

# Links with a secret in e-mails of plugins (see `links.py`).
mailed_link = Table(
    "mailed_link",
    metadata,
    Column("hash", Text, primary_key=True, info=SECRET),  # SHA-256 of the secret
    Column("purpose", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("expires_at", Time, nullable=False, index=True),
    sqlite_strict=True,
    info=untraced("the mail is sent"),
)
