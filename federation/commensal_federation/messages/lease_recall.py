"""LeaseRecall: others are short; give back what lies idle."""

from __future__ import annotations

from ..signing import JsonObject
from .bodies.leases import LeaseRecall
from .lots import read_lot, write_lot
from .types import MessageType, Reading, Writing


def write(body: LeaseRecall, writing: Writing) -> dict[str, object]:
    return write_lot("LeaseRecall", body.lot, body.unit, body.wanted)


def read(document: JsonObject, reading: Reading) -> LeaseRecall:
    lot, unit, amount = read_lot("LeaseRecall", document)
    return LeaseRecall(lot=lot, unit=unit, wanted=amount)


LEASE_RECALL = MessageType(
    name="LeaseRecall",
    lane="order",
    scope=None,
    body=LeaseRecall,
    write=write,
    read=read,
    members={"dfc-b:hasQuantity": "how much others lack; the holder gives back as much of it as nobody has ordered"},
)
