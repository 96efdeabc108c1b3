"""What a hub got of an order and owes for it, where that is not what was ordered: weights, shortages, corrections.

The hub says it with the order, all of it each time. It is a claim, see `claims`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from commensal import Transaction
from commensal.parts.supply import DeliveredGoods, delivered_goods, owed_at_session

from ..messages.bodies.orders import InstanceOrder, Line
from ..messages.order_update import OrderUpdate, UpdateLine
from ..messages.types import Refuse
from .statement import answered_statement, vat_of

MOST_PIECES = 1_000_000


# ------------------------------------------------------------------------------------------------ at the hub


@dataclass(frozen=True, kw_only=True)
class ReceivedGoods:
    """What the hub got of a supplier for one sale: goods by product, and what it owes in all, in minor units."""

    goods: Mapping[str, DeliveredGoods]
    owed: int


def deliveries_at_session(
    tx: Transaction, hub: str, session_id: str, supplier_ids: Collection[str]
) -> dict[str, ReceivedGoods]:
    """Returns what the hub got of each of these suppliers, in three statements."""
    goods: dict[str, dict[str, DeliveredGoods]] = {supplier_id: {} for supplier_id in supplier_ids}
    for each in delivered_goods(tx, session_id, supplier_ids):
        goods[each.supplier_id][each.product_id] = each
    owed = {owed.supplier_id: owed.total for owed in owed_at_session(tx, hub, session_id)}
    return {id: ReceivedGoods(goods=goods[id], owed=max(0, owed.get(id, 0))) for id in supplier_ids}


def with_receipt(order: InstanceOrder, lines: Iterable[Line], delivery: ReceivedGoods | None) -> InstanceOrder:
    """Returns the order with these lines, and with what the hub got where that has to be said.

    That is once something was weighed, handed over or lost, and where the order does not say the same. What was said
    once is kept true.
    """
    bare = replace(order, lines=tuple(lines))
    if delivery is None or (order.owed is None and not any(each.begun for each in delivery.goods.values())):
        return bare
    received = replace(bare, lines=tuple(_received(bare, line, delivery) for line in bare.lines), owed=delivery.owed)
    return received if order.owed is not None or _differs(received) else bare


def without_receipt(order: InstanceOrder, lines: Iterable[Line]) -> InstanceOrder:
    """Returns the order with these lines, as one of which nothing is owed: it is called off."""
    return replace(order, lines=tuple(map(_without_receipt, lines)), owed=None)


def _without_receipt(line: Line) -> Line:
    return replace(line, received=None, received_quantity=None, received_amount=None)


def _received(order: InstanceOrder, line: Line, delivery: ReceivedGoods) -> Line:
    goods = delivery.goods.get(line.product_id)
    if goods is None:
        return replace(line, received=0, received_quantity=None, received_amount=0)
    amount = goods.amount
    if goods.includes_vat and not order.includes_vat:
        amount -= vat_of(amount, goods.vat_rate, included=True)
    elif order.includes_vat and not goods.includes_vat:
        amount += vat_of(amount, goods.vat_rate, included=False)
    weight = goods.quantity if goods.weighed else None
    return replace(line, received=goods.pieces, received_quantity=weight, received_amount=max(0, amount))


def _differs(order: InstanceOrder) -> bool:
    """Whether what the hub got is not just what the order says."""
    if any(line.received != line.coming or line.received_quantity is not None for line in order.lines):
        return True
    return answered_statement(order).total != order.owed


# ------------------------------------------------------------------------------------------------ at the producer


def read_received(line: Line, sent: UpdateLine, update: OrderUpdate) -> Line:
    """Returns the line with what the hub says that it got. Raises `Refuse` for half a receipt, or one too large."""
    if update.owed is None:
        return _without_receipt(line)
    if sent.received is None or sent.received_amount is None or sent.received > MOST_PIECES:
        raise Refuse("receipt", "Who says what is owed says of each line how many pieces came, and at what amount.")
    return replace(
        line, received=sent.received, received_quantity=sent.received_quantity, received_amount=sent.received_amount
    )


def received_nothing(line: Line, update: OrderUpdate) -> Line:
    """Returns a line that the hub has left out, with what it says that it got of it."""
    nothing = None if update.owed is None else 0
    return replace(line, received=nothing, received_quantity=None, received_amount=nothing)


def claim_parts(order: InstanceOrder) -> tuple[object, ...]:
    """What the hub claims, to compare: what it wants of what stands, and what it got. Nothing: ()."""
    if order.owed is None and not order.called_off and all(line.wanted is None for line in order.lines):
        return ()
    lines = (
        (line.item_iri, line.wanted, line.received, line.received_quantity, line.received_amount)
        for line in order.lines
    )
    return (order.owed, order.called_off, *lines)
