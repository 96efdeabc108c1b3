"""OrderAnswer: what the producer says to a hub's order: lines confirmed, shortened or refused, and what was weighed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal, cast

from msgspec import Meta

from ..dfc.vocabulary import DfcLine, DfcOrder, DfcQuantity
from ..signing import JsonObject, Unreadable
from .documents import read_document, write_document
from .members import Term, declared_codec, meanings_of, own_terms, read_own, text
from .types import Reading, Writing

Answer = Literal["", "confirmed", "shortened", "refused"]
Receipt = Literal["", "taken", "open", "agreed", "disputed"]
ANSWERS = ("confirmed", "shortened", "refused")
RECEIPTS: tuple[Receipt, ...] = ("", "taken", "open", "agreed", "disputed")
MOST_WORDS = 500


def _read_receipt(document: JsonObject, name: str) -> Receipt:
    receipt = text(document, name, 20)
    if receipt not in RECEIPTS:
        raise Unreadable("receipt", "what the hub got is taken, open, agreed or disputed")
    return receipt


@dataclass(frozen=True, kw_only=True)
class AnswerLine:
    """What the supplier says of a line; what is DFC's is read and written by `OrderAnswer`."""

    item_iri: Annotated[str, Term("item", of="dfc"), "which line of the order is answered"]
    answer: Annotated[
        Answer,
        Term(of="dfc"),
        "`confirmed`, `shortened` or `refused`; `dfc-b:quantity` is the number of pieces that come",
    ]
    confirmed: int
    reason: Annotated[str, Term(of="dfc"), "for people"] = ""
    final_quantity: Annotated[
        Decimal | None,
        Term("weighed"),
        "all these pieces by the producer's scales, in the unit of the product's quantity",
    ] = None


@dataclass(frozen=True, kw_only=True)
class OrderAnswer:
    """What the producer says to a hub's order: lines confirmed, shortened or refused, and what was weighed."""

    iri: str
    rev: Annotated[int, "of the order that the producer saw"]
    answer: Annotated[
        int, Term("answerNumber"), "1 at first, one more with each answer; each has all lines that were answered so far"
    ]
    lines: tuple[AnswerLine, ...]
    receipt: Annotated[
        Receipt,
        Term(read=_read_receipt),
        "to what the hub got, in this `rev`: `taken` (it follows from the order, and counts), `open` (a person looks "
        "at it), `agreed` or `disputed`; missing where the hub has said nothing",
    ] = ""
    objection: Annotated[str, Meta(max_length=MOST_WORDS), "why it is disputed, for people"] = ""


def _write(body: OrderAnswer, writing: Writing) -> dict[str, object]:
    lines = [
        DfcLine(
            iri=f"{body.iri}/answers/{place}",
            order=body.iri,
            quantity=DfcQuantity(value=Decimal(line.confirmed)),
            answer=line.answer,
            reason=line.reason,
            extra={"own:item": ({"@id": line.item_iri},), **own_terms(line)},
        )
        for place, line in enumerate(body.lines, 1)
    ]
    return write_document([DfcOrder(iri=body.iri, extra=own_terms(body)), *lines])


def _read(document: JsonObject, reading: Reading) -> OrderAnswer:
    parsed = read_document(document)
    order = parsed.one(DfcOrder)
    lines = tuple(map(_line, parsed.all(DfcLine)))
    return OrderAnswer(iri=order.iri, lines=lines, **read_own(order, OrderAnswer))


def _line(line: DfcLine) -> AnswerLine:
    item = next((str(node["@id"]) for node in line.extra.get("own:item", ()) if "@id" in node), None)
    if item is None or line.quantity is None or line.answer not in ANSWERS or line.quantity.value < 0:
        raise Unreadable("line", f"{line.iri[:200]} needs an item, a quantity and an answer")
    return AnswerLine(
        item_iri=item,
        answer=cast(Answer, line.answer),
        confirmed=int(line.quantity.value),
        reason=line.reason[:500],
        **read_own(line, AnswerLine),
    )


ORDER_ANSWER = declared_codec(
    OrderAnswer,
    _write,
    _read,
    lane="order",
    foreign=True,
    members=meanings_of(OrderAnswer, AnswerLine, last=("receipt", "objection")),
)
