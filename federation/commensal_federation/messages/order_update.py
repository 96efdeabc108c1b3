"""OrderUpdate: a hub's order to a producer as it is now: a DFC order with its lines, Held until its sale has closed."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from ..dfc.vocabulary import DfcLine, DfcOffer, DfcOrder, DfcPrice, DfcQuantity, DfcSession
from ..signing import JsonObject, Unreadable
from ..signing.profile import write_moment
from .bodies.orders import OrderUpdate, UpdateLine
from .documents import read_document, write_document
from .lots import amount, as_text
from .reading import own_moment_or_none, own_number, own_number_or_none, own_text, own_text_or_none
from .types import MessageType, Reading, Writing

STATES = ("Held", "Complete", "Cancelled")


def write(body: OrderUpdate, writing: Writing) -> dict[str, object]:
    order = DfcOrder(
        iri=body.iri,
        session=body.session_iri,
        ordered_by=body.buyer,
        sold_by=body.supplier,
        state=body.state,
        extra={
            "own:rev": ({"@value": str(body.rev)},),
            "own:currency": ({"@value": body.currency},),
            **({"own:names": ({"@value": str(body.names)},)} if body.names else {}),
            **({} if body.owed is None else {"own:owed": ({"@value": str(body.owed)},)}),
        },
    )
    session = DfcSession(
        iri=body.session_iri,
        name=body.session_name,
        closes_at=body.closes_at,
        extra={} if body.begins_at is None else {"own:distribution": ({"@value": write_moment(body.begins_at)},)},
    )
    lines = [
        DfcLine(
            iri=f"{body.iri}/lines/{place}",
            order=body.iri,
            offer=line.offer_iri,
            quantity=DfcQuantity(value=Decimal(line.quantity)),
            price=DfcPrice(amount=line.price, currency=body.currency),
            extra={"own:rev": ({"@value": str(line.rev)},), "own:name": ({"@value": line.name},), **_sums(line)},
        )
        for place, line in enumerate(body.lines, 1)
    ]
    offers = [DfcOffer(iri=line.offer_iri, item=line.item_iri) for line in body.lines]
    return write_document([order, session, *lines, *offers])


def _sums(line: UpdateLine) -> dict[str, tuple[object, ...]]:
    weight = None if line.received_quantity is None else as_text(line.received_quantity)
    parts = {
        "own:ordered": line.ordered_amount,
        "own:received": line.received,
        "own:weighed": weight,
        "own:amount": line.received_amount,
    }
    return {name: ({"@value": str(value)},) for name, value in parts.items() if value is not None}


def read(document: JsonObject, reading: Reading) -> OrderUpdate:
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
        begins_at=own_moment_or_none(session, "own:distribution"),
        currency=own_text(order, "own:currency"),
        state=order.state,
        rev=own_number(order, "own:rev"),
        lines=lines,
        names=own_number(order, "own:names") if order.extra.get("own:names") else 0,
        owed=own_number_or_none(order, "own:owed"),
    )


def _line(line: DfcLine, offers: Mapping[str, DfcOffer]) -> UpdateLine:
    offer = offers.get(line.offer or "")
    if offer is None or offer.item is None or line.quantity is None or line.price is None:
        raise Unreadable("line", f"{line.iri[:200]} needs an offer of an item, a quantity and a price")
    if line.quantity.value != int(line.quantity.value):
        raise Unreadable("quantity", f"{line.iri[:200]} orders parts of a piece")
    weighed = own_text_or_none(line, "own:weighed", 40)
    return UpdateLine(
        item_iri=offer.item,
        offer_iri=offer.iri,
        rev=own_number(line, "own:rev"),
        name=own_text(line, "own:name"),
        price=line.price.amount,
        quantity=int(line.quantity.value),
        received=own_number_or_none(line, "own:received"),
        received_quantity=None if weighed is None else amount({"weighed": weighed}, "weighed"),
        received_amount=own_number_or_none(line, "own:amount"),
        ordered_amount=own_number_or_none(line, "own:ordered"),
    )


ORDER_UPDATE = MessageType(
    name="OrderUpdate",
    lane="order",
    scope="order.place",
    body=OrderUpdate,
    write=write,
    read=read,
    members={
        "rev": "of the order: 1 at first, one more with each update. Of a line: the revision of its item",
        "currency": "by ISO 4217; the grant's",
        "names": "the `rev` in which the list of names changed last, see README.md; missing where there is none",
        "distribution": "of the sale: when the goods are handed out",
        "name": "of the line: what customers read",
        "ordered": "of the line: what all its pieces cost, in minor units, where customers have ordered them at "
        "several prices that the supplier has offered since `rev`; missing: all at the line's price",
        "owed": "what the hub owes for all that it got, in minor units with VAT, once that is another sum than that of "
        "the order, or something was weighed; with it each line says `received` and `amount`",
        "received": "of the line: pieces that the hub got",
        "weighed": "of the line: all these pieces by the hub's scales, in the unit of the product's quantity; missing "
        "where they were not weighed",
        "amount": "of the line: what the hub owes for them, in minor units, with or without VAT as the prices are",
    },
)
