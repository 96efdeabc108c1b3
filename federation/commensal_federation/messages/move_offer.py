"""MoveOffer: an owner would like an enterprise of the sender to live at the receiver's from now on."""

from __future__ import annotations

from ..signing import JsonObject
from .bodies.moving import MoveOffer
from .members import ENTERPRISE
from .reading import number, text
from .types import MessageType, Reading, Writing


def write(body: MoveOffer, writing: Writing) -> dict[str, object]:
    return {
        "type": "MoveOffer",
        "enterprise": body.enterprise,
        "name": body.name,
        "products": body.products,
        "authorityEpoch": body.epoch,
    }


def read(document: JsonObject, reading: Reading) -> MoveOffer:
    return MoveOffer(
        enterprise=text(document, "enterprise"),
        name=text(document, "name"),
        products=number(document, "products"),
        epoch=number(document, "authorityEpoch"),
    )


MOVE_OFFER = MessageType(
    name="MoveOffer",
    lane="order",
    scope="enterprise.move",
    body=MoveOffer,
    write=write,
    read=read,
    members={
        "enterprise": ENTERPRISE,
        "name": "for people",
        "products": "how many it has",
        "authorityEpoch": "the one that would begin",
    },
)
