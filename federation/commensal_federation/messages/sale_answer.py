"""SaleAnswer: a hub holds a proposed sale, or does not."""

from __future__ import annotations

from ..signing import JsonObject
from .bodies.proposals import SaleAnswer
from .reading import flag, text
from .types import MessageType, Reading, Writing


def write(body: SaleAnswer, writing: Writing) -> dict[str, object]:
    return {"type": "SaleAnswer", "sale": body.iri, "hub": body.hub, "accepted": body.accepted}


def read(document: JsonObject, reading: Reading) -> SaleAnswer:
    return SaleAnswer(iri=text(document, "sale"), hub=text(document, "hub"), accepted=flag(document, "accepted"))


SALE_ANSWER = MessageType(
    name="SaleAnswer",
    lane="catalogue",
    scope=None,
    body=SaleAnswer,
    write=write,
    read=read,
    foreign=True,
    members={"sale": "the coordination", "hub": "which answers", "accepted": "whether it holds the sale"},
)
