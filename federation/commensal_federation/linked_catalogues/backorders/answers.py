"""Stores the answers of platforms, and cuts customers' orders to what will be delivered, by the hub's policy."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import update

from commensal import Transaction, clock_in_doubt, enterprise_by_id, say, translate
from commensal.parts.copies import write_off
from commensal.products import products_by_id
from commensal.stock import lot_by_id

from ...delivery.outbox.breaker import GIVEN_UP, chance, delay
from ...orders.cutting import Shortfall, cut_orders, ordered_pieces
from ...runtime import Federation
from ..links import enqueue_refresh
from ..tables import federation_linked_product
from ..values import NotAnswered
from .cases import pieces_in
from .documents import PlatformAnswer
from .plan import update_backorder
from .questions import backorders_at, locked_backorder
from .sums import FAILED, mail_failure
from .values import Backorder, BackorderLine, State

LOOK_AGAIN = timedelta(hours=1)  # between two checks of an order, until the distribution
_SLOWER = 5  # doublings of the shortest delay, since the platform may still process the request
_LONGEST_ERROR = 500
_FOR_PEOPLE = (0, 300, 301, 302, 303, 307, 308, 400, 404, 405, 410, 413, 415, 422)  # no further attempt changes these


def store_answer(federation: Federation, tx: Transaction, id: str, answer: PlatformAnswer, state: State) -> None:
    """Stores that the platform has received `state`, and its answer; cuts customers' orders accordingly.

    Pieces that customers have ordered meanwhile are sent next.
    """
    backorder = locked_backorder(tx, id)
    if backorder is None:
        return
    withdrawn = answer.state == "Cancelled" and state != "Cancelled" and bool(answer.iri)
    lines = tuple(_with_answer(line, answer, withdrawn) for line in backorder.lines)
    sent_state = answer.state if answer.state in ("Cancelled", "Complete") else state
    after = replace(backorder, iri=answer.iri, lines=lines, said_state=sent_state, posting=False)
    note = _note(answer, state, withdrawn, _language(tx, backorder))
    update_backorder(
        tx,
        backorder,
        lines,
        iri=answer.iri,
        said_state=sent_state,
        posting=False,
        failures=0,
        failing_since=None,
        claimed_until=None,
        error=note,
        answered_at=tx.now,
        parked_at=tx.now if withdrawn else None,
        due_at=None if withdrawn else next_due(tx, after),
    )
    if withdrawn:
        mail_failure(tx, backorder, note, parked=True)
    update_taken(tx, backorder)
    short = [line for line in lines if line.confirmed is not None and line.confirmed < (line.said or 0)]
    if state == "Cancelled" or not short:
        return
    for line in short:
        _cut_customers(federation, tx, backorder, line)
    if any(line not in backorder.lines for line in short):
        enqueue_refresh(tx, backorder.link_id)  # its stock may have changed


def store_failure(tx: Transaction, id: str, error: NotAnswered, *, nothing_ordered: bool) -> None:
    """Stores the failure of a step. It is tried again with growing delays for a week.

    An order is parked at once if no further attempt can help, or a person has to look at it.
    """
    backorder = locked_backorder(tx, id)
    if backorder is None:
        return
    if backorder.final:  # a completed order needs no further answer
        update_backorder(tx, backorder, due_at=next_due(tx, backorder), claimed_until=None)
        return
    since = backorder.failing_since or tx.now
    permanent = not error.again and error.answered in _FOR_PEOPLE
    park = permanent or (tx.now - since > GIVEN_UP and not clock_in_doubt(tx))
    due = max(tx.now + delay(backorder.failures + _SLOWER, chance(tx)), error.earliest or tx.now)
    text = say(_language(tx, backorder), error)[:_LONGEST_ERROR]
    values: dict[str, object] = {
        "failures": backorder.failures + 1,
        "failing_since": since,
        "error": text,
        "parked_at": tx.now if park else None,
        "due_at": None if park else due,
        "claimed_until": None,
    }
    lines = backorder.lines
    if nothing_ordered and not backorder.iri:
        values["posting"] = False
        lines = tuple(replace(line, said=None) for line in lines)
    update_backorder(tx, backorder, lines, **values)
    if park or backorder.failures + 1 == FAILED:
        mail_failure(tx, backorder, text, parked=park)


def store_nothing_ordered(tx: Transaction, id: str) -> None:
    """Stores that no customer orders anything of the platform, and that it has no order of ours."""
    backorder = locked_backorder(tx, id)
    if backorder is not None:
        lines = tuple(replace(line, said=None) for line in backorder.lines)
        no_failure = {"failures": 0, "failing_since": None, "error": ""}
        update_backorder(tx, backorder, lines, posting=False, due_at=None, claimed_until=None, **no_failure)


def next_due(tx: Transaction, backorder: Backorder) -> datetime | None:
    """Returns when an order is due again (UTC): now if it has unsent changes; None after the distribution."""
    if backorder.has_unsent_changes:
        return tx.now
    is_distributed = tx.now >= backorder.begins_at and not clock_in_doubt(tx)
    return None if is_distributed or backorder.said_state == "Cancelled" else tx.now + LOOK_AGAIN


def update_taken(tx: Transaction, backorder: Backorder) -> None:
    """Stores how many pieces of each product are in our orders at the platform, which its stock excludes already."""
    iris = {line.product_iri: 0 for line in backorder.lines}
    for order in backorders_at(tx, backorder.link_id):
        if order.said_state == "Cancelled":
            continue
        for line in order.lines:
            if line.product_iri in iris and line.confirmed is not None:
                iris[line.product_iri] += pieces_in(line.confirmed, line.per_case)
    row = federation_linked_product.c
    for iri, pieces in sorted(iris.items()):
        matching = (row.link_id == backorder.link_id, row.iri == iri)
        tx.execute(update(federation_linked_product).where(*matching).values(taken=pieces))


def _with_answer(line: BackorderLine, answer: PlatformAnswer, withdrawn: bool) -> BackorderLine:
    if line.product_iri in answer.sent:
        line = line.with_sent_cases(answer.sent[line.product_iri])
    if withdrawn:
        return line.with_answer(0, line.reason, line.told_price, line.line_iri)
    answered_line = answer.lines.get(line.product_iri)
    if answered_line is None:
        return line
    return line.with_answer(
        answered_line.cases, answered_line.reason, answered_line.price, answered_line.iri or line.line_iri
    )


def _language(tx: Transaction, backorder: Backorder) -> str:
    """Returns the language of the hub's people, who read the errors."""
    return enterprise_by_id(tx, backorder.enterprise_id).language


