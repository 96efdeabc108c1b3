"""Lines of orders over HTTP: each at its own address, and all of an order as a list.

GET shows what comes, PUT and PATCH set another quantity, DELETE takes a line off, POST adds lines. Each amends the
whole order as a PUT of the order does, with the same rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from starlette.responses import Response
from starlette.routing import BaseRoute

from commensal import Conflict, NotFound, Transaction
from commensal.orders import locked_order
from commensal.pages import Visit

from ..dfc.iris import line_iri
from ..dfc.vocabulary import DfcLine, DfcOffer, DfcProduct, Thing
from .layouts import layout_of
from .order_document import order_things, pieces_of_line, read_lines
from .order_pages import amend_order, own_order
from .orders import (
    PlatformLine,
    PlatformOrder,
    RequestedLine,
    RequestedOrder,
    order_of_line,
    platform_order,
    requested_lines,
)
from .responses import base_of, dfc_page, dfc_response, read_body, read_sent
from .scopes import refuse_anonymous

_Lines = Sequence[RequestedLine]


def order_line_routes() -> Sequence[BaseRoute]:
    """Routes of lines. The list of an order's lines is below the order in all layouts; see `layouts`."""
    return [
        dfc_page("/api/dfc/order_lines/{line}", line, "GET", "PUT", "PATCH", "DELETE"),
        dfc_page("/api/dfc/orders/{order}/order_lines", lines, "GET", "POST"),
        dfc_page("/api/dfc/enterprises/{enterprise}/orders/{order}/order_lines", lines, "GET", "POST"),
        dfc_page("/api/dfc/Enterprises/{enterprise}/Orders/{order}/orderLines", lines, "GET", "POST"),
    ]


def lines(visit: Visit) -> Response:
    """The lines of an order with their offers and products. POST adds those of a document; what comes of them is in the
    answer."""
    with visit.read() as tx:
        refuse_anonymous(visit)
        is_reading = visit.request.method == "GET"
        placed = platform_order(tx, visit.path["order"])
        placed = own_order(visit, tx, placed, "ReadOrders" if is_reading else "WriteOrders")
    if not is_reading:
        sent = read_body(visit)
        placed = _amend(
            visit, placed, lambda tx, present: [*present, *read_lines(tx, base_of(visit), placed.enterprise_id, sent)]
        )
    with visit.read() as tx:
        things = _lines_of(visit, tx, placed)
        listed = [thing.iri for thing in things if isinstance(thing, DfcLine)]
        return dfc_response(visit, things, listed, 200 if is_reading else 201)


def line(visit: Visit) -> Response:
    line_id, method = visit.path["line"], visit.request.method
    with visit.read() as tx:
        refuse_anonymous(visit)
        placed = own_order(visit, tx, order_of_line(tx, line_id), "ReadOrders" if method == "GET" else "WriteOrders")
        if visit.path.get("order", placed.id) != placed.id:
            raise NotFound
        changed = next(entry for entry in placed.lines if entry.id == line_id)
    if method == "DELETE":
        _amend(visit, placed, lambda tx, present: [entry for entry in present if not _is_same(entry, changed)])
        return Response(status_code=204)
    if method != "GET":
        sent = read_sent(visit, line_iri(base_of(visit), line_id), "dfc-b:OrderLine")[0].one(DfcLine)

        def set_pieces(tx: Transaction, present: _Lines) -> _Lines:
            pieces = pieces_of_line(tx, placed.enterprise_id, sent, changed.item_id)
            return [replace(entry, pieces=pieces) if _is_same(entry, changed) else entry for entry in present]

        placed = _amend(visit, placed, set_pieces)
        if placed.is_empty:
            return Response(status_code=204)
    with visit.read() as tx:
        return dfc_response(visit, _lines_of(visit, tx, placed, only=line_id))


def _amend(visit: Visit, placed: PlatformOrder, change: Callable[[Transaction, _Lines], _Lines]) -> PlatformOrder:
    """Amends the order by a change of its lines as they are requested at present. Raises `Conflict`."""

    def request(tx: Transaction) -> RequestedOrder:
        locked_order(tx, platform_order(tx, placed.id).order_id, enterprise_id=placed.enterprise_id)
        present = platform_order(tx, placed.id)
        if present.state == "Cancelled":
            raise Conflict("cancelled", "This order was cancelled.")
        return RequestedOrder(
            iri="",
            state=present.state,
            session_id="",
            closes_at=None,
            ordered_by=present.ordered_by,
            name="",
            email="",
            phone="",
            lines=_joined(change(tx, requested_lines(present))),
        )

    return amend_order(visit, placed, request)


def _joined(lines: _Lines) -> tuple[RequestedLine, ...]:
    """Lines of the same item become one."""
    joined: dict[str, RequestedLine] = {}
    for entry in lines:
        key = entry.item_id or entry.offer_iri
        earlier = joined[key].pieces if key in joined else 0
        joined[key] = replace(joined.get(key, entry), pieces=earlier + entry.pieces)
    return tuple(joined.values())


def _is_same(requested: RequestedLine, changed: PlatformLine) -> bool:
    return (requested.item_id, requested.offer_iri) == (changed.item_id, changed.offer_iri)


def _lines_of(visit: Visit, tx: Transaction, placed: PlatformOrder, *, only: str = "") -> list[Thing]:
    """The lines with their offers and products; `only` is the id of a single one."""
    base = base_of(visit)
    things = list(order_things(tx, base, layout_of(visit, placed.enterprise_id), placed))
    iri = line_iri(base, only) if only else ""
    lines = [thing for thing in things if isinstance(thing, DfcLine) and iri in ("", thing.iri)]
    offers = [
        thing for thing in things if isinstance(thing, DfcOffer) and thing.iri in {entry.offer for entry in lines}
    ]
    products = [
        thing for thing in things if isinstance(thing, DfcProduct) and thing.iri in {offer.item for offer in offers}
    ]
    return [*lines, *offers, *products]
