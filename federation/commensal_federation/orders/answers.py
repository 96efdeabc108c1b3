"""The hub's side of answers: customers' orders are cut to what the producer will deliver, by the hub's policy."""

from __future__ import annotations

from dataclasses import replace

from commensal import Transaction
from commensal.products import products_by_id

from ..allowance.budget import draw
from ..delivery.restore.restored import may_be_named_soon
from ..leases.holder import give_back
from ..leases.row import lease_with
from ..messages.bodies.orders import InstanceOrder, Line
from ..messages.order_answer import OrderAnswer
from ..messages.types import Refuse, Wait, refuse_leap
from ..peers.peers import Peer
from ..runtime import Federation
from .cutting import Shortfall, cut_orders, ordered_pieces
from .facts import update_order
from .hub import resend_order
from .notices import note_confirmed_late, note_objection, note_shortened
from .onward import pass_answer_back
from .questions import order_by_iri, order_of
from .receipts import claim_parts
from .statement import answered_statement, claim_of


def take_answer(federation: Federation, tx: Transaction, peer: Peer, answer: OrderAnswer) -> None:
    """Stores the producer's answer, if it is newer than the last one, and cuts customers' orders accordingly.

    An answer to an older revision of the order is ignored: the producer answers the newer one too. Raises `Refuse` for
    an order that is not the peer's, and `Wait` for one that is not known here yet after a restore.
    """
    order = order_by_iri(tx, answer.iri)
    if order is None and may_be_named_soon(tx, peer):
        raise Wait("The order is not known here yet.")
    if order is None or order.role != "buyer" or order.peer_id != peer.id:
        raise Refuse("no_order", "There is no such order here.")
    if answer.answer <= order.answer or answer.rev < order.rev:
        return
    refuse_leap("Answer", answer.answer, order.answer)
    answers = {line.item_iri: line for line in answer.lines}
    is_settled = order.is_settled(tx.now)
    lines = tuple(
        line.answered(answers.get(line.item_iri), order.standing(line) if is_settled else None) for line in order.lines
    )
    answered = _with_receipt(replace(order, lines=lines), answer).concluded()
    update_order(
        tx,
        order,
        lines,
        answer=answer.answer,
        receipt=answered.receipt,
        objection=answered.objection,
        state=answered.state,
        called_off=answered.called_off,
    )
    if answered.receipt == "disputed" and (order.receipt, order.objection) != ("disputed", answered.objection):
        note_objection(tx, answered)
    for line in lines:
        line_answer = answers.get(line.item_iri)
        if is_settled and line_answer is not None and line.coming < min(line_answer.confirmed, line.quantity):
            note_confirmed_late(tx, order, line, line_answer.confirmed)
    if pass_answer_back(federation, tx, replace(order, lines=lines)):
        return
    short = [line for line in lines if line.coming < line.quantity]
    before = {line.item_iri: line for line in order.lines}
    needs_answer = [_cut_customers(federation, tx, order, line, before[line.item_iri]) for line in short]
    if any(needs_answer):
        # even if the sum is equal: it has other pieces
        resend_order(federation, tx, order_of(tx, order.enterprise_id, order.id))
    for line in short:
        if line.coming != before[line.item_iri].coming:
            note_shortened(tx, order, line)


def _with_receipt(order: InstanceOrder, answer: OrderAnswer) -> InstanceOrder:
    """Returns the order with what its producer says to what we claim."""
    if claim_of(order) is None:
        return replace(order, receipt="", objection="")
    if order.owed is None and claim_parts(order) == () and not answer.receipt:
        return replace(order, receipt="taken", objection="")  # we took back what we had said that we got
    return replace(order, receipt=answer.receipt, objection=answer.objection)


def _cut_customers(federation: Federation, tx: Transaction, order: InstanceOrder, line: Line, before: Line) -> bool:
    """Cuts the pieces that customers have ordered and the producer will not deliver: by the hub's policy what it had
    not confirmed, and as far as its word alone may go what it had confirmed, or has not answered in time.

    Returns True when customers have ordered more since, so that the new sum needs an answer of its own.
    """
    ordered = ordered_pieces(tx, order.session_id, line.product_id)
    missing = Shortfall(
        order_id=order.id,
        enterprise_id=order.enterprise_id,
        session_id=order.session_id,
        item_iri=line.item_iri,
        product_id=line.product_id,
        pieces=min(line.quantity, ordered) - line.coming,
    )
    taken_pieces: list[int] = []

    def give_up(pieces: int) -> None:
        taken_pieces.append(pieces)
        _return_stock(federation, tx, order, line, pieces)

    standing = order.standing(before)
    if standing is None and order.is_late(tx.now):
        standing = before.coming  # what it has let stand until then
    lost = 0 if standing is None else (standing - line.coming) * line.price
    confirmed = answered_statement(order).total
    may = draw(tx, federation, order.enterprise_id, order.other_iri, "shortage", lost, confirmed, order.iri)
    cut_orders(federation, tx, missing, give_up, by_hand=not may)
    return 0 < sum(taken_pieces) == missing.pieces and ordered - sum(taken_pieces) > line.coming


def _return_stock(federation: Federation, tx: Transaction, order: InstanceOrder, line: Line, pieces: int) -> None:
    """Returns the stock in the same transaction, so that nobody else here buys what will not be delivered."""
    (product,) = products_by_id(tx, [line.product_id]).values()
    lease = lease_with(tx, "holder", order.peer_id, lot_id=product.lot_id)
    if lease is not None and not lease.lot.unlimited:
        give_back(federation, tx, lease, pieces * product.lot_quantity)
