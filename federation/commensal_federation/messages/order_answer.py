"""OrderAnswer: what the producer says to a hub's order: lines confirmed, shortened or refused, and what was weighed."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

from ..dfc.vocabulary import DfcLine, DfcOrder, DfcQuantity
from ..signing import JsonObject, Unreadable
from .bodies.orders import RECEIPTS, Answer, AnswerLine, OrderAnswer, Receipt
from .documents import read_document, write_document
from .lots import amount
from .reading import own_number, own_text_or_none
from .types import MessageType, Reading, Writing

ANSWERS = ("confirmed", "shortened", "refused")
MOST_WORDS = 500


def write(body: OrderAnswer, writing: Writing) -> dict[str, object]:
    extra = {"own:answerNumber": ({"@value": str(body.answer)},), "own:rev": ({"@value": str(body.rev)},)}
    if body.receipt:
        extra["own:receipt"] = ({"@value": body.receipt},)
    if body.objection:
        extra["own:objection"] = ({"@value": body.objection},)
    lines = []
    for place, line in enumerate(body.lines, 1):
        about: dict[str, tuple[object, ...]] = {"own:item": ({"@id": line.item_iri},)}
        if line.final_quantity is not None:
            about["own:weighed"] = ({"@value": str(line.final_quantity)},)
        lines.append(
            DfcLine(
                iri=f"{body.iri}/answers/{place}",
                order=body.iri,
                quantity=DfcQuantity(value=Decimal(line.confirmed)),
                answer=line.answer,
                reason=line.reason,
                extra=about,
            )
        )
    return write_document([DfcOrder(iri=body.iri, extra=extra), *lines])


def read(document: JsonObject, reading: Reading) -> OrderAnswer:
    parsed = read_document(document)
    order = parsed.one(DfcOrder)
    return OrderAnswer(
        iri=order.iri,
        answer=own_number(order, "own:answerNumber"),
        rev=own_number(order, "own:rev"),
        lines=tuple(map(_line, parsed.all(DfcLine))),
        receipt=_receipt(order),
        objection=own_text_or_none(order, "own:objection", MOST_WORDS) or "",
    )


def _receipt(order: DfcOrder) -> Receipt:
    receipt = own_text_or_none(order, "own:receipt", 20) or ""
    if receipt not in RECEIPTS:
        raise Unreadable("receipt", "what the hub got is taken, open, agreed or disputed")
    return receipt


def _line(line: DfcLine) -> AnswerLine:
    item = next((str(node["@id"]) for node in line.extra.get("own:item", ()) if "@id" in node), None)
    if item is None or line.quantity is None or line.answer not in ANSWERS or line.quantity.value < 0:
        raise Unreadable("line", f"{line.iri[:200]} needs an item, a quantity and an answer")
    weighed = own_text_or_none(line, "own:weighed", 40)
    return AnswerLine(
        item_iri=item,
        answer=cast(Answer, line.answer),
        confirmed=int(line.quantity.value),
        reason=line.reason[:500],
        final_quantity=None if weighed is None else amount({"weighed": weighed}, "weighed"),
    )


ORDER_ANSWER = MessageType(
    name="OrderAnswer",
    lane="order",
    scope=None,
    body=OrderAnswer,
    write=write,
    read=read,
    foreign=True,
    members={
        "rev": "of the order that the producer saw",
        "answerNumber": "1 at first, one more with each answer; each has all lines that were answered so far",
        "item": "which line of the order is answered",
        "answer": "`confirmed`, `shortened` or `refused`; `dfc-b:quantity` is the number of pieces that come",
        "reason": "for people",
        "weighed": "all these pieces by the producer's scales, in the unit of the product's quantity",
        "receipt": "to what the hub got, in this `rev`: `taken` (it follows from the order, and counts), `open` (a "
        "person looks at it), `agreed` or `disputed`; missing where the hub has said nothing",
        "objection": "why it is disputed, for people",
    },
)
