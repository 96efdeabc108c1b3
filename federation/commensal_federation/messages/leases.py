"""What the two sides of a lease say, and a lease as either knows it. Quantities are in the unit of the lot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta

from commensal import MEASURES

from ..signing import JsonObject, Unreadable
from .envelope import DFC_CONTEXT, ENVELOPE_CONTEXT
from .members import Term, amount, declared_codec, meanings_of, read_members, written
from .types import MessageType, Reading, Writing

# Leases as DFC documents: the lot is a theoretical stock with a quantity, and the counts are terms of our own.

CONTEXT = [DFC_CONTEXT, ENVELOPE_CONTEXT]
_QUANTITY = "dfc-b:hasQuantity"


def about_lot(body: type, **travels: Any) -> MessageType:
    """The type of message of this body about a `lot`, whose `unit` is a DFC measure. A `QUANTITY` is the member that
    the message is about; the others stand beside it. Raises `TypeError` for a body without one."""
    if _QUANTITY not in meanings_of(body):
        raise TypeError(f"{body.__name__} needs a member that is annotated as a QUANTITY")
    types = ["dfc-b:TheoriticalStock", body.__name__]

    def write(value: Any, writing: Writing) -> dict[str, object]:
        members = written(value)
        quantity = {
            "@type": "dfc-b:QuantitativeValue",
            "dfc-b:hasUnit": {"@id": f"dfc-m:{value.unit}"},
            "dfc-b:value": members[_QUANTITY],
        }
        return {**members, "@context": CONTEXT, "@id": value.lot, "@type": types, _QUANTITY: quantity}

    def read(document: JsonObject, reading: Reading) -> object:
        if document.get("@context") != CONTEXT or document.get("@type") != types:
            raise Unreadable("lease", f"this is not a {body.__name__}")
        lot, unit = _lot_and_unit(document)
        return body(lot=lot, unit=unit, **read_members(document, body))

    return declared_codec(body, write, read, **travels)


def _lot_and_unit(document: JsonObject) -> tuple[str, str]:
    quantity = document.get(_QUANTITY)
    unit = quantity.get("dfc-b:hasUnit") if isinstance(quantity, Mapping) else None
    name = unit.get("@id") if isinstance(unit, Mapping) else None
    lot = document.get("@id")
    if not isinstance(name, str) or not isinstance(lot, str) or len(lot) > 500:
        raise Unreadable("lease", "a lease names a lot, and a quantity with its unit")
    measure = name.removeprefix("dfc-m:")
    if measure not in MEASURES:
        raise Unreadable("unit", f"{measure[:40]} is not a unit of stock")
    return lot, measure


def _read_quantity(document: JsonObject, name: str) -> Decimal:
    quantity = document[name]
    assert isinstance(quantity, Mapping)
    return amount(quantity, "dfc-b:value")


QUANTITY = Term(_QUANTITY, _read_quantity)


LEASE_EPOCH = Term("leaseEpoch")


@dataclass(frozen=True, kw_only=True)
class StockLevel:
    """A hint what may be had of a lot. No sale relies on it."""

    lot: str
    unit: str
    beyond: Annotated[Decimal, QUANTITY, "how much may be had"]


@dataclass(frozen=True, kw_only=True)
class LeaseRequest:
    """A hub's instance asks for units of a lot, at once or ahead of need."""

    lot: str
    unit: str
    hoped: Annotated[Decimal, QUANTITY, "how much more is hoped for, no less than `least`"]
    least: Annotated[Decimal, "how much more is needed, or nothing is granted; `0` where no customer waits"]
    ordered: Annotated[
        Decimal, "of what is held, what customers have ordered, here or where it was lent on; without this request"
    ] = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a `LeaseRequest` asks for in grains, as the lender reckons."""

    least: int
    hoped: int
    ordered: int = 0


@dataclass(frozen=True, kw_only=True)
class LeaseGrant:
    """All that was ever granted of a lot, so that one that comes twice grants nothing more."""

    lot: str
    unit: str
    granted: Annotated[
        Decimal, QUANTITY, "all that was ever granted in this epoch; what is new is the difference to what was known"
    ]
    epoch: Annotated[int, LEASE_EPOCH, "1 at first"]
    until: Annotated[datetime, "when the holder stops selling"]
    beyond: Annotated[Decimal, "how much more might be had, as a hint"]
    barred: Annotated[bool, "only where true: as in `LeaseRefusal`"] = False


@dataclass(frozen=True, kw_only=True)
class LeaseRefusal:
    """There is less than the least that was asked for.

    Where `beyond` is no less, it is called back from others, and a grant may follow within seconds.
    """

    lot: str
    unit: str
    beyond: Annotated[Decimal, QUANTITY, "how much might be had, with what idles at others (the `beyond` of README.md)"]
    reason: Annotated[str, Meta(min_length=0), "for operators"]
    barred: Annotated[
        bool,
        "only where true: the goods are behind the barrier of a restore, at the sender or at its lender, so customers "
        "read that they are counted again, and not that they are sold out",
    ] = False


@dataclass(frozen=True, kw_only=True)
class LeaseReport:
    """What a holder gave back, holds and has sold, all at one moment: sale report and return in one."""

    lot: str
    unit: str
    held: Annotated[Decimal, QUANTITY, "what the holder holds: free, reserved by customers' orders, and lent on"]
    epoch: Annotated[int, LEASE_EPOCH, "that of the grants that are counted"]
    report: Annotated[int, "1 at first, one more each time"]
    seen: Annotated[Decimal, "all that was granted in this epoch, as far as the holder has heard"]
    returned: Annotated[Decimal, "all that it ever gave back in this epoch"]
    sold: Annotated[Decimal, "all that it has handed over to customers in this epoch; what is only ordered is held"]
    ordered: Annotated[
        Decimal, "of what is held, what customers have ordered, here or where it was lent on: the rest is idle"
    ] = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class LeaseRecall:
    """Others are short; give back what lies idle."""

    lot: str
    unit: str
    wanted: Annotated[
        Decimal, QUANTITY, "how much others lack; the holder gives back as much of it as nobody has ordered"
    ]


@dataclass(frozen=True, kw_only=True)
class LeaseForced:
    """The producer has taken its units back; what was sold of them late goes to a person."""

    lot: str
    unit: str
    sold: Annotated[Decimal, QUANTITY, "how much of the epoch that ends was handed over, as the lender knows it"]
    epoch: Annotated[int, LEASE_EPOCH, "the one that begins; all counts are 0 in it"]


@dataclass(frozen=True, kw_only=True)
class Lease:
    """One lease, as either side knows it. Quantities are in the lot's `unit`.

    role:    "lender" where the goods are, "holder" where they are sold
    granted: all that was ever granted in this `epoch`; returned: all that came back; sold: handed over
    held:    free, reserved and lent on at the holder, as it last said
    late:    what the holder sold beyond what it was granted, and a person has to settle
    wanted:  asked for and not there yet
    until:   when the holder stops selling (UTC)
    """

    id: str
    role: str
    peer_id: str
    peer_name: str
    enterprise_id: str
    lot_id: str
    lot_name: str
    unit: str
    epoch: int
    granted: Decimal
    returned: Decimal
    held: Decimal
    sold: Decimal
    late: Decimal
    wanted: Decimal
    until: datetime | None

    @property
    def out(self) -> Decimal:
        """What the holder may have now: all that was granted, without what it gave back or sold by its last word."""
        return self.granted - self.returned - self.sold


STOCK_LEVEL = about_lot(StockLevel, lane="catalogue")
LEASE_REQUEST = about_lot(
    LeaseRequest,
    lane="order",
    scope="stock.lease",
    foreign=True,
    fades=True,
    # A hub asks for one waiting customer at a time, so whoever was asked for before has left.
    subject=lambda body: body.lot if body.least else "",
)
LEASE_GRANT = about_lot(LeaseGrant, lane="order")
LEASE_REFUSAL = about_lot(LeaseRefusal, lane="order")
LEASE_REPORT = about_lot(LeaseReport, lane="order", scope="stock.lease", foreign=True)
LEASE_RECALL = about_lot(LeaseRecall, lane="order")
LEASE_FORCED = about_lot(LeaseForced, lane="order")
