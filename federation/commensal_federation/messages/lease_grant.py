"""LeaseGrant: all that was ever granted of a lot, so that one that comes twice grants nothing more."""

from __future__ import annotations

from ..signing import JsonObject
from ..signing.profile import write_moment
from .bodies.leases import LeaseGrant
from .lots import amount, barred_or_not, read_lot, write_lot
from .reading import moment, number
from .types import MessageType, Reading, Writing


def write(body: LeaseGrant, writing: Writing) -> dict[str, object]:
    return write_lot(
        "LeaseGrant",
        body.lot,
        body.unit,
        body.granted,
        leaseEpoch=body.epoch,
        until=write_moment(body.until),
        beyond=body.beyond,
        **({"barred": True} if body.barred else {}),
    )


def read(document: JsonObject, reading: Reading) -> LeaseGrant:
    lot, unit, granted = read_lot("LeaseGrant", document)
    return LeaseGrant(
        lot=lot,
        unit=unit,
        epoch=number(document, "leaseEpoch"),
        granted=granted,
        until=moment(document, "until"),
        beyond=amount(document, "beyond"),
        barred=barred_or_not(document),
    )


LEASE_GRANT = MessageType(
    name="LeaseGrant",
    lane="order",
    scope=None,
    body=LeaseGrant,
    write=write,
    read=read,
    members={
        "dfc-b:hasQuantity": "all that was ever granted in this epoch; what is new is the difference to what was known",
        "leaseEpoch": "1 at first",
        "until": "when the holder stops selling",
        "beyond": "how much more might be had, as a hint",
        "barred": "only where true: as in `LeaseRefusal`",
    },
)
