"""Orders as documents: read from a platform, and written for it with the confirmed pieces beside the requested."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from commensal import (
    Invalid,
    NotFound,
    Order,
    PricedLine,
    Problem,
    SaleSession,
    SuppliedProduct,
    Transaction,
    order_by_id,
    sale_by_id,
)
from commensal.catalogs import listings_of, products_of_items
from commensal.sale_sessions import items_of_offers, whose

from ..dfc.iris import ResourceKind, line_iri, local_id, session_iri
from ..dfc.literals import read_number, write_number
from ..dfc.offered_products import pieces_in
from ..dfc.read import DfcDocument
from ..dfc.vat import gross_price
from ..dfc.vocabulary import (
    DfcEnterprise,
    DfcLine,
    DfcOffer,
    DfcOrder,
    DfcPerson,
    DfcPhone,
    DfcProduct,
    DfcQuantity,
    DfcSession,
    Thing,
)
from .layouts import Layout, id_in_any_layout
from .orders import PlatformLine, PlatformOrder, RequestedLine, RequestedOrder, State
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
        price = gross_price(amount, order.currency, rate, has_vat=order.prices_include_vat)
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


# Reads an order from a DFC document, in the forms that platforms send.
#
# An offer may be one of ours, or the platform's own offer of an item or product of ours, as in Open Food Network's
# backorders. Likewise the sale may be ours or the platform's own.

ReferenceKind = Literal["offer", "item", "product"]
_STATES: dict[str, State] = {"Held": "Held", "Complete": "Complete", "Cancelled": "Cancelled"}
_REFERENCE_KINDS: dict[ResourceKind, ReferenceKind] = {
    "offers": "offer",
    "catalog_items": "item",
    "supplied_products": "product",
}
_MOST_PIECES = 10_000
_LONGEST = 500  # characters of a name
_MOST_PROBLEMS = 20  # in one refusal
_ABSOLUTE = re.compile(r"(https?|urn):", re.IGNORECASE)  # names one order; "#order" and "_:b0" name any
_PIECE = DfcQuantity(value=Decimal(1))


def read_order(tx: Transaction, base: str, enterprise_id: str, document: DfcDocument) -> RequestedOrder:
    """Reads an order to this enterprise. Raises `UnreadableDocument` unless it has exactly one order, and `Invalid`."""
    order = document.one(DfcOrder)
    state = _STATES.get(order.state or "Held")
    if state is None:
        text = "An order is Held, Complete or Cancelled; a draft stays where it is made."
        raise Invalid([Problem("state", text, "/dfc-b:hasOrderStatus")])
    lines = _lines_of(document, order)
    session = document.get(DfcSession, order.session)
    name, email, phone = _customer(document, order.ordered_by)
    return RequestedOrder(
        iri="" if order.iri.startswith(f"{base}/") or not _ABSOLUTE.match(order.iri) else order.iri[:_LONGEST],
        state=state,
        session_id=local_id(base, order.session or "", "sale_sessions") or "",
        closes_at=session.closes_at if session else None,
        ordered_by=(order.ordered_by or "")[:_LONGEST],
        name=name,
        email=email,
        phone=phone,
        lines=_requested_lines(tx, base, enterprise_id, document, lines),
    )


def enterprise_of_order(tx: Transaction, base: str, document: DfcDocument) -> str:
    """The id of the enterprise that an order addresses: by its sale, its seller, or the first offer that we know.

    Raises `NotFound`, `UnreadableDocument`.
    """
    order = document.one(DfcOrder)
    if session_id := local_id(base, order.session or "", "sale_sessions"):
        return whose(tx, "session", session_id)
    if seller := local_id(base, order.sold_by or "", "enterprises"):
        return seller
    for line in document.all(DfcLine):
        kind, id = _reference(base, document, line.offer)
        if kind is not None:
            return whose(tx, kind, id)
    raise NotFound("no_enterprise", "It is not clear whose goods this order wants.")


def read_lines(tx: Transaction, base: str, enterprise_id: str, document: DfcDocument) -> tuple[RequestedLine, ...]:
    """All lines of a document that need not have their order. Raises `Invalid`, also for a document without lines."""
    lines = document.all(DfcLine)
    if not lines:
        raise Invalid([Problem("no_line", "There is no OrderLine in this document.", "$")])
    return _requested_lines(tx, base, enterprise_id, document, lines)


def pieces_of_line(tx: Transaction, enterprise_id: str, line: DfcLine, item_id: str) -> int:
    """The pieces that a line requests of the item of ours, "" for an unknown one. Raises `Invalid`."""
    problems: list[Problem] = []
    product = products_of_items(tx, enterprise_id, [item_id]).get(item_id)
    size = DfcQuantity(value=product.quantity, unit=product.unit) if product else None
    pieces = _pieces(line, size, problems)
    if problems:
        raise Invalid(problems)
    return pieces


def _requested_items(
    tx: Transaction, base: str, enterprise_id: str, document: DfcDocument, lines: Sequence[DfcLine]
) -> list[str]:
    """The item of ours that each line refers to, "" if there is none."""
    references = [_reference(base, document, line.offer) for line in lines]
    items = items_of_offers(tx, [id for kind, id in references if kind == "offer"])
    listings = listings_of(tx, enterprise_id, [id for kind, id in references if kind == "product"])
    item_ids: list[str] = []
    for kind, reference_id in references:
        by_kind = {
            "item": reference_id,
            "offer": items.get(reference_id, ""),
            "product": next(iter(listings.get(reference_id, ())), ""),
        }
        item_ids.append(by_kind.get(kind or "", ""))
    return item_ids


def _lines_of(document: DfcDocument, order: DfcOrder) -> list[DfcLine]:
    """The lines of the order. Raises `Invalid` for one that the order names and the document does not have."""
    missing = [str(value.get("@id", value.get("@value", ""))) for value in order.extra.get("dfc-b:hasPart", ())]
    if missing:
        text = "The order names this line, but the document does not have it. Send the whole order."
        raise Invalid([Problem("missing_line", text, iri[:_LONGEST]) for iri in missing[:_MOST_PROBLEMS]])
    return [line for line in document.all(DfcLine) if line.order in (None, order.iri)]


def _requested_lines(
    tx: Transaction, base: str, enterprise_id: str, document: DfcDocument, lines: Sequence[DfcLine]
) -> tuple[RequestedLine, ...]:
    """The requested lines; lines of the same item become one. Raises `Invalid`."""
    if not lines:
        return ()
    problems: list[Problem] = []
    item_ids = _requested_items(tx, base, enterprise_id, document, lines)
    products = products_of_items(tx, enterprise_id, [item_id for item_id in item_ids if item_id])
    requested: dict[str, RequestedLine] = {}
    for line, item_id in zip(lines, item_ids, strict=True):
        offer_iri = (line.offer or line.iri)[:_LONGEST]
        product = products.get(item_id)
        size = DfcQuantity(value=product.quantity, unit=product.unit) if product else None
        pieces = _pieces(line, size, problems)
        key = item_id or offer_iri
        earlier_pieces = requested[key].pieces if key in requested else 0
        requested[key] = RequestedLine(
            item_id=item_id,
            offer_iri=offer_iri,
            pieces=earlier_pieces + pieces,
            product_iri=_product_iri(document, line)[:_LONGEST],
        )
    if problems:
        raise Invalid(problems)
    return tuple(requested.values())


def _reference(base: str, document: DfcDocument, iri: str | None) -> tuple[ReferenceKind | None, str]:
    """The thing of ours that a line refers to: its kind and its id; None and "" if there is none."""
    offer = document.get(DfcOffer, iri)
    for candidate in (iri or "", (offer.item if offer else None) or ""):
        for path, kind in _REFERENCE_KINDS.items():
            if id := id_in_any_layout(base, candidate, path):
                return kind, id
    return None, ""


def _product_iri(document: DfcDocument, line: DfcLine) -> str:
    """The IRI by which the sender names the product of a line; "" if it names an item, or none."""
    offer = document.get(DfcOffer, line.offer)
    return offer.item if offer and offer.item and document.get(DfcProduct, offer.item) else ""


def _pieces(line: DfcLine, size: DfcQuantity | None, problems: list[Problem]) -> int:
    """The pieces that a line requests. `size` is the content of a piece of the product; None for an unknown product."""
    pieces = pieces_in(line.quantity, size) if line.quantity else None
    problem = _quantity_problem(line, pieces, size)
    if problem or pieces is None:
        problems.append(problem or Problem("quantity", _NO_QUANTITY, line.iri[:_LONGEST]))
        return 0
    return int(pieces)


_NO_QUANTITY = "The line has no quantity that can be read."


def _quantity_problem(line: DfcLine, pieces: Fraction | None, size: DfcQuantity | None) -> Problem | None:
    where = line.iri[:_LONGEST]
    if line.quantity is None:
        return Problem("quantity", _NO_QUANTITY, where)
    values = {"quantity": _words(line.quantity), "size": _words(size or _PIECE), "most": _MOST_PIECES}
    if pieces is None:
        text = "{quantity} cannot be converted to pieces of {size}. Send a number of pieces."
        return Problem("unit", text, where, values)
    if pieces.denominator != 1:
        text = "{quantity} is not a whole number of pieces of {size}."
        return Problem("quantity", text, where, values)
    if not 0 <= pieces <= _MOST_PIECES:
        return Problem("quantity", "A quantity is a whole number of pieces, at most {most}.", where, values)
    for repeated in line.extra.get("dfc-b:quantity", ()):
        number = read_number(repeated.get("@value"))
        if number != pieces:
            text = "hasQuantity says {quantity}, and quantity says {other}. Send the same in both, or only one."
            return Problem("two_quantities", text, where, {**values, "other": str(repeated.get("@value"))[:40]})
    return None


def _words(quantity: DfcQuantity) -> str:
    return f"{write_number(quantity.value)} {quantity.unit[:60]}"


def _customer(document: DfcDocument, iri: str | None) -> tuple[str, str, str]:
    """Name, e-mail address and telephone of the customer, "" for what the document lacks."""
    customer = document.get(DfcPerson, iri) or document.get(DfcEnterprise, iri)
    if customer is None:
        return "", "", ""
    phones = [phone.number for phone in document.all(DfcPhone) if phone.iri in customer.phones]
    name = (
        customer.name
        if isinstance(customer, DfcEnterprise)
        else f"{customer.first_name} {customer.family_name}".strip()
    )
    return name, customer.email, phones[0] if phones else ""
