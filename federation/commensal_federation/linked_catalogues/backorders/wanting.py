"""What customers of a sale have ordered of linked goods is summed up: one order for the sale at each platform."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

from sqlalchemy import bindparam, select

from commensal import SaleSession, Transaction, ordered_of, products_by_id, sale_by_id

from ..links import linked_by_product
from ..tables import federation_linked_producer
from ..values import LinkedProduct
from .due import tell_due
from .questions import backorders_of_session, locked_between
from .values import Backorder, BackorderLine, State
from .write import keep_backorder, open_backorder

AFTER_CLOSE = timedelta(minutes=1)  # so that who ordered at the last moment is in it, as Open Food Network has it
_producer = federation_linked_producer.c
_PRODUCERS = select(_producer.producer_id).where(_producer.enterprise_id == bindparam("hub"))
Wanted = Mapping[str, int]  # pieces by product, a copy here


def plan_session(tx: Transaction, session_id: str) -> None:
    """Notes what has to be ordered now at each platform. It is told after the commit, and by nobody who waits."""
    sale = sale_by_id(tx, session_id)
    there = backorders_of_session(tx, session_id)
    wanted = _wanted(tx, sale.shop.id, session_id, there)
    for link_id in sorted({*wanted, *(one.link_id for one in there)}):
        _plan(tx, sale.session, sale.shop.currency, link_id, wanted.get(link_id, {}))
    tell_due(tx, session_id=session_id)


def state_of(session: SaleSession) -> State:
    """Of what a hub orders for its sale."""
    return "Cancelled" if session.cancelled_at else "Complete" if session.completed_at else "Held"


def _wanted(tx: Transaction, hub_id: str, session_id: str, there: Collection[Backorder]) -> dict[str, dict[str, int]]:
    """Pieces by link and product. What two links of a hub bring is ordered by the one that it was ordered by before."""
    producers = [row["producer_id"] for row in tx.all(_PRODUCERS, {"hub": hub_id})]
    if not producers:
        return {}
    ordered = {one.product_id: one.quantity for one in ordered_of(tx, session_id, producers)}
    chosen = {line.product_id: one.link_id for one in there for line in one.lines}
    linked = linked_by_product(tx, sorted(ordered.keys() - chosen.keys()))
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for product_id, pieces in ordered.items():
        if product_id in linked:
            chosen[product_id] = linked[product_id].link_id
        if product_id in chosen:
            found[chosen[product_id]][product_id] = pieces
    return found


def _plan(tx: Transaction, session: SaleSession, currency: str, link_id: str, wanted: Wanted) -> None:
    state = state_of(session)
    times = {"opens_at": session.opens_at, "closes_at": session.closes_at, "begins_at": session.begins_at}
    order = locked_between(tx, session.id, link_id)
    if order is None:
        if not wanted or state == "Cancelled":
            return
        order = open_backorder(
            tx, enterprise_id=session.enterprise_id, link_id=link_id, session_id=session.id, state=state,
            session_name=session.name, currency=currency, **times,
        )  # fmt: skip
    if order.said_state == "Cancelled" and order.parked_at is None and wanted and state != "Cancelled":
        order = reopened(tx, order)
    before = order.unsaid
    lines = _lines(tx, order, wanted)
    after = replace(order, lines=lines, state=state)
    values: dict[str, object] = {"state": state, "session_name": session.name, **times}
    if after.unsaid and (not before or order.due_at is None or state != order.state) and not order.failures:
        values["due_at"] = session.completed_at + AFTER_CLOSE if session.completed_at else tx.now
    keep_backorder(tx, order, lines, **values)


def reopened(tx: Transaction, order: Backorder) -> Backorder:
    """As if nothing had been told: what was cancelled at the platform stays so, and a new order follows it."""
    lines = tuple(
        replace(line, said=None, answer="", confirmed=None, reason="", told_price=None, line_iri="")
        for line in order.lines
    )
    keep_backorder(tx, order, lines, iri="", key="", said_state="", posting=False, before=[], parked_at=None)
    return replace(order, lines=lines, iri="", key="", said_state="", posting=False, before=(), parked_at=None)


def _lines(tx: Transaction, order: Backorder, wanted: Wanted) -> tuple[BackorderLine, ...]:
    """A line keeps how it was first ordered; one that nobody wants any more stays, with nothing."""
    new = sorted(wanted.keys() - {line.product_id for line in order.lines})
    linked, products = linked_by_product(tx, new), products_by_id(tx, new)
    made = [_new_line(linked[id], products[id].name) for id in new]
    lines = [replace(line, pieces=wanted.get(line.product_id, 0)) for line in (*order.lines, *made)]
    return tuple(sorted(lines, key=lambda line: line.product_iri))


def _new_line(there: LinkedProduct, name: str) -> BackorderLine:
    in_cases = bool(there.case_iri)
    return BackorderLine(
        product_iri=there.iri, product_id=there.product_id, name=name, ordered_iri=there.case_iri or there.iri,
        offer_iri=there.case_offer_iri if in_cases else there.offer_iri,
        per_case=Fraction(there.case_pieces, there.case_of),
        price=there.case_price if in_cases else there.price, pieces=0, said=None, answer="", confirmed=None, reason="",
        told_price=None, line_iri="",
    )  # fmt: skip
