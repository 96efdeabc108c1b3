"""Stock over the API: lots, receipts, counts, and the journal of movements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Annotated

import msgspec

from ...api.endpoint import Body, Call, Page, Paging, Routes, changes, page_of
from ...enterprises.access import held_at
from ...orders.questions import orders_by_id
from ...stock.lots import StockLot, change_lot, lot_by_id, lots_of, open_lot
from ...stock.movements import StockMovement, count_stock, movements_of, receive_stock

routes = Routes("stock")

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Term = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Note = Annotated[str, msgspec.Meta(max_length=500)]


class NewLot(Body, frozen=True, kw_only=True):
    """`unit` is a DFC measure, `on_hand` and `low_level` are in it; `per_unit` says how finely it is counted (null: as
    is usual). The owner is told when no more than `low_level` is left to order (null: never)."""

    name: Name
    unit: Term
    per_unit: Annotated[int, msgspec.Meta(ge=1, le=10**6)] | None = None
    unlimited: bool = False
    on_hand: Decimal = Decimal(0)
    low_level: Decimal | None = None


class LotPatch(Body, frozen=True, kw_only=True):
    """What becomes unlimited and then is not any more must be counted before it sells again. `low_level` null: the
    owner is not told any more when it runs low."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    unlimited: bool | msgspec.UnsetType = msgspec.UNSET
    low_level: Decimal | msgspec.UnsetType | None = msgspec.UNSET


class GoodsReceived(Body, frozen=True, kw_only=True):
    """`quantity` is in the lot's unit."""

    quantity: Decimal
    note: Note = ""


class GoodsCounted(Body, frozen=True, kw_only=True):
    """`on_hand`, in the lot's unit, is all that is there, with what is reserved."""

    on_hand: Decimal
    note: Note = ""


@routes.get("/enterprises/{enterprise}/lots", scope="products:read")
def stock_lots(call: Call, enterprise: str, query: Paging) -> Page[StockLot]:
    """The enterprise's stock."""
    lots = lots_of(call.tx, enterprise, after=query.after, limit=query.limit)
    return page_of(lots, query.limit, lambda lot: lot.id)


@routes.post("/enterprises/{enterprise}/lots", scope="products:write", status=201)
def open_stock_lot(call: Call, enterprise: str, body: NewLot) -> StockLot:
    """Opens a lot, which several products may share as sizes."""
    return open_lot(call.tx, enterprise_id=enterprise, person_id=call.person_id, **msgspec.structs.asdict(body))


@routes.get("/enterprises/{enterprise}/lots/{lot}", scope="products:read")
def stock_lot(call: Call, enterprise: str, lot: str) -> StockLot:
    """What there is of one thing."""
    return lot_by_id(call.tx, enterprise, lot)


@routes.patch("/enterprises/{enterprise}/lots/{lot}", scope="products:write", edits=True)
def change_stock_lot(call: Call, enterprise: str, lot: str, body: LotPatch) -> StockLot:
    """Renames a lot, makes it unlimited or counted, or sets the level at which its owner is told."""
    return change_lot(call.tx, enterprise, lot, call.version, person_id=call.person_id, **changes(body))


@routes.post("/enterprises/{enterprise}/lots/{lot}/receipts", scope="products:write")
def receive_goods(call: Call, enterprise: str, lot: str, body: GoodsReceived) -> StockLot:
    """Goods have come in."""
    return receive_stock(call.tx, enterprise, lot, body.quantity, note=body.note, person_id=call.person_id)


@routes.post("/enterprises/{enterprise}/lots/{lot}/counts", scope="products:write")
def count_goods(call: Call, enterprise: str, lot: str, body: GoodsCounted) -> StockLot:
    """Somebody has counted what is there. It cannot be less than what is ordered."""
    return count_stock(call.tx, enterprise, lot, body.on_hand, note=body.note, person_id=call.person_id)


@routes.get("/enterprises/{enterprise}/lots/{lot}/movements", scope="products:read")
def stock_movements(call: Call, enterprise: str, lot: str, query: Paging) -> Page[StockMovement]:
    """The lot's journal, the newest first. An order is named to who may read the enterprise's own orders; what shops
    of others sold names neither orders nor people."""
    movements = movements_of(call.tx, enterprise, lot, after=query.after, limit=query.limit)
    return page_of(_without_shoppers(call, enterprise, movements), query.limit, lambda movement: movement.id)


def _without_shoppers(call: Call, enterprise: str, movements: Sequence[StockMovement]) -> list[StockMovement]:
    orders = orders_by_id(call.tx, {movement.order_id for movement in movements if movement.order_id is not None})
    reads_orders = "orders:read" in held_at(call.tx, call.actor, enterprise)

    def hide_shopper(movement: StockMovement) -> StockMovement:
        if movement.order_id is None:
            return movement
        order = orders.get(movement.order_id)
        if order is None or order.enterprise_id != enterprise or not reads_orders:
            return replace(movement, order_id=None, person_id=None)
        return replace(movement, person_id=None) if movement.person_id == order.person_id else movement

    return [hide_shopper(movement) for movement in movements]
