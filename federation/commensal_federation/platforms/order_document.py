"""Writes an order for its sender: each line with the confirmed pieces beside the requested ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from commensal import Order, PricedLine

from ..dfc.iris import enterprise_iri, item_iri, line_iri, order_iri, session_iri
from ..dfc.vocabulary import DfcLine, DfcOffer, DfcOrder, DfcPrice, DfcQuantity, Thing
from .placing import ordered_pieces
from .values import PlatformLine, PlatformOrder


def order_things(base: str, placed: PlatformOrder, order: Order) -> Iterator[Thing]:
    """The order, its lines and their offers, under the IRIs that the sender used.

    A line's quantity is what will be delivered; `wanted`, `answer` ("confirmed", "shortened", "refused") and `reason`
    are terms of our own, since DFC has none for them.
    """
    iri = order_iri(base, placed.id)
    yield DfcOrder(
        iri=iri,
        number=str(order.number),
        date=order.placed_at,
        session=session_iri(base, order.session_id),
        ordered_by=placed.ordered_by or None,
        sold_by=enterprise_iri(base, placed.enterprise_id),
        state=current_state(placed, order),
        payment_state=order.payment_state,
        fulfilment_state=order.fulfilment_state,
    )
    pieces = ordered_pieces(order) if order.state != "Cancelled" else {}
    priced_lines = _lines_by_item(order)
    offers: set[str] = set()
    for line in placed.lines:
        yield _line(base, iri, line, pieces.get(line.item_id, 0), priced_lines.get(line.item_id, ()), order)
        if line.offer_iri not in offers and line.item_id:
            offers.add(line.offer_iri)
            yield DfcOffer(iri=line.offer_iri, item=item_iri(base, line.item_id))


def current_state(placed: PlatformOrder, order: Order) -> str:
    """The state: the shop's if it cancelled or completed the order, else the one that the sender set last."""
    return order.state if order.state in ("Cancelled", "Complete") else placed.state


def _lines_by_item(order: Order) -> dict[str, list[PricedLine]]:
    """Order lines by item; an item has two lines if more was ordered after its price had changed."""
    lines: dict[str, list[PricedLine]] = {}
    for line in order.lines:
        lines.setdefault(line.item_id, []).append(line)
    return lines


def _line(
    base: str, order_iri: str, requested: PlatformLine, pieces: int, priced_lines: Sequence[PricedLine], order: Order
) -> DfcLine:
    """A line; it has no price if its pieces were ordered at different prices, since a DFC line has only one."""
    answer = "confirmed" if pieces >= requested.wanted else "shortened" if pieces else "refused"
    prices = {(line.price, line.vat_rate) for line in priced_lines}
    price = None
    if len(prices) == 1:
        ((amount, rate),) = prices
        price = DfcPrice(amount=amount, currency=order.currency, vat_rate=rate)
    return DfcLine(
        iri=line_iri(base, requested.id),
        order=order_iri,
        offer=requested.offer_iri,
        quantity=DfcQuantity(value=Decimal(pieces)),
        wanted=DfcQuantity(value=Decimal(requested.wanted)),
        price=price,
        answer=answer,
        reason=requested.reason,
    )
