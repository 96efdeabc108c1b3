"""Writes an order for its sender: each line with the confirmed pieces beside the requested ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from commensal import Order, PricedLine, SaleSession, SuppliedProduct, Transaction, order_by_id, sale_by_id
from commensal.catalogs import products_of_items

from ..dfc.iris import line_iri, session_iri
from ..dfc.vocabulary import DfcLine, DfcOffer, DfcOrder, DfcPrice, DfcProduct, DfcQuantity, DfcSession, Thing
from .layouts import Layout
from .orders import PlatformLine, PlatformOrder
from .placing import ordered_pieces


def order_things(tx: Transaction, base: str, layout: Layout, placed: PlatformOrder) -> Iterator[Thing]:
    """The order with its sale, its lines, their offers and products: everything that it names, and nothing else.

    Offers and products have the IRIs that the sender used. A line's quantity is what will be delivered; `wanted`,
    `answer` ("confirmed", "shortened", "refused") and `reason` are terms of our own, since DFC has none for them. The
    buyer and the seller are left out: both know who they are.
    """
    order = order_by_id(tx, placed.order_id, enterprise_id=placed.enterprise_id)
    session = session_thing(base, sale_by_id(tx, order.session_id).session)
    iri = layout.order(placed.id)
    yield DfcOrder(
        iri=iri,
        number=str(order.number),
        date=order.placed_at,
        session=session.iri,
        state=current_state(placed, order),
        payment_state=order.payment_state,
        fulfilment_state=order.fulfilment_state,
    )
    yield session
    pieces = ordered_pieces(order) if order.state != "Cancelled" else {}
    priced_lines = _lines_by_item(order)
    for line in placed.lines:
        yield _line(base, iri, line, pieces.get(line.item_id, 0), priced_lines.get(line.item_id, ()), order)
    products = products_of_items(tx, placed.enterprise_id, [line.item_id for line in placed.lines if line.item_id])
    yield from _offers(layout, placed.lines, products)


def current_state(placed: PlatformOrder, order: Order) -> str:
    """The state: the shop's if it cancelled or completed the order, else the one that the sender set last."""
    if placed.is_empty:
        return placed.state
    return order.state if order.state in ("Cancelled", "Complete") else placed.state


def session_thing(base: str, session: SaleSession) -> DfcSession:
    return DfcSession(
        iri=session_iri(base, session.id), name=session.name, opens_at=session.opens_at, closes_at=session.closes_at
    )


def _offers(
    layout: Layout, lines: Sequence[PlatformLine], products: Mapping[str, SuppliedProduct]
) -> Iterator[DfcOffer | DfcProduct]:
    """The offer of each line and the product in it, each IRI once."""
    written: set[str] = set()
    for line in lines:
        product = products.get(line.item_id)
        product_iri = line.product_iri or (layout.product(product.id) if product else "")
        if line.offer_iri not in written:
            written.add(line.offer_iri)
            yield DfcOffer(iri=line.offer_iri, item=product_iri or None)
        if not product_iri or product_iri in written:
            continue
        written.add(product_iri)
        if product is None:
            yield DfcProduct(iri=product_iri)
        else:
            size = DfcQuantity(value=product.quantity, unit=product.unit)
            yield DfcProduct(iri=product_iri, name=product.name, quantity=size)


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
