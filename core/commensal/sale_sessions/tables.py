"""Tables of sales: a coordination (order cycle), its suppliers, and its part at each shop."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text, UniqueConstraint

from ..storage.database import Json, Time, Whole, metadata, only_where

coordination = Table(
    "coordination",
    metadata,
    Column("id", Text, primary_key=True),
    Column("coordinator_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("opens_at", Time, nullable=False),
    Column("closes_at", Time, nullable=False),
    # The planned opening and closing of a sale that opens or closes at another moment for once; none: as planned.
    Column("planned_opens_at", Time),
    Column("planned_closes_at", Time),
    Column("rhythm", Text),  # RFC 5545 RRULE without DTSTART, at the latest sale of a series; none: not repeated
    Column("previous_id", Text, ForeignKey("coordination.id"), unique=True),  # unique: a rhythm repeats it once
    Column("cancelled_at", Time),
    Column("completed_at", Time),  # its orders were made Complete after the close
    Column("created_at", Time, nullable=False),
    Column("version", Whole, nullable=False),
    CheckConstraint("closes_at > opens_at", name="closes_after_opening"),
    Index("ix_coordination_coordinator", "coordinator_id", "id"),
    Index("ix_coordination_open", "completed_at", "closes_at"),
    Index("ix_coordination_rhythm", "closes_at", **only_where("rhythm IS NOT NULL")),
    sqlite_strict=True,
)

coordination_supplier = Table(
    "coordination_supplier",
    metadata,
    Column("coordination_id", Text, ForeignKey("coordination.id"), primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), primary_key=True, index=True),
    Column("closes_at", Time),  # its own, earlier cut-off; none: that of the session
    sqlite_strict=True,
)

sale_session = Table(
    "sale_session",
    metadata,
    Column("id", Text, primary_key=True),
    Column("coordination_id", Text, ForeignKey("coordination.id"), nullable=False),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),  # the shop
    Column("catalog_id", Text, ForeignKey("catalog.id"), nullable=False),
    Column("opens_at", Time, nullable=False),
    Column("closes_at", Time, nullable=False),
    Column("planned_closes_at", Time),  # as of the coordination
    Column("begins_at", Time, nullable=False),  # of the distribution
    Column("ends_at", Time, nullable=False),
    # The name of the sale in further languages than the shop's, by ISO 639 code.
    Column("names", Json, nullable=False, server_default="{}"),
    Column("note", Text, nullable=False),  # what customers should know
    Column("notes", Json, nullable=False, server_default="{}"),  # the same in further languages than the shop's
    Column("books_closed_at", Time),  # since when its orders and what suppliers are owed do not change any more
    # The planned distribution of one that was moved with its orders; none: as planned.
    Column("planned_begins_at", Time),
    Column("planned_ends_at", Time),
    Column("version", Whole, nullable=False),
    UniqueConstraint("coordination_id", "enterprise_id"),
    CheckConstraint("closes_at > opens_at", name="closes_after_opening"),
    Index("ix_sale_session_shop", "enterprise_id", "closes_at"),
    Index("ix_sale_session_closes", "closes_at", "id"),
    sqlite_strict=True,
)

# Items on sale are stored, so that a grant revoked later cannot empty a running sale.
session_item = Table(
    "session_item",
    metadata,
    Column("session_id", Text, ForeignKey("sale_session.id"), primary_key=True),
    Column("item_id", Text, ForeignKey("catalog_item.id"), primary_key=True, index=True),
    sqlite_strict=True,
)
