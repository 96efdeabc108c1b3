"""Table of what enterprises let platforms do."""

from sqlalchemy import Column, ForeignKey, PrimaryKeyConstraint, Table, Text

from commensal import Json, Time, metadata

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
