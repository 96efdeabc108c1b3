"""Lines that are not confirmed automatically, so that a person decides. Each line in doubt has a reason:

    lease:     the peer orders more of a lot than it was granted and has not returned
    complete:  the line was added, or has grown, after the order was complete
    price:     the line has a price that was replaced more than `GRACE` ago

A line in doubt has no answer. Its certain pieces, which may be packed or ordered onward, are its `confirmed` ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import bindparam, case, func, select

from commensal import Transaction
from commensal.products import products_by_id
from commensal.stock import lots_by_id

from ..delivery.alerts import alert
from ..leases.lender import grains_covered
from ..messages.bodies.orders import Doubt, InstanceOrder, Line
from ..peers.peers import Peer
from .tables import federation_order, federation_order_line

GRACE = timedelta(minutes=15)  # a replaced price is valid for so long: the message with the new one may be under way
DOUBT_TEXTS: Mapping[Doubt, str] = {
    "lease": "no lease covers that",
    "complete": "that came when the order was complete",
    "price": "its price had been replaced before",
}
_order, _line = federation_order.c, federation_order_line.c
_SURE = case((_line.confirmed < _line.quantity, _line.confirmed), else_=_line.quantity)
_ANSWERED = (
    select(_line.product_id, func.sum(_SURE).label("pieces"))
    .join(federation_order, _order.id == _line.order_id)
    .where(_order.role == "supplier", _order.peer_id == bindparam("peer"), _order.state != "Cancelled")
    .where(_line.answer != "", _line.order_id != bindparam("but"))
    .group_by(_line.product_id)
)


def put_in_doubt(line: Line, doubt: Doubt, certain: int) -> Line:
    """Returns the line without an answer; only `certain` pieces count until a person decides."""
    return replace(line, doubt=doubt, answer="", confirmed=min(certain, line.quantity), reason="", final_quantity=None)


def confirm_certain_lines(tx: Transaction, peer: Peer, order: InstanceOrder) -> tuple[Line, ...]:
    """Returns the lines, confirmed except those in doubt. A line that a lease covers now is in doubt no more."""
    uncovered = _uncovered(tx, peer, order)
    return tuple(_confirm_line(line, uncovered) for line in order.lines)


def alert_doubts(tx: Transaction, peer: Peer, order: InstanceOrder, lines: Sequence[Line]) -> None:
    """Alerts a person to the lines of the order that are newly in doubt."""
    before = {(line.item_iri, line.doubt, line.quantity) for line in order.lines}
    new = [line for line in lines if line.doubt and (line.item_iri, line.doubt, line.quantity) not in before]
    if new:
        texts = "; ".join(f"{line.quantity} {line.name}: {DOUBT_TEXTS[line.doubt]}" for line in new)
        alert(tx, peer.id, "doubt", f"{order.other_name}, {order.session_name}: {texts}")


def _confirm_line(line: Line, uncovered: Collection[str]) -> Line:
    if line.answer or line.doubt not in ("", "lease"):
        return line
    if line.item_iri in uncovered:
        return put_in_doubt(line, "lease", 0)
    return replace(line, answer="confirmed", confirmed=line.quantity, doubt="")


def _uncovered(tx: Transaction, peer: Peer, order: InstanceOrder) -> set[str]:
    """IRIs of the items of unanswered lines whose lots the peer orders beyond what its leases cover."""
    waiting = [line for line in order.lines if line.quantity and not line.answer and line.doubt in ("", "lease")]
    if not waiting:
        return set()
    before = {row["product_id"]: int(row["pieces"]) for row in tx.all(_ANSWERED, {"peer": peer.id, "but": order.id})}
    products = products_by_id(tx, {*before, *(line.product_id for line in order.lines)})
    pieces = [*before.items()]
    pieces += [(line.product_id, line.quantity if line in waiting else line.coming) for line in order.lines]
    ordered: Counter[str] = Counter()
    for product_id, count in pieces:
        ordered[products[product_id].lot_id] += count * products[product_id].lot_quantity
    lots = lots_by_id(tx, {products[line.product_id].lot_id for line in waiting})
    over = {id for id, lot in lots.items() if not lot.unlimited and ordered[id] > grains_covered(tx, peer, id)}
    return {line.item_iri for line in waiting if products[line.product_id].lot_id in over}
