"""Writes an order as its sender reads it: what comes of every line stands in it, beside what was wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from commensal import Order, PricedLine

from ..dfc.iris import enterprise_iri, item_iri, line_iri, order_iri, session_iri
from ..dfc.vocabulary import DfcLine, DfcOffer, DfcOrder, DfcPrice, DfcQuantity, Thing
from .taking import pieces_of
from .values import PlatformLine, PlatformOrder


def order_things(base: str, said: PlatformOrder, order: Order) -> Iterator[Thing]:
    """The order, its lines, and the offers that they concern, as their sender named them.

    A line's quantity is what comes; `wanted`, `answer` ("confirmed", "shortened", "refused") and `reason` are terms of
    our own, since DFC has none for them.
    """
    here = order_iri(base, said.id)
    yield DfcOrder(
        iri=here,
        number=str(order.number),
        date=order.placed_at,
        session=session_iri(base, order.session_id),
        ordered_by=said.ordered_by or None,
        sold_by=enterprise_iri(base, said.enterprise_id),
        state=state_of(said, order),
        payment_state=order.payment_state,
        fulfilment_state=order.fulfilment_state,
    )
    coming = pieces_of(order) if order.state != "Cancelled" else {}
    priced = _lines_by_item(order)
    offers: set[str] = set()
    for line in said.lines:
        yield _line(base, here, line, coming.get(line.item_id, 0), priced.get(line.item_id, ()), order)
        if line.offer_iri not in offers and line.item_id:
            offers.add(line.offer_iri)
            yield DfcOffer(iri=line.offer_iri, item=item_iri(base, line.item_id))


def state_of(said: PlatformOrder, order: Order) -> str:
    """Of the two words for it, the later one: the sender's, or that of the shop, which may cancel and complete too."""
    return order.state if order.state in ("Cancelled", "Complete") else said.state


def _lines_by_item(order: Order) -> dict[str, list[PricedLine]]:
    """What was ordered of each item; there are two lines where more was ordered after its price had changed."""
    lines: dict[str, list[PricedLine]] = {}
    for line in order.lines:
        lines.setdefault(line.item_id, []).append(line)
    return lines


def _line(base: str, here: str, said: PlatformLine, coming: int, priced: Sequence[PricedLine], order: Order) -> DfcLine:
    """Without a price where pieces of the item were ordered at different ones: DFC has one for a line."""
    answer = "confirmed" if coming >= said.wanted else "shortened" if coming else "refused"
    prices = {(line.price, line.vat_rate) for line in priced}
    price = None
    if len(prices) == 1:
        ((amount, rate),) = prices
        price = DfcPrice(amount=amount, currency=order.currency, vat_rate=rate)
    return DfcLine(
        iri=line_iri(base, said.id),
        order=here,
        offer=said.offer_iri,
        quantity=DfcQuantity(value=Decimal(coming)),
        wanted=DfcQuantity(value=Decimal(said.wanted)),
        price=price,
        answer=answer,
        reason=said.reason,
    )
