"""Tables of e-mails: how many a mailbox got lately, and which are late for it."""

from sqlalchemy import Column, ForeignKey, Table, Text

from ...storage.database import PERSONAL, Time, Whole, metadata, untraced

# Mails that a stranger may have caused, in the hour and in the day that began with the first of them.
mailbox_count = Table(
    "mailbox_count",
    metadata,
    Column("mailbox", Text, primary_key=True, info=PERSONAL),  # SHA-256 of the address
    Column("about", Text, primary_key=True),  # orders or accounts, and for how long
    Column("began_at", Time, nullable=False, index=True),
    Column("sent", Whole, nullable=False),
    sqlite_strict=True,
    info=untraced("a counter"),
)

# Orders about which a mail waits until its mailbox takes one again. It stands for all mails about the order.
late_mail = Table(
    "late_mail",
    metadata,
    Column("order_id", Text, ForeignKey("customer_order.id"), primary_key=True),
    Column("due_at", Time, nullable=False),
    sqlite_strict=True,
    info=untraced("the mail is sent"),
)
