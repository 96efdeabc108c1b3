"""What a platform answers is kept, and customers get what will come, by the policy that the hub chose."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import update

from commensal import Transaction, enterprise_by_id, lot_by_id, products_by_id, say, translate, write_off

from ...delivery.outbox.backoff import GIVEN_UP, chance, delay
from ...orders.cutting import Shortfall, cut_orders, ordered_pieces
from ...runtime import Federation
from ..errors import NotAnswered
from ..links import promise_refresh
from ..tables import federation_linked_product
from .alarms import FAILED, mail_about
from .hearing import Heard
from .planning import pieces_in
from .questions import backorders_at, locked_backorder
from .values import Backorder, BackorderLine, State
from .write import keep_backorder

LOOK_AGAIN = timedelta(hours=1)  # at what the platform says, until the goods are distributed
_SLOWER = 5  # doublings of the shortest delay: what was sent may still be worked on over there
_LONGEST_ERROR = 500
_FOR_PEOPLE = (0, 300, 301, 302, 303, 307, 308, 400, 404, 405, 410, 413, 415, 422)  # no other try changes these


def keep_heard(federation: Federation, tx: Transaction, id: str, heard: Heard, state: State) -> None:
    """Notes that the platform was told `state`, and what it said; takes off customers' orders what will not come. What
    they have ordered meanwhile is told next."""
    backorder = locked_backorder(tx, id)
    if backorder is None:
        return
    withdrawn = heard.state == "Cancelled" and state != "Cancelled" and bool(heard.iri)
    lines = tuple(_answered(line, heard, withdrawn) for line in backorder.lines)
    said = heard.state if heard.state in ("Cancelled", "Complete") else state
    after = replace(backorder, iri=heard.iri, lines=lines, said_state=said, posting=False)
    note = _note(heard, state, withdrawn, _language(tx, backorder))
    keep_backorder(
        tx, backorder, lines, iri=heard.iri, said_state=said, posting=False, failures=0, failing_since=None,
        claimed_until=None, error=note, answered_at=tx.now,
        parked_at=tx.now if withdrawn else None, due_at=None if withdrawn else next_look(tx, after),
    )  # fmt: skip
    if withdrawn:
        mail_about(tx, backorder, note, parked=True)
    note_taken(tx, backorder)
    short = [line for line in lines if line.confirmed is not None and line.confirmed < (line.said or 0)]
    if state == "Cancelled" or not short:
        return
    for line in short:
        _cut_customers(federation, tx, backorder, line)
    if any(line not in backorder.lines for line in short):
        promise_refresh(tx, backorder.link_id)  # it may list other numbers by now


def keep_failure(tx: Transaction, id: str, error: NotAnswered, *, nothing_ordered: bool) -> None:
    """The step did not succeed. It is tried again, later each time, for a week; what no other try can change is parked
    at once, and so is what a person has to look at."""
    backorder = locked_backorder(tx, id)
    if backorder is None:
        return
    if backorder.final:  # what was completed needs no answer any more
        keep_backorder(tx, backorder, due_at=next_look(tx, backorder), claimed_until=None)
        return
    since = backorder.failing_since or tx.now
    hopeless = not error.again and error.answered in _FOR_PEOPLE
    park = hopeless or tx.now - since > GIVEN_UP
    due = max(tx.now + delay(backorder.failures + _SLOWER, chance(tx)), error.earliest or tx.now)
    said = say(_language(tx, backorder), error)[:_LONGEST_ERROR]
    values: dict[str, object] = {
        "failures": backorder.failures + 1, "failing_since": since, "error": said,
        "parked_at": tx.now if park else None, "due_at": None if park else due, "claimed_until": None,
    }  # fmt: skip
    lines = backorder.lines
    if nothing_ordered and not backorder.iri:
        values["posting"] = False
        lines = tuple(replace(line, said=None) for line in lines)
    keep_backorder(tx, backorder, lines, **values)
    if park or backorder.failures + 1 == FAILED:
        mail_about(tx, backorder, said, parked=park)


def nothing_to_tell(tx: Transaction, id: str) -> None:
    """Nobody wants anything of the platform (any more), and it has no order of ours."""
    backorder = locked_backorder(tx, id)
    if backorder is not None:
        lines = tuple(replace(line, said=None) for line in backorder.lines)
        calm = {"failures": 0, "failing_since": None, "error": ""}
        keep_backorder(tx, backorder, lines, posting=False, due_at=None, claimed_until=None, **calm)


def next_look(tx: Transaction, backorder: Backorder) -> datetime | None:
    """When something is to be done about it again: now, where something is still to be told."""
    if backorder.unsaid:
        return tx.now
    over = tx.now >= backorder.begins_at or backorder.said_state == "Cancelled"
    return None if over else tx.now + LOOK_AGAIN


def note_taken(tx: Transaction, backorder: Backorder) -> None:
    """Tells the copies of its products how much of what is reserved here the platform knows of: what it lists is
    without that."""
    iris = {line.product_iri: 0 for line in backorder.lines}
    for order in backorders_at(tx, backorder.link_id):
        if order.said_state == "Cancelled":
            continue
        for line in order.lines:
            if line.product_iri in iris and line.confirmed is not None:
                iris[line.product_iri] += pieces_in(line.confirmed, line.per_case)
    row = federation_linked_product.c
    for iri, pieces in sorted(iris.items()):
        mine = (row.link_id == backorder.link_id, row.iri == iri)
        tx.execute(update(federation_linked_product).where(*mine).values(taken=pieces))


def _answered(line: BackorderLine, heard: Heard, withdrawn: bool) -> BackorderLine:
    if line.product_iri in heard.said:
        line = line.told(heard.said[line.product_iri])
    if withdrawn:
        return line.answered(0, line.reason, line.told_price, line.line_iri)
    said = heard.lines.get(line.product_iri)
    if said is None:
        return line
    return line.answered(said.cases, said.reason, said.price, said.iri or line.line_iri)


def _language(tx: Transaction, backorder: Backorder) -> str:
    """Of the hub's people, who read what is wrong."""
    return enterprise_by_id(tx, backorder.enterprise_id).language


