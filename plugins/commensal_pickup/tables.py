"""Tables of pickup: places with their closures, and the slots in which a sale's goods can be collected there."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text

from commensal import DERIVED, ON_BEHALF, SECRET, Exact, Json, Time, Whole, metadata

pickup_place = Table(
    "pickup_place",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("street", Text, nullable=False),
    Column("postcode", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("latitude", Exact),  # WGS 84, degrees
    Column("longitude", Exact),
    Column("note", Text, nullable=False),  # what customers should know: the entrance, where to park
    Column("names", Json, nullable=False, server_default="{}"),  # the name in further languages, by ISO 639 code
    Column("notes", Json, nullable=False, server_default="{}"),  # the note in further ones
    Column("timezone", Text, nullable=False),  # IANA; hours are shown in it
    Column("price", Whole, nullable=False),  # of collecting here, in minor units of the enterprise's currency
    Column("vat_rate", Exact),  # percent of the price; none: outside VAT
    Column("hours", Json, nullable=False, server_default="[]"),  # of opening, week after week; none: whenever
    Column("archived_at", Time),
    Column("version", Whole, nullable=False),
    CheckConstraint("price >= 0", name="price_not_negative"),
    Index("ix_pickup_place_enterprise", "enterprise_id", "id"),
    sqlite_strict=True,
)

# Days on which a place is closed, in its local time. Added and removed, never edited.
pickup_closure = Table(
    "pickup_closure",
    metadata,
    Column("id", Text, primary_key=True),
    Column("place_id", Text, ForeignKey("pickup_place.id"), nullable=False),
    Column("first_day", Text, nullable=False),  # ISO 8601
    Column("last_day", Text, nullable=False),  # included
    Column("reason", Text, nullable=False),
    Column("reasons", Json, nullable=False, server_default="{}"),  # the same in further languages, by ISO 639 code
    CheckConstraint("last_day >= first_day", name="ends_after_beginning"),
    Index("ix_pickup_closure_place", "place_id", "last_day"),
    sqlite_strict=True,
)

# The link under which calendars read a place's slots; the table holds only the hash of its secret.
pickup_calendar = Table(
    "pickup_calendar",
    metadata,
    Column("place_id", Text, ForeignKey("pickup_place.id"), primary_key=True),
    Column("secret_hash", Text, nullable=False, unique=True, info=SECRET),
    sqlite_strict=True,
)

pickup_slot = Table(
    "pickup_slot",
    metadata,
    Column("id", Text, primary_key=True),
    Column("place_id", Text, ForeignKey("pickup_place.id"), nullable=False, index=True),
    Column("session_id", Text, ForeignKey("sale_session.id"), nullable=False),
    Column("begins_at", Time, nullable=False),
    Column("ends_at", Time, nullable=False),
    Column("capacity", Whole),  # orders; none: any number
    Column("taken", Whole, nullable=False, info=DERIVED),  # orders; only bookings write it
    Column("closure_id", Text, ForeignKey("pickup_closure.id"), index=True),  # it takes no more orders
    Column("version", Whole, nullable=False),  # of what the enterprise may edit: bookings leave it alone
    CheckConstraint("ends_at > begins_at", name="ends_after_beginning"),
    CheckConstraint("taken >= 0 AND (capacity IS NULL OR taken <= capacity)", name="not_overbooked"),
    Index("ix_pickup_slot_session", "session_id", "begins_at"),
    sqlite_strict=True,
    info=ON_BEHALF,
)