def _note(answer: PlatformAnswer, state: State, withdrawn: bool, language: str) -> str:
    """Returns a note for the hub's people, though nothing has failed; empty without one."""
    if withdrawn:
        return translate(language, "The platform has cancelled the order. Retry to order again.")
    if state == "Cancelled" and answer.state == "Complete":
        return translate(language, "The platform has completed the order, and does not cancel it any more.")
    if answer.more and state != "Cancelled":
        text = translate(language, "The platform confirms more than was ordered of {products}.")
        return text.format(products=", ".join(answer.more))[:_LONGEST_ERROR]
    return ""


def _cut_customers(federation: Federation, tx: Transaction, backorder: Backorder, line: BackorderLine) -> None:
    """Cuts all pieces ordered beyond the delivered ones, later ones included: the platform has no more to deliver."""
    coming = pieces_in(line.confirmed or 0, line.per_case)
    missing = Shortfall(
        order_id=backorder.id,
        enterprise_id=backorder.enterprise_id,
        session_id=backorder.session_id,
        item_iri=line.product_iri,
        product_id=line.product_id,
        pieces=ordered_pieces(tx, backorder.session_id, line.product_id) - coming,
    )
    (product,) = products_by_id(tx, [line.product_id]).values()
    if lot_by_id(tx, product.enterprise_id, product.lot_id).unlimited:
        cut_orders(federation, tx, missing, lambda pieces: None)
        return
    grains = product.lot_quantity
    cut_orders(federation, tx, missing, lambda pieces: _write_off(tx, product.lot_id, pieces * grains, backorder.id))


def _write_off(tx: Transaction, lot_id: str, grains: int, note: str) -> None:
    """Writes off the stock that a cut has freed, since it will not be delivered."""
    if not write_off(tx, lot_id, grains, note=note):
        raise AssertionError(f"the lot {lot_id} has less free than was just given back")
