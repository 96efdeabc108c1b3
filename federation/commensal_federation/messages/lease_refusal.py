"""LeaseRefusal: there is less than the least that was asked for."""

from __future__ import annotations

from ..signing import JsonObject
from .bodies.leases import LeaseRefusal
from .lots import barred_or_not, read_lot, write_lot
from .reading import text
from .types import MessageType, Reading, Writing


def write(body: LeaseRefusal, writing: Writing) -> dict[str, object]:
    barred = {"barred": True} if body.barred else {}
    return write_lot("LeaseRefusal", body.lot, body.unit, body.beyond, reason=body.reason, **barred)


def read(document: JsonObject, reading: Reading) -> LeaseRefusal:
    lot, unit, beyond = read_lot("LeaseRefusal", document)
    reason, barred = text(document, "reason", 500, least=0), barred_or_not(document)
    return LeaseRefusal(lot=lot, unit=unit, beyond=beyond, reason=reason, barred=barred)


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
        "barred": "only where true: the goods are behind the barrier of a restore, at the sender or at its lender, so "
        "customers read that they are counted again, and not that they are sold out",
    },
)
