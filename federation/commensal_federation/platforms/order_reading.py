"""Reads an order from a DFC document, in the forms that platforms send.

An offer may be one of ours, or the platform's own offer of an item or product of ours, as in Open Food Network's
backorders. Likewise the sale may be ours or the platform's own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from commensal import Invalid, NotFound, Problem, Transaction
from commensal.catalogs import listings_of, products_of_items
from commensal.sale_sessions import items_of_offers, whose

from ..dfc.iris import ResourceKind, local_id
from ..dfc.literals import read_number, write_number
from ..dfc.offered_products import pieces_in
from ..dfc.read import DfcDocument
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
)
from .layouts import id_in_any_layout
from .orders import RequestedLine, RequestedOrder, State

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
