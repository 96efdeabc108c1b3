"""StockLevel: a hint what may be had of a lot. No sale relies on it."""

from __future__ import annotations

from ..signing import JsonObject
from .bodies.catalogue import StockLevel
from .lots import read_lot, write_lot
from .types import MessageType, Reading, Writing


def write(body: StockLevel, writing: Writing) -> dict[str, object]:
    return write_lot("StockLevel", body.lot, body.unit, body.beyond)


def read(document: JsonObject, reading: Reading) -> StockLevel:
    lot, unit, beyond = read_lot("StockLevel", document)
    return StockLevel(lot=lot, unit=unit, beyond=beyond)


STOCK_LEVEL = MessageType(
    name="StockLevel",
    lane="catalogue",
    scope=None,
    body=StockLevel,
    write=write,
    read=read,
    members={"dfc-b:hasQuantity": "how much may be had"},
)
