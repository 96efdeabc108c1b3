"""LeaseReport: what a holder gave back, holds and has sold, all at one moment: sale report and return in one."""

from __future__ import annotations

from ..signing import JsonObject
from .bodies.leases import LeaseReport
from .lots import amount, amount_or_none, read_lot, write_lot
from .reading import number
from .types import MessageType, Reading, Writing


def write(body: LeaseReport, writing: Writing) -> dict[str, object]:
    return write_lot(
        "LeaseReport",
        body.lot,
        body.unit,
        body.held,
        leaseEpoch=body.epoch,
        report=body.report,
        seen=body.seen,
        returned=body.returned,
        sold=body.sold,
        ordered=body.ordered,
    )


def read(document: JsonObject, reading: Reading) -> LeaseReport:
    lot, unit, held = read_lot("LeaseReport", document)
    return LeaseReport(
        lot=lot,
        unit=unit,
        epoch=number(document, "leaseEpoch"),
        report=number(document, "report"),
        seen=amount(document, "seen"),
        returned=amount(document, "returned"),
        held=held,
        sold=amount(document, "sold"),
        ordered=amount_or_none(document, "ordered"),
    )


LEASE_REPORT = MessageType(
    name="LeaseReport",
    lane="order",
    scope="stock.lease",
    body=LeaseReport,
    write=write,
    read=read,
    foreign=True,
    members={
        "dfc-b:hasQuantity": "what the holder holds: free, reserved by customers' orders, and lent on",
        "leaseEpoch": "that of the grants that are counted",
        "report": "1 at first, one more each time",
        "seen": "all that was granted in this epoch, as far as the holder has heard",
        "returned": "all that it ever gave back in this epoch",
        "sold": "all that it has handed over to customers in this epoch; what is only ordered is held",
        "ordered": "of what is held, what customers have ordered, here or where it was lent on: the rest is idle",
    },
)
