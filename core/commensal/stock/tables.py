"""Tables of stock: a lot's levels, and the journal of their changes."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text

from ..storage.database import DERIVED, ON_BEHALF, Flag, Time, Whole, append_only, checked_in, metadata, untraced

MOVEMENTS = ("received", "counted", "taken", "released", "sold", "restocked", "weighed", "lent", "leased")

# Levels are counted in grains: whole parts of the lot's unit, `per_unit` of them in one (1000 for grams of a kilogram).
stock_lot = Table(
    "stock_lot",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("unit", Text, nullable=False),  # a DFC measure
    Column("per_unit", Whole, nullable=False),
    Column("unlimited", Flag, nullable=False),
    Column("free", Whole, nullable=False, info=DERIVED),
    Column("reserved", Whole, nullable=False, info=DERIVED),  # ordered, still here
    Column("sold", Whole, nullable=False, info=DERIVED),  # handed over
    Column("lent", Whole, nullable=False, server_default="0", info=DERIVED),  # still here, for others to sell
    Column(
        "beyond", Whole, nullable=False, server_default="0", info=DERIVED
    ),  # what may be had from elsewhere, as it was last told
    Column("free_until", Time, info=DERIVED),  # nothing of it is free after that moment
    Column("low_level", Whole),  # the free level that counts as low; null: none does
    Column("created_at", Time, nullable=False),
    Column("version", Whole, nullable=False),
    CheckConstraint("free >= 0", name="free_not_negative"),
    CheckConstraint("reserved >= 0", name="reserved_not_negative"),
    CheckConstraint("sold >= 0", name="sold_not_negative"),
    CheckConstraint("lent >= 0", name="lent_not_negative"),
    CheckConstraint("per_unit > 0", name="per_unit_positive"),
    CheckConstraint("low_level >= 0", name="low_level_not_negative"),
    sqlite_strict=True,
    info=ON_BEHALF,
)


class StockLotRow(NamedTuple):
    """A row of `stock_lot`, with its levels in grains; `StockLot` has them in the lot's unit."""

    id: str
    enterprise_id: str
    name: str
    unit: str
    per_unit: int
    unlimited: bool
    free: int
    reserved: int
    sold: int
    lent: int
    beyond: int
    free_until: datetime | None
    low_level: int | None
    created_at: datetime
    version: int


_watched = stock_lot.c.low_level.is_not(None)
Index("ix_stock_lot_watched", stock_lot.c.enterprise_id, sqlite_where=_watched, postgresql_where=_watched)

# Lots whose owners were told that they are low; a refill deletes the row.
low_stock_notice = Table(
    "low_stock_notice",
    metadata,
    Column("lot_id", Text, ForeignKey("stock_lot.id"), primary_key=True),
    Column("told_at", Time, nullable=False),
    sqlite_strict=True,
    info=untraced("it marks a moment"),
)

# Append-only. The sums of a lot's changes are its levels; `commensal check` compares them.
stock_movement = Table(
    "stock_movement",
    metadata,
    Column("id", Text, primary_key=True),
    Column("lot_id", Text, ForeignKey("stock_lot.id"), nullable=False),
    Column("at", Time, nullable=False),
    Column("kind", Text, nullable=False),
    Column("free_change", Whole, nullable=False),
    Column("reserved_change", Whole, nullable=False),
    Column("sold_change", Whole, nullable=False),
    Column("lent_change", Whole, nullable=False, server_default="0"),
    Column("order_id", Text),  # no foreign key: the journal outlives orders and people
    Column("person_id", Text),
    Column("note", Text, nullable=False),
    checked_in("kind", MOVEMENTS),
    Index("ix_stock_movement_lot", "lot_id", "id"),
    sqlite_strict=True,
    info=untraced("it is a journal; what people do to stock is traced where it is written"),
)
append_only(stock_movement)


class StockMovementRow(NamedTuple):
    """A row of `stock_movement`, with its changes in grains; `StockMovement` has them in the lot's unit."""

    id: str
    lot_id: str
    at: datetime
    kind: str
    free_change: int
    reserved_change: int
    sold_change: int
    lent_change: int
    order_id: str | None
    person_id: str | None
    note: str
