"""Stock lots: the stock of one thing, counted once, whatever the sizes in which it is sold."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypedDict, Unpack

from sqlalchemy import ColumnElement, and_, bindparam, exists, insert, select, update

from ..base.errors import Conflict, Invalid, NotFound, Problem
from ..base.texts import read_text
from ..base.units.measures import MEASURES
from ..events.announce import announce, announce_listing
from ..hooks import specifications
from ..products.tables import supplied_product
from ..storage.database import Row, Transaction, edit_row
from .levels import (
    FINEST,
    LevelChange,
    as_text,
    forget_notices,
    in_units,
    lock_lots,
    to_grains,
    usual_unit,
    write_movements,
)
from .tables import StockLotRow, stock_lot

_ONE = select(stock_lot).where(stock_lot.c.id == bindparam("lot"), stock_lot.c.enterprise_id == bindparam("owner"))
LOT_COLUMNS = tuple(column.label(f"lot__{column.name}") for column in stock_lot.c)  # beside those of a product
_SOME = select(stock_lot).where(stock_lot.c.id.in_(bindparam("lots", expanding=True)))


@dataclass(frozen=True, kw_only=True)
class StockLot:
    """A lot with its levels in `unit`, a DFC measure; `per_unit` is the number of grains in one unit (1000: grams).

    on_hand:    what is in stock: free, reserved and lent
    free:       may still be ordered; 0 if unlimited, which needs none
    reserved:   ordered, still in stock
    sold:       handed over
    lent:       still in stock, but other instances may sell it
    beyond:     available at another instance, as last reported; without guarantee
    free_until: after this moment (UTC) nothing of it may be ordered
    unlimited:  can always be ordered: made to order, or harvested as needed
    low_level:  the owner is told once `free` falls to this; None: never
    """

    id: str
    enterprise_id: str
    name: str
    unit: str
    per_unit: int
    unlimited: bool
    on_hand: Decimal
    free: Decimal
    reserved: Decimal
    sold: Decimal
    lent: Decimal
    beyond: Decimal
    free_until: datetime | None
    created_at: datetime
    version: int
    low_level: Decimal | None = None

    @property
    def is_low(self) -> bool:
        """Whether so little is free that the owner wants to know; never if it is unlimited."""
        return self.low_level is not None and not self.unlimited and self.free <= self.low_level


class LotChanges(TypedDict, total=False):
    """What people may change of a lot; None leaves a name or `unlimited` as it is, and takes a `low_level` away."""

    name: str | None
    unlimited: bool | None
    low_level: Decimal | None


def open_lot(
    tx: Transaction,
    *,
    enterprise_id: str,
    name: str,
    unit: str,
    per_unit: int | None = None,
    unlimited: bool = False,
    on_hand: Decimal = Decimal(0),
    low_level: Decimal | None = None,
    person_id: str | None = None,
) -> StockLot:
    """Creates a lot. `unit` is a DFC measure and the unit of `on_hand` and `low_level`; `per_unit` None: the usual one
    for the unit.

    Raises `Invalid` with every mistake.
    """
    problems: list[Problem] = []
    name = read_text(name, "/name", problems, least=1)
    measure = MEASURES.get(unit)
    if measure is None or measure.dimension == "ratio":
        problems.append(Problem("unit", "{unit} is not a unit of stock.", "/unit", {"unit": unit[:40]}))
    if per_unit is None and measure is not None:
        usual, parts = usual_unit(measure)
        per_unit = parts if usual == unit else 1
    if per_unit is None or not 1 <= per_unit <= FINEST or FINEST % per_unit:
        text = "One unit has 1, 2, 4, 5, 8, 10 … parts: a number that divides a million."
        problems.append(Problem("per_unit", text, "/per_unit"))
    grains = 0 if problems or per_unit is None else to_grains(on_hand, unit, per_unit, "/on_hand")
    if isinstance(grains, Problem):
        problems.append(grains)
    elif unlimited and on_hand:
        problems.append(Problem("unlimited", "What is unlimited is not counted.", "/on_hand"))
    low_grains = None if problems or per_unit is None else _low_grains(low_level, unit, per_unit, problems)
    if problems or per_unit is None or isinstance(grains, Problem):
        raise Invalid(problems)
    row = StockLotRow(
        id=tx.new_id(),
        enterprise_id=enterprise_id,
        name=name,
        unit=unit,
        per_unit=per_unit,
        unlimited=unlimited,
        free=grains,
        reserved=0,
        sold=0,
        lent=0,
        beyond=0,
        free_until=None,
        low_level=low_grains,
        created_at=tx.now,
        version=1,
    )
    tx.execute(insert(stock_lot).values(row._asdict()))
    if grains:
        write_movements(tx, "received", {row.id: LevelChange(free=grains)}, person_id=person_id)
    return lot_of(row)


def change_lot(
    tx: Transaction,
    enterprise_id: str,
    lot_id: str,
    version: int,
    *,
    person_id: str | None = None,
    **changes: Unpack[LotChanges],
) -> StockLot:
    """Renames a lot, makes it unlimited or counted again, or sets the level at which its owner is told.

    An unlimited lot has no free level. When it becomes counted again, its free level is zero until somebody counts it.
    With another `low_level`, in the lot's unit, the owner is told anew.
    Raises `Invalid`, `NotFound`, `Stale`, and `Conflict` if some of a lot that is to be unlimited is lent.
    """
    problems: list[Problem] = []
    values: dict[str, object] = {}
    name, unlimited = changes.get("name"), changes.get("unlimited")
    if name is not None:
        values["name"] = read_text(name, "/name", problems, least=1)
    (lot,) = lock_lots(tx, [lot_id], enterprise_id)
    if "low_level" in changes:
        low_grains = _low_grains(changes["low_level"], lot.unit, lot.per_unit, problems)
        values["low_level"] = low_grains
    if problems:
        raise Invalid(problems)
    if unlimited and lot.lent:
        raise lent_error(lot)
    if unlimited is not None:
        values |= {"unlimited": unlimited} | ({"free": 0} if unlimited else {})
    conditions = (stock_lot.c.id == lot_id, stock_lot.c.enterprise_id == enterprise_id)
    row = StockLotRow(**edit_row(tx, stock_lot, *conditions, version=version, values=values))
    if row.low_level != lot.low_level:
        forget_notices(tx, [lot_id])
    if row.unlimited != lot.unlimited:
        announce_listing(tx, supplied_product.c.lot_id == lot_id)
    if row.free != lot.free:
        write_movements(tx, "counted", {lot_id: LevelChange(free=-lot.free)}, person_id=person_id)
    elif row.unlimited != lot.unlimited:
        announce(tx, specifications.stock_changed, stock_lot, stock_lot.c.id == lot_id)
    return lot_of(row)


def lent_error(lot: StockLotRow) -> Conflict:
    """Returns the error for a lot of which a part is lent: that part must come back first."""
    text = "Others may sell {lent} of {name}; take that back first."
    return Conflict("lent", text, lent=as_text(lot.lent, lot.unit, lot.per_unit), name=lot.name)


def lot_by_id(tx: Transaction, enterprise_id: str, lot_id: str) -> StockLot:
    """Returns one lot of the enterprise. Raises `NotFound`."""
    row = tx.row(StockLotRow, _ONE, {"lot": lot_id, "owner": enterprise_id})
    if row is None:
        raise NotFound
    return lot_of(row)


def lots_by_id(tx: Transaction, lot_ids: Collection[str]) -> dict[str, StockLot]:
    """Returns lots of any enterprise by id; unknown ids are left out."""
    rows = tx.rows(StockLotRow, _SOME, {"lots": sorted(lot_ids)})
    return {row.id: lot_of(row) for row in rows}


def lots_of(tx: Transaction, enterprise_id: str, *, after: str = "", limit: int = 50) -> list[StockLot]:
    """Returns the enterprise's lots sorted by id; `after` is the last id of the page before."""
    statement = select(stock_lot).where(stock_lot.c.enterprise_id == enterprise_id, stock_lot.c.id > after)
    return [lot_of(row) for row in tx.rows(StockLotRow, statement.order_by(stock_lot.c.id).limit(limit))]


