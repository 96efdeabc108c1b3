"""Tables of what enterprises let platforms do, and of the orders that came from them."""

from sqlalchemy import Column, ForeignKey, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from commensal import Json, Time, Whole, checked_in, metadata, untraced

federation_platform = Table(
    "federation_platform",
    metadata,
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("platform_id", Text, nullable=False, index=True),  # of the operator's settings
    Column("scopes", Json, nullable=False),  # of DFC; none: everything was taken back
    Column("customer_id", Text, ForeignKey("customer.id")),  # as whom it orders, at whose prices
    Column("changed_at", Time, nullable=False),
    Column("changed_by", Text),
    PrimaryKeyConstraint("enterprise_id", "platform_id"),
    sqlite_strict=True,
)

# An order that came in DFC: beside the core's order, what its sender said and wanted.
federation_platform_order = Table(
    "federation_platform_order",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("sender", Text, nullable=False),  # the platform, or "person:" and who
    Column("key", Text, nullable=False),  # by which a repeated request is known: of the sender's making, or the IRI
    Column("said_hash", Text, nullable=False),  # of the first request
    Column("order_id", Text, index=True),  # the core's; none only within the transaction that places it
    Column("ordered_by", Text, nullable=False),  # the IRI of the customer, as the sender says it
    Column("state", Text, nullable=False),  # what the sender has said last
    Column("created_at", Time, nullable=False),
    Column("changed_at", Time, nullable=False),
    UniqueConstraint("enterprise_id", "sender", "key"),
    checked_in("state", ("Held", "Complete", "Cancelled")),
    sqlite_strict=True,
)

federation_platform_line = Table(
    "federation_platform_line",
    metadata,
    Column("id", Text, primary_key=True),
    Column("order_id", Text, ForeignKey("federation_platform_order.id"), nullable=False, index=True),
    Column("item_id", Text, nullable=False),  # empty for what is not known here
    Column("offer_iri", Text, nullable=False),  # as the sender named it
    Column("wanted", Whole, nullable=False),  # pieces
    Column("reason", Text, nullable=False),  # why it is less, in words
    sqlite_strict=True,
)

# A platform that is to be told that something has changed at an enterprise here.
federation_platform_notice = Table(
    "federation_platform_notice",
    metadata,
    Column("platform_id", Text, nullable=False),  # of the operator's settings
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("scope", Text, nullable=False),  # of DFC, whose answers have changed
    Column("changed_at", Time, nullable=False),
    PrimaryKeyConstraint("platform_id", "enterprise_id", "scope"),
    sqlite_strict=True,
    info=untraced("it follows from what has changed"),
)
