"""The hub hears what the producer says: customers get what will come, by the policy that the hub chose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import func, insert, select, update

from commensal import (
    CustomersLine,
    NotFound,
    Transaction,
    lines_of_product,
    locked_order,
    ordered_of,
    plugin_settings,
    products_by_id,
    shorten_order,
)

from ..leases.holding import give_back
from ..leases.row import lease_with
from ..messages.types import Refuse
from ..peers.values import Peer
from ..runtime import Federation
from ..settings import EnterpriseFederation
from .onward import pass_answer_back
from .questions import order_by_iri
from .tables import federation_cut, federation_order
from .values import InstanceOrder, Line, OrderAnswer
from .write import keep_order

_cut = federation_cut.c


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
    for line in lines:
        if line.coming < line.quantity:
            _cut_customers(federation, tx, order, line)


def settle_cut(tx: Transaction, enterprise_id: str, cut_id: str) -> None:
    """What was owed is given back, or what a person had to decide is decided. Raises `NotFound`."""
    mine = select(federation_order.c.id).where(federation_order.c.enterprise_id == enterprise_id)
    done = update(federation_cut).where(_cut.id == cut_id, _cut.order_id.in_(mine), _cut.settled_at.is_(None))
    if tx.execute(done.values(settled_at=tx.now)).rowcount != 1:
        raise NotFound("no_cut", "There is nothing to settle.")


def shares(lines: Sequence[CustomersLine], missing: int, policy: str) -> list[int]:
    """How many pieces each line loses, of `missing` in all; `lines` have the newest order first.

    Pro rata: whole parts first, then one more for those whose remainder is largest, the newest first.
    """
    if policy == "newest first":
        cut, rest = [], missing
        for line in lines:
            cut.append(min(rest, line.quantity))
            rest -= cut[-1]
        return cut
    whole = sum(line.quantity for line in lines)
    if not whole:
        return [0] * len(lines)
    missing = min(missing, whole)
    cut = [line.quantity * missing // whole for line in lines]
    by_remainder = sorted(range(len(lines)), key=lambda place: -(lines[place].quantity * missing % whole))
    for place in by_remainder[: missing - sum(cut)]:
        cut[place] += 1
    return cut


def _by_hand(tx: Transaction, order: InstanceOrder, line: Line) -> int:
    """Pieces that a person has to take off orders, or has."""
    noted = select(func.coalesce(func.sum(_cut.pieces), 0))
    mine = (_cut.order_id == order.id, _cut.item_iri == line.item_iri, _cut.customer_order_id.is_(None))
    return int(tx.value(noted.where(*mine)))


def _cut_customers(federation: Federation, tx: Transaction, order: InstanceOrder, line: Line) -> None:
    """As many pieces as customers have ordered and will not come; what they have ordered since is another matter."""
    settings = plugin_settings(tx, federation.instance.hooks, order.enterprise_id, "federation", EnterpriseFederation)
    customers = lines_of_product(tx, order.session_id, line.product_id)
    ordered = _ordered(tx, order, line)
    missing = min(line.quantity, ordered) - line.coming - _by_hand(tx, order, line)
    at_hand = 0 if settings.shortage == "by hand" else min(missing, sum(one.quantity for one in customers))
    if missing > at_hand:  # the rest has been handed over
        _note(tx, order, line, None, missing - at_hand, 0)
    if at_hand <= 0:
        return
    for one, pieces in zip(customers, shares(customers, at_hand, settings.shortage), strict=True):
        if not pieces:
            continue
        customers_order = locked_order(tx, one.order_id, enterprise_id=order.enterprise_id)
        after = shorten_order(tx, federation.instance.hooks, customers_order, {one.line_id: pieces})
        due = 0 if after.state == "Cancelled" else after.total
        _note(tx, order, line, one.order_id, pieces, max(0, after.paid_total - due))
        _send_back(federation, tx, order, line, pieces)


def _ordered(tx: Transaction, order: InstanceOrder, line: Line) -> int:
    """Pieces that customers have ordered of it by now, and what they have got of it."""
    (product,) = products_by_id(tx, [line.product_id]).values()
    sums = ordered_of(tx, order.session_id, [product.enterprise_id])
    return sum(one.quantity for one in sums if one.product_id == line.product_id)


def _send_back(federation: Federation, tx: Transaction, order: InstanceOrder, line: Line, pieces: int) -> None:
    """In the same transaction: nobody else may buy here what will not come."""
    (product,) = products_by_id(tx, [line.product_id]).values()
    lease = lease_with(tx, "holder", order.peer_id, lot_id=product.lot_id)
    if lease is not None and not lease.lot.unlimited:
        give_back(federation, tx, lease, pieces * product.lot_quantity)


def _note(
    tx: Transaction, order: InstanceOrder, line: Line, customer_order_id: str | None, pieces: int, owed: int
) -> None:
    row = {
        "id": tx.new_id(), "order_id": order.id, "item_iri": line.item_iri, "customer_order_id": customer_order_id,
        "pieces": pieces, "owed": owed, "at": tx.now,
    }  # fmt: skip
    tx.execute(insert(federation_cut), row)
