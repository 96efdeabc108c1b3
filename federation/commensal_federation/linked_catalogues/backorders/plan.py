"""Sums up what customers of a sale have ordered of linked goods: one order for the sale at each link."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from commensal import SaleSession, Transaction, insert_rows, sale_by_id
from commensal.parts.distribution import ordered_of
from commensal.products import products_by_id

from ..links import linked_by_product
from ..tables import federation_linked_producer
from ..values import LinkedProduct
from .due import enqueue_due
from .questions import backorders_of_session, locked_between
from .tables import federation_backorder, federation_backorder_line
from .values import Backorder, BackorderLine, State

# Writes an order at a linked platform: its row and its lines.


def open_backorder(tx: Transaction, **values: Any) -> Backorder:
    """Inserts an order without lines and returns it; nothing of it was sent yet."""
    times = dict.fromkeys(("due_at", "claimed_until", "failing_since", "parked_at", "answered_at"))
    nothing = {"iri": "", "url": "", "key": "", "said_state": "", "posting": False, "failures": 0, "error": ""}
    row = {"id": tx.new_id(), **values, **nothing, **times, "before": [], "created_at": tx.now, "changed_at": tx.now}
    tx.execute(insert(federation_backorder), row)
    return Backorder(**{**row, "before": ()}, lines=())


def update_backorder(
    tx: Transaction, backorder: Backorder, lines: Sequence[BackorderLine] | None = None, **values: object
) -> None:
    """Writes these columns of the order, and replaces its lines unless `lines` is None."""
    change = update(federation_backorder).where(federation_backorder.c.id == backorder.id)
    tx.execute(change.values(**values, changed_at=tx.now))
    if lines is None or tuple(lines) == backorder.lines:
        return
    tx.execute(delete(federation_backorder_line).where(federation_backorder_line.c.backorder_id == backorder.id))
    insert_rows(tx, federation_backorder_line, [_row(backorder.id, line) for line in lines])


def _row(backorder_id: str, line: BackorderLine) -> dict[str, object]:
    values = asdict(line)
    per_case = values.pop("per_case")
    return {"backorder_id": backorder_id, **values, "per_case": per_case.numerator, "cases_of": per_case.denominator}


AFTER_CLOSE = timedelta(minutes=1)  # includes orders of the last moment, as Open Food Network does
_producer = federation_linked_producer.c
_PRODUCERS = select(_producer.producer_id).where(_producer.enterprise_id == bindparam("hub"))
Pieces = Mapping[str, int]  # pieces by product, a copy here


def plan_session(tx: Transaction, session_id: str) -> None:
    """Updates the sale's order at each link; jobs send them after the commit."""
    sale = sale_by_id(tx, session_id)
    existing = backorders_of_session(tx, session_id)
    pieces = _pieces_by_link(tx, sale.shop.id, session_id, existing)
    for link_id in sorted({*pieces, *(order.link_id for order in existing)}):
        _update_plan(tx, sale.session, sale.shop.currency, link_id, pieces.get(link_id, {}))
    enqueue_due(tx, session_id=session_id)


def state_of(session: SaleSession) -> State:
    """Returns the state of a hub's orders for its sale."""
    return "Cancelled" if session.cancelled_at else "Complete" if session.completed_at else "Held"


def _pieces_by_link(
    tx: Transaction, hub_id: str, session_id: str, existing: Collection[Backorder]
) -> dict[str, dict[str, int]]:
    """Returns pieces by link and product. A product of two links is ordered through the link of the first order."""
    producers = [row["producer_id"] for row in tx.all(_PRODUCERS, {"hub": hub_id})]
    if not producers:
        return {}
    ordered = {line.product_id: line.quantity for line in ordered_of(tx, session_id, producers)}
    chosen = {line.product_id: order.link_id for order in existing for line in order.lines}
    linked = linked_by_product(tx, sorted(ordered.keys() - chosen.keys()))
    pieces_by_link: dict[str, dict[str, int]] = defaultdict(dict)
    for product_id, pieces in ordered.items():
        if product_id in linked:
            chosen[product_id] = linked[product_id].link_id
        if product_id in chosen:
            pieces_by_link[chosen[product_id]][product_id] = pieces
    return pieces_by_link


def _update_plan(tx: Transaction, session: SaleSession, currency: str, link_id: str, pieces: Pieces) -> None:
    state = state_of(session)
    times = {"opens_at": session.opens_at, "closes_at": session.closes_at, "begins_at": session.begins_at}
    order = locked_between(tx, session.id, link_id)
    if order is None:
        if not pieces or state == "Cancelled":
            return
        order = open_backorder(
            tx,
            enterprise_id=session.enterprise_id,
            link_id=link_id,
            session_id=session.id,
            state=state,
            session_name=session.name,
            currency=currency,
            **times,
        )
    if order.said_state == "Cancelled" and order.parked_at is None and pieces and state != "Cancelled":
        order = reopen(tx, order)
    had_changes = order.has_unsent_changes
    lines = _lines(tx, order, pieces)
    updated = replace(order, lines=lines, state=state)
    values: dict[str, object] = {"state": state, "session_name": session.name, **times}
    if (
        updated.has_unsent_changes
        and (not had_changes or order.due_at is None or state != order.state)
        and not order.failures
    ):
        values["due_at"] = session.completed_at + AFTER_CLOSE if session.completed_at else tx.now
    update_backorder(tx, order, lines, **values)


def reopen(tx: Transaction, order: Backorder) -> Backorder:
    """Returns the order as if nothing had been sent: the platform's cancelled order stays so, and a new one follows."""
    lines = tuple(
        replace(line, said=None, answer="", confirmed=None, reason="", told_price=None, line_iri="")
        for line in order.lines
    )
    update_backorder(tx, order, lines, iri="", key="", said_state="", posting=False, before=[], parked_at=None)
    return replace(order, lines=lines, iri="", key="", said_state="", posting=False, before=(), parked_at=None)


def _lines(tx: Transaction, order: Backorder, pieces: Pieces) -> tuple[BackorderLine, ...]:
    """Returns all lines. A line keeps its first offer; one that nobody orders any more stays, with 0 pieces."""
    known = {line.product_id for line in order.lines}
    new = sorted(pieces.keys() - known)
    linked, products = linked_by_product(tx, sorted({*known, *new})), products_by_id(tx, new)
    added = [_new_line(linked[id], products[id].name) for id in new]
    listed = order.lines if order.final else [_as_listed(line, linked.get(line.product_id)) for line in order.lines]
    lines = [replace(line, pieces=pieces.get(line.product_id, 0)) for line in (*listed, *added)]
    return tuple(sorted(lines, key=lambda line: line.product_iri))


def _as_listed(line: BackorderLine, product: LinkedProduct | None) -> BackorderLine:
    """The line with the pieces that a case holds as the platform lists it now: with fewer, more cases are needed."""
    if product is None or (product.iri, product.case_iri or product.iri) != (line.product_iri, line.ordered_iri):
        return line
    return replace(line, per_case=Fraction(product.case_pieces, product.case_of))


def _new_line(product: LinkedProduct, name: str) -> BackorderLine:
    in_cases = bool(product.case_iri)
    return BackorderLine(
        product_iri=product.iri,
        product_id=product.product_id,
        name=name,
        ordered_iri=product.case_iri or product.iri,
        offer_iri=product.case_offer_iri if in_cases else product.offer_iri,
        per_case=Fraction(product.case_pieces, product.case_of),
        price=product.case_price if in_cases else product.price,
        pieces=0,
        said=None,
        answer="",
        confirmed=None,
        reason="",
        told_price=None,
        line_iri="",
    )
