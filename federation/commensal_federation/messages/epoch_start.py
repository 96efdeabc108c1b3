"""EpochStart: the sender was restored from a backup. It has fetched what it could of what it had said; its numbers
begin anew."""

from __future__ import annotations

from dataclasses import dataclass

from ..signing import JsonObject
from .reading import number
from .types import MessageType, Reading, Writing


@dataclass(frozen=True)
class EpochStartBody:
    """epoch: the one that begins, which the envelope has too"""

    epoch: int


def write(body: EpochStartBody, writing: Writing) -> dict[str, object]:
    return {"type": "EpochStart", "epoch": body.epoch}


def read(document: JsonObject, reading: Reading) -> EpochStartBody:
    return EpochStartBody(number(document, "epoch"))


EPOCH_START = MessageType(
    name="EpochStart",
    lane="peering",
    scope=None,
    body=EpochStartBody,
    write=write,
    read=read,
    opens=True,
    members={"epoch": "the same as in the envelope: higher than any before"},
)
