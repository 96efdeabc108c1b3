"""What the two sides of a lease tell each other. Quantities are in the lot's unit, a DFC measure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class LeaseRequest:
    """The holder asks for more of a lot: `least` at once or nothing, and `hoped` if there is that much.

    `ordered` is how much of what it holds its customers have ordered, or those of the holders to whom it lent on.
    """

    lot: str
    unit: str
    least: Decimal
    hoped: Decimal
    ordered: Decimal = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The same in grains, as the lender reckons."""

    least: int
    hoped: int
    ordered: int = 0


@dataclass(frozen=True, kw_only=True)
class LeaseGrant:
    """All that was ever granted of a lot in this epoch, and until when the holder may sell it.

    `beyond` is what else is free: it promises nothing. `barred`: nobody can say at present how much that is.
    """

    lot: str
    unit: str
    epoch: int
    granted: Decimal
    until: datetime
    beyond: Decimal
    barred: bool = False


@dataclass(frozen=True, kw_only=True)
class LeaseRefusal:
    """Less is free than the least that was asked for, so nothing was granted. Where `beyond` is no less, it is called
    back from others, and a grant may follow within seconds. `barred`: nobody can say at present how much there is."""

    lot: str
    unit: str
    beyond: Decimal
    reason: str
    barred: bool = False


@dataclass(frozen=True, kw_only=True)
class LeaseReport:
    """The holder's counts, all at one moment. `report` grows by one each time: an older one says nothing any more.

    seen:     of what was granted, when this was said
    returned: all that was ever given back; held: free, reserved and lent on; sold: handed over
    ordered:  of what is held, what is reserved, or lent on and ordered there: the rest idles
    """

    lot: str
    unit: str
    epoch: int
    report: int
    seen: Decimal
    returned: Decimal
    held: Decimal
    sold: Decimal
    ordered: Decimal = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class LeaseRecall:
    """The lender asks for idle units: others are short of `wanted`."""

    lot: str
    unit: str
    wanted: Decimal


@dataclass(frozen=True, kw_only=True)
class LeaseForced:
    """The producer has taken back all that was not sold: what was granted before `epoch` may not be sold any more.

    `sold` is what the lender knows to have been handed over of it: whatever is more was sold late.
    """

    lot: str
    unit: str
    epoch: int
    sold: Decimal


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