def low_lots(tx: Transaction, enterprise_id: str, *, limit: int = 50) -> list[StockLot]:
    """Returns the enterprise's lots that are low and of which something is still offered, sorted by name."""
    statement = select(stock_lot).where(is_low(), stock_lot.c.enterprise_id == enterprise_id)
    return [
        lot_of(row) for row in tx.rows(StockLotRow, statement.order_by(stock_lot.c.name, stock_lot.c.id).limit(limit))
    ]


def stop_watching_lots(tx: Transaction, enterprise_id: str) -> None:
    """Takes the low level of all lots of an enterprise away, since it has moved and nobody here is to be told."""
    lot = stock_lot.c
    tx.execute(
        update(stock_lot).where(lot.enterprise_id == enterprise_id, lot.low_level.is_not(None)).values(low_level=None)
    )


def is_low() -> ColumnElement[bool]:
    """Returns the condition for a lot that is low here, and from which a product is taken that is not archived."""
    lot, product = stock_lot.c, supplied_product.c
    offered = exists().where(product.lot_id == lot.id, product.archived_at.is_(None))
    return and_(lot.low_level.is_not(None), lot.free <= lot.low_level, ~lot.unlimited, offered)


def lot_of(row: StockLotRow) -> StockLot:
    """Returns the lot of a row, whose levels are in grains."""
    per_unit = row.per_unit
    return StockLot(
        id=row.id,
        enterprise_id=row.enterprise_id,
        name=row.name,
        unit=row.unit,
        per_unit=per_unit,
        unlimited=row.unlimited,
        on_hand=in_units(row.free + row.reserved + row.lent, per_unit),
        free=in_units(row.free, per_unit),
        reserved=in_units(row.reserved, per_unit),
        sold=in_units(row.sold, per_unit),
        lent=in_units(row.lent, per_unit),
        beyond=in_units(row.beyond, per_unit),
        free_until=row.free_until,
        created_at=row.created_at,
        version=row.version,
        low_level=None if row.low_level is None else in_units(row.low_level, per_unit),
    )


def lot_beside(row: Row) -> StockLotRow:
    """Returns the part of a row that was selected as `LOT_COLUMNS`."""
    return StockLotRow._make(row[column.name] for column in LOT_COLUMNS)


def _low_grains(low_level: Decimal | None, unit: str, per_unit: int, problems: list[Problem]) -> int | None:
    grains = None if low_level is None else to_grains(low_level, unit, per_unit, "/low_level")
    if not isinstance(grains, Problem):
        return grains
    problems.append(grains)
    return None
