"""LeaseForced: the producer has taken its units back; what was sold of them late goes to a person."""

from __future__ import annotations

from ..signing import JsonObject
from .bodies.leases import LeaseForced
from .lots import read_lot, write_lot
from .reading import number
from .types import MessageType, Reading, Writing


def write(body: LeaseForced, writing: Writing) -> dict[str, object]:
    return write_lot("LeaseForced", body.lot, body.unit, body.sold, leaseEpoch=body.epoch)


def read(document: JsonObject, reading: Reading) -> LeaseForced:
    lot, unit, sold = read_lot("LeaseForced", document)
    return LeaseForced(lot=lot, unit=unit, epoch=number(document, "leaseEpoch"), sold=sold)


LEASE_FORCED = MessageType(
    name="LeaseForced",
    lane="order",
    scope=None,
    body=LeaseForced,
    write=write,
    read=read,
    members={
        "dfc-b:hasQuantity": "how much of the epoch that ends was handed over, as the lender knows it",
        "leaseEpoch": "the one that begins; all counts are 0 in it",
    },
)
