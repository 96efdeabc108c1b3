"""EpochStart: the sender was restored from a backup. It has fetched what it could of what it had said; its numbers
begin anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from commensal import Transaction

from ..delivery.alerts import alert
from ..runtime import Federation
from .reading import number
from .types import MessageType, Reading, Received, Refuse, Writing


@dataclass(frozen=True)
class EpochStartBody:
    """epoch: the one that begins, which the envelope has too"""

    epoch: int


def write(body: EpochStartBody, writing: Writing) -> dict[str, Any]:
    return {"type": "EpochStart", "epoch": body.epoch}


def read(document: Mapping[str, Any], reading: Reading) -> EpochStartBody:
    return EpochStartBody(number(document, "epoch"))


def handle(federation: Federation, tx: Transaction, received: Received) -> None:
    """The lanes have begun anew by the envelope's epoch; a human should know why."""
    if received.body.epoch != received.epoch:
        raise Refuse("epoch", "The envelope is of another epoch.")
    alert(
        tx, received.peer.id, "restored", "It was restored from a backup; what it said after that backup may be lost."
    )


EPOCH_START = MessageType(
    name="EpochStart",
    lane="peering",
    scope=None,
    body=EpochStartBody,
    write=write,
    read=read,
    handle=handle,
    opens=True,
)
