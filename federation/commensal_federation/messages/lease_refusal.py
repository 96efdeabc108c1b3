"""LeaseRefusal: there is less than the least that was asked for."""

from __future__ import annotations

from ..signing import JsonObject
from .bodies.leases import LeaseRefusal
from .lots import read_lot, write_lot
from .reading import text
from .types import MessageType, Reading, Writing


def write(body: LeaseRefusal, writing: Writing) -> dict[str, object]:
    return write_lot("LeaseRefusal", body.lot, body.unit, body.beyond, reason=body.reason)


def read(document: JsonObject, reading: Reading) -> LeaseRefusal:
    lot, unit, beyond = read_lot("LeaseRefusal", document)
    return LeaseRefusal(lot=lot, unit=unit, beyond=beyond, reason=text(document, "reason", 500, least=0))


LEASE_REFUSAL = MessageType(
    name="LeaseRefusal",
    lane="order",
    scope=None,
    body=LeaseRefusal,
    write=write,
    read=read,
    members={
        "dfc-b:hasQuantity": "how much might be had, with what idles at others (the `beyond` of README.md)",
        "reason": "for operators",
    },
)
