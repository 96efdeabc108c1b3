"""The table of delivery slots. Zones are settings of the enterprise."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text

from commensal import DERIVED, ON_BEHALF, Time, Whole, metadata

delivery_slot = Table(
    "delivery_slot",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False, index=True),
    Column("session_id", Text, ForeignKey("sale_session.id"), nullable=False),
    Column("zone", Text, nullable=False),  # its id in the settings; "" is every zone
    Column("begins_at", Time, nullable=False),
    Column("ends_at", Time, nullable=False),
    Column("timezone", Text, nullable=False),  # IANA; hours are shown in it
    Column("capacity", Whole),  # orders; none: any number
    Column("taken", Whole, nullable=False, info=DERIVED),  # orders; only bookings write it
    Column("version", Whole, nullable=False),  # of what the enterprise may edit: bookings leave it alone
    CheckConstraint("ends_at > begins_at", name="ends_after_beginning"),
    CheckConstraint("taken >= 0 AND (capacity IS NULL OR taken <= capacity)", name="not_overbooked"),
    Index("ix_delivery_slot_session", "session_id", "begins_at"),
    sqlite_strict=True,
    info=ON_BEHALF,
)
