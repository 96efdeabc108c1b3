"""OrderUpdate: a hub's order to a producer as it is now: a DFC order with its lines, Held until its sale has closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from ..dfc.vocabulary import DfcLine, DfcOffer, DfcOrder, DfcPrice, DfcQuantity, DfcSession
from ..signing import JsonObject, Unreadable
from .documents import read_document, write_document
from .members import Term, declared_codec, meanings_of, own_terms, read_own
from .types import Reading, Writing

STATES = ("Held", "Complete", "Cancelled")


@dataclass(frozen=True, kw_only=True)
class UpdateLine:
    """What the buyer says of a line. Prices are checked against what the supplier offered in revision `rev`."""

    item_iri: str
    offer_iri: str
    price: int
    quantity: int
    rev: Annotated[int, Term()]
    name: Annotated[str, "of the line: what customers read"]
    ordered_amount: Annotated[
        int | None,
        Term("ordered"),
        "of the line: what all its pieces cost, in minor units, where customers have ordered them at several prices "
        "that the supplier has offered since `rev`; missing: all at the line's price",
    ] = None
    received: Annotated[int | None, "of the line: pieces that the hub got"] = None
    received_quantity: Annotated[
        Decimal | None,
        Term("weighed"),
        "of the line: all these pieces by the hub's scales, in the unit of the product's quantity; missing where they "
        "were not weighed",
    ] = None
    received_amount: Annotated[
        int | None,
        Term("amount"),
        "of the line: what the hub owes for them, in minor units, with or without VAT as the prices are",
    ] = None


@dataclass(frozen=True, kw_only=True)
class OrderUpdate:
    """A hub's order to a producer as it is now: a DFC order with its lines, Held until its sale has closed.

    The names of customers themselves stand in no message.
    """

    iri: str
    buyer: str
    supplier: str
    session_iri: str
    session_name: str
    closes_at: datetime | None
    state: str
    lines: tuple[UpdateLine, ...]
    rev: Annotated[int, "of the order: 1 at first, one more with each update. Of a line: the revision of its item"]
    currency: Annotated[str, "by ISO 4217; the grant's"]
    names: Annotated[
        int, "the `rev` in which the list of names changed last, see README.md; missing where there is none"
    ] = 0
    begins_at: Annotated[
        datetime | None, Term("distribution", of="session"), "of the sale: when the goods are handed out"
    ] = None
    owed: Annotated[
        int | None,
        "what the hub owes for all that it got, in minor units with VAT, once that is another sum than that of the "
        "order, or something was weighed; with it each line says `received` and `amount`",
    ] = None


def _write(body: OrderUpdate, writing: Writing) -> dict[str, object]:
    order = DfcOrder(
        iri=body.iri,
        session=body.session_iri,
        ordered_by=body.buyer,
        sold_by=body.supplier,
        state=body.state,
        extra=own_terms(body),
    )
    session = DfcSession(
        iri=body.session_iri, name=body.session_name, closes_at=body.closes_at, extra=own_terms(body, "session")
    )
    lines = [
        DfcLine(
            iri=f"{body.iri}/lines/{place}",
            order=body.iri,
            offer=line.offer_iri,
            quantity=DfcQuantity(value=Decimal(line.quantity)),
            price=DfcPrice(amount=line.price, currency=body.currency),
            extra=own_terms(line),
        )
        for place, line in enumerate(body.lines, 1)
    ]
    offers = [DfcOffer(iri=line.offer_iri, item=line.item_iri) for line in body.lines]
    return write_document([order, session, *lines, *offers])


def _read(document: JsonObject, reading: Reading) -> OrderUpdate:
    parsed = read_document(document)
    order, session = parsed.one(DfcOrder), parsed.one(DfcSession)
    offers = {offer.iri: offer for offer in parsed.all(DfcOffer)}
    if order.state not in STATES or order.ordered_by is None or order.sold_by is None:
        raise Unreadable("order", "an order says who orders of whom, and whether it is Held, Complete or Cancelled")
    lines = tuple(_line(line, offers) for line in parsed.all(DfcLine))
    if len({line.item_iri for line in lines}) < len(lines):
        raise Unreadable("line", "an item stands in one line of an order, and in no other")
    return OrderUpdate(
        iri=order.iri,
        buyer=order.ordered_by,
        supplier=order.sold_by,
        session_iri=session.iri,
        session_name=session.name,
        closes_at=session.closes_at,
        state=order.state,
        lines=lines,
        **read_own(order, OrderUpdate),
        **read_own(session, OrderUpdate, "session"),
    )


def _line(line: DfcLine, offers: Mapping[str, DfcOffer]) -> UpdateLine:
    offer = offers.get(line.offer or "")
    if offer is None or offer.item is None or line.quantity is None or line.price is None:
        raise Unreadable("line", f"{line.iri[:200]} needs an offer of an item, a quantity and a price")
    if line.quantity.value != int(line.quantity.value):
        raise Unreadable("quantity", f"{line.iri[:200]} orders parts of a piece")
    return UpdateLine(
        item_iri=offer.item,
        offer_iri=offer.iri,
        price=line.price.amount,
        quantity=int(line.quantity.value),
        **read_own(line, UpdateLine),
    )


ORDER_UPDATE = declared_codec(
    OrderUpdate,
    _write,
    _read,
    lane="order",
    scope="order.place",
    members=meanings_of(OrderUpdate, UpdateLine, last=("owed", "received", "weighed", "amount")),
)
