"""LeaseForced: the producer has taken its units back; what was sold of them late goes to a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from commensal import Transaction

from ..leases.holder import take_forced_return
from ..leases.restored import recover_forced_return
from ..runtime import Federation
from .bodies.leases import LeaseForced
from .lots import read_lot, write_lot
from .reading import number
from .types import MessageType, Reading, Received, Writing


def write(body: LeaseForced, writing: Writing) -> dict[str, Any]:
    return write_lot("LeaseForced", body.lot, body.unit, body.sold, leaseEpoch=body.epoch)


def read(document: Mapping[str, Any], reading: Reading) -> LeaseForced:
    lot, unit, sold = read_lot("LeaseForced", document)
    return LeaseForced(lot=lot, unit=unit, epoch=number(document, "leaseEpoch"), sold=sold)


def handle(federation: Federation, tx: Transaction, received: Received) -> None:
    take_forced_return(federation, tx, received.peer, received.body)


LEASE_FORCED = MessageType(
    name="LeaseForced", lane="order", scope=None, body=LeaseForced, write=write, read=read, handle=handle,
    recover=recover_forced_return,
)  # fmt: skip
