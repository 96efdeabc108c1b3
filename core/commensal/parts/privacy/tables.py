"""Tables of privacy: the names on orders of erased people, for as long as accounts must be kept."""

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from ...storage.database import PERSONAL, Json, Time, metadata

# Only the export of accounts and the job that empties it read this table: orders show a pseudonym.
retained_identity = Table(
    "retained_identity",
    metadata,
    Column("order_id", Text, ForeignKey("customer_order.id"), primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("name", Text, nullable=False, info=PERSONAL),
    Column("email", Text, nullable=False, info=PERSONAL),
    Column("address", Json, info=PERSONAL),
    Column("forgotten_at", Time, nullable=False),
    Column("keep_until", Time, nullable=False),
    Index("ix_retained_identity_keep_until", "keep_until"),
    Index("ix_retained_identity_enterprise", "enterprise_id"),
    sqlite_strict=True,
)
