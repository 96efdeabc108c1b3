"""Tables of what enterprises grant to platforms and to accounts there, of platforms' orders, and of notices to them."""

from sqlalchemy import Column, ForeignKey, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from commensal import Json, Time, Whole, checked_in, metadata, untraced

federation_platform = Table(
    "federation_platform",
    metadata,
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("platform_id", Text, nullable=False, index=True),  # of the operator's settings, or an account's
    Column("scopes", Json, nullable=False),  # of DFC; empty: all were revoked
    Column("customer_id", Text, ForeignKey("customer.id")),  # for whom it orders, at that customer's prices
    Column("changed_at", Time, nullable=False),
    Column("changed_by", Text),
    PrimaryKeyConstraint("enterprise_id", "platform_id"),
    sqlite_strict=True,
)

# An account at a platform that an enterprise has named itself; its grants are rows of `federation_platform`.
federation_platform_account = Table(
    "federation_platform_account",
    metadata,
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("id", Text, nullable=False, index=True),  # follows from issuer, client and account
    Column("issuer", Text, nullable=False),
    Column("client", Text, nullable=False),  # of the platform at the issuer
    Column("account", Text, nullable=False),  # a subject, an e-mail address, a WebID; empty: all of the client
    Column("name", Text, nullable=False),
    Column("named_at", Time, nullable=False),
    Column("named_by", Text),
    PrimaryKeyConstraint("enterprise_id", "id"),
    sqlite_strict=True,
)

# An order of a platform: what its sender requested, beside the core's order.
federation_platform_order = Table(
    "federation_platform_order",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("sender", Text, nullable=False),  # the platform's id, or "person:" and the person's id
    Column("key", Text, nullable=False),  # recognises a repeated request: the Idempotency-Key, or the order's IRI
    Column("said_hash", Text, nullable=False),  # of the first request
    Column("order_id", Text, index=True),  # the core's order; empty only within the transaction that places it
    Column("ordered_by", Text, nullable=False),  # the sender's IRI of the customer
    Column("state", Text, nullable=False),  # the one that the sender set last
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
    Column("item_id", Text, nullable=False),  # empty if the offer is unknown here
    Column("offer_iri", Text, nullable=False),  # as the sender named it
    Column("product_iri", Text, nullable=False, server_default=""),  # as the sender named it; empty if unknown
    Column("wanted", Whole, nullable=False),  # pieces
    Column("reason", Text, nullable=False),  # why it is less, in words
    sqlite_strict=True,
)

# A platform that must be notified of a change at an enterprise here.
federation_platform_notice = Table(
    "federation_platform_notice",
    metadata,
    Column("platform_id", Text, nullable=False),  # of the operator's settings
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("scope", Text, nullable=False),  # of DFC; its answers have changed
    Column("changed_at", Time, nullable=False),
    PrimaryKeyConstraint("platform_id", "enterprise_id", "scope"),
    sqlite_strict=True,
    info=untraced("it follows from what has changed"),
)
