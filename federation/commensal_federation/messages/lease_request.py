"""LeaseRequest: a hub's instance asks for units of a lot, at once or ahead of need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from commensal import Transaction

from ..delivery.outbox.outbox import said_before
from ..leases.holder import ask_further
from ..leases.lendable import lendable_lot
from ..leases.lender import answer_request
from ..runtime import Federation
from .bodies.leases import Asked, LeaseRequest
from .lots import amount, amount_or_none, read_lot, write_lot
from .types import MessageType, Reading, Received, Refuse, Writing


def write(body: LeaseRequest, writing: Writing) -> dict[str, Any]:
    return write_lot("LeaseRequest", body.lot, body.unit, body.hoped, least=body.least, ordered=body.ordered)


def read(document: Mapping[str, Any], reading: Reading) -> LeaseRequest:
    lot, unit, hoped = read_lot("LeaseRequest", document)
    ordered = amount_or_none(document, "ordered")
    return LeaseRequest(lot=lot, unit=unit, hoped=hoped, least=amount(document, "least"), ordered=ordered)


def handle(federation: Federation, tx: Transaction, received: Received) -> None:
    body: LeaseRequest = received.body
    if received.peer.recovering and said_before(tx, received.id, "LeaseGrant"):
        return  # what was granted then is known again
    lot = lendable_lot(federation, tx, received.peer, body.lot)
    if body.unit != lot.unit:
        raise Refuse("unit", f"This lot is counted in {lot.unit}.")
    least, hoped, ordered = (int(one * lot.per_unit) for one in (body.least, max(body.least, body.hoped), body.ordered))
    asked = Asked(least=least, hoped=hoped, ordered=ordered)
    missing = answer_request(federation, tx, received.peer, lot.enterprise_id, lot.id, asked, received.id)
    if missing.hoped:
        ask_further(federation, tx, lot.id, missing.least, missing.hoped)


LEASE_REQUEST = MessageType(
    name="LeaseRequest", lane="order", scope="stock.lease", body=LeaseRequest, write=write, read=read, handle=handle,
    foreign=True, fades=True,
)  # fmt: skip
