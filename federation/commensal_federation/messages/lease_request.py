"""LeaseRequest: a hub's instance asks for units of a lot, at once or ahead of need."""

from __future__ import annotations

from ..signing import JsonObject
from .bodies.leases import LeaseRequest
from .lots import amount, amount_or_none, read_lot, write_lot
from .types import MessageType, Reading, Writing


def write(body: LeaseRequest, writing: Writing) -> dict[str, object]:
    return write_lot("LeaseRequest", body.lot, body.unit, body.hoped, least=body.least, ordered=body.ordered)


def read(document: JsonObject, reading: Reading) -> LeaseRequest:
    lot, unit, hoped = read_lot("LeaseRequest", document)
    ordered = amount_or_none(document, "ordered")
    return LeaseRequest(lot=lot, unit=unit, hoped=hoped, least=amount(document, "least"), ordered=ordered)


LEASE_REQUEST = MessageType(
    name="LeaseRequest",
    lane="order",
    scope="stock.lease",
    body=LeaseRequest,
    write=write,
    read=read,
    foreign=True,
    fades=True,
    # A hub asks for one waiting customer at a time, so whoever was asked for before has left.
    subject=lambda body: body.lot if body.least else "",
    members={
        "dfc-b:hasQuantity": "how much more is hoped for, no less than `least`",
        "least": "how much more is needed, or nothing is granted; `0` where no customer waits",
        "ordered": "of what is held, what customers have ordered, here or where it was lent on; without this request",
    },
)
