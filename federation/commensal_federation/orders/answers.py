"""The hub hears what the producer says: customers get what will come, by the policy that the hub chose."""

from __future__ import annotations

from dataclasses import replace

from commensal import Transaction, products_by_id

from ..leases.holder import give_back
from ..leases.row import lease_with
from ..messages.bodies.orders import InstanceOrder, Line, OrderAnswer
from ..messages.types import Refuse
from ..peers.values import Peer
from ..runtime import Federation
from .cutting import Missing, ordered_pieces, take_off
from .hub import say_again
from .onward import pass_answer_back
from .questions import order_by_iri
from .write import keep_order


def take_answer(federation: Federation, tx: Transaction, peer: Peer, said: OrderAnswer) -> None:
    """Keeps what the producer said, if it is newer than what is known, and takes what is missing off orders.

    What it said to an older word of ours is left aside: it answers the newer one too.
    """
    order = order_by_iri(tx, said.iri)
    if order is None or order.role != "buyer" or order.peer_id != peer.id:
        raise Refuse("no_order", "There is no such order here.")
    if said.answer <= order.answer or said.rev < order.rev:
        return
    answers = {one.item_iri: one for one in said.lines}
    lines = tuple(line.answered(answers.get(line.item_iri)) for line in order.lines)
    keep_order(tx, order, lines, answer=said.answer)
    if pass_answer_back(federation, tx, replace(order, lines=lines)):
        return
    short = [line for line in lines if line.coming < line.quantity]
    beyond = [_cut_customers(federation, tx, order, line) for line in short]
    if any(beyond):
        say_again(federation, tx, replace(order, lines=lines))  # the sum may be what was told, of other pieces


def _cut_customers(federation: Federation, tx: Transaction, order: InstanceOrder, line: Line) -> bool:
    """As many pieces as customers have ordered and will not come. What they have ordered since is another matter: True
    where they have, so that it needs an answer of its own."""
    ordered = ordered_pieces(tx, order.session_id, line.product_id)
    missing = Missing(
        order_id=order.id, enterprise_id=order.enterprise_id, session_id=order.session_id, item_iri=line.item_iri,
        product_id=line.product_id, pieces=min(line.quantity, ordered) - line.coming,
    )  # fmt: skip
    taken: list[int] = []

    def give_up(pieces: int) -> None:
        taken.append(pieces)
        _send_back(federation, tx, order, line, pieces)

    take_off(federation, tx, missing, give_up)
    return 0 < sum(taken) == missing.pieces and ordered - sum(taken) > line.coming


def _send_back(federation: Federation, tx: Transaction, order: InstanceOrder, line: Line, pieces: int) -> None:
    """In the same transaction: nobody else may buy here what will not come."""
    (product,) = products_by_id(tx, [line.product_id]).values()
    lease = lease_with(tx, "holder", order.peer_id, lot_id=product.lot_id)
    if lease is not None and not lease.lot.unlimited:
        give_back(federation, tx, lease, pieces * product.lot_quantity)