def _note(heard: Heard, state: State, withdrawn: bool, language: str) -> str:
    """What a person should know, though nothing has failed."""
    if withdrawn:
        return translate(language, "The platform has cancelled the order. Retry to order again.")
    if state == "Cancelled" and heard.state == "Complete":
        return translate(language, "The platform has completed the order, and does not cancel it any more.")
    if heard.more and state != "Cancelled":
        said = translate(language, "The platform says more than was ordered of {products}.")
        return said.format(products=", ".join(heard.more))[:_LONGEST_ERROR]
    return ""


def _cut_customers(federation: Federation, tx: Transaction, backorder: Backorder, line: BackorderLine) -> None:
    """All that is ordered beyond what comes, and what was ordered since too: who brings less has no more to bring."""
    coming = pieces_in(line.confirmed or 0, line.per_case)
    missing = Shortfall(
        order_id=backorder.id, enterprise_id=backorder.enterprise_id, session_id=backorder.session_id,
        item_iri=line.product_iri, product_id=line.product_id,
        pieces=ordered_pieces(tx, backorder.session_id, line.product_id) - coming,
    )  # fmt: skip
    (product,) = products_by_id(tx, [line.product_id]).values()
    if lot_by_id(tx, product.enterprise_id, product.lot_id).unlimited:
        cut_orders(federation, tx, missing, lambda pieces: None)
        return
    grains = product.lot_quantity
    cut_orders(federation, tx, missing, lambda pieces: _write_off(tx, product.lot_id, pieces * grains, backorder.id))


def _write_off(tx: Transaction, lot_id: str, grains: int, note: str) -> None:
    """What a customer's order has given back is sold to nobody else: it does not come."""
    if not write_off(tx, lot_id, grains, note=note):
        raise AssertionError(f"the lot {lot_id} has less free than was just given back")
