"""What a hub got of an order and owes for it, where that is not what was ordered: weights, shortages, corrections.

The hub says it with the order, all of it each time. What follows from the order counts without a person: all pieces, by
weights about what was sold, at the order's price. Everything else waits for the producer's people, who agree or object;
until they agree the order is paid as it was answered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from commensal import Conflict, Invalid, Problem, Stale, Transaction, read_text
from commensal.trade import DeliveredGoods, delivered_goods, owed_at_session, products_by_id

from ..authority.authority import refuse_moving
from ..messages.bodies.orders import InstanceOrder, Line, OrderUpdate, Receipt, UpdateLine
from ..messages.order_answer import MOST_WORDS
from ..messages.types import Refuse
from ..runtime import Federation
from .questions import order_of
from .send_answer import send_answer
from .statement import answered_statement, received_statement, vat_of
from .write import update_order

MOST_PIECES = 1_000_000
_TOLERANCE = Decimal(30)  # percent that pieces may weigh more or less where their producer says nothing
_AFTERWARDS = timedelta(days=60)  # of the distribution; what is said later waits for a person
_ROUNDING = Decimal("0.01")  # of an amount, and a minor unit a piece at most: it is rounded for each customer


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
    is_new = order.owed is None
    if is_new and not _differs(received):
        return bare
    return received if receipt_parts(received) == receipt_parts(order) else replace(received, receipt="", objection="")


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
        return replace(line, received=None, received_quantity=None, received_amount=None)
    if sent.received is None or sent.received_amount is None or sent.received > MOST_PIECES:
        raise Refuse("receipt", "Who says what is owed says of each line how many pieces came, and at what amount.")
    return replace(
        line, received=sent.received, received_quantity=sent.received_quantity, received_amount=sent.received_amount
    )


def receipt_parts(order: InstanceOrder) -> tuple[object, ...]:
    """What the hub has said that it got, to compare."""
    lines = ((line.item_iri, line.received, line.received_quantity, line.received_amount) for line in order.lines)
    return (order.owed, *lines) if order.owed is not None else ()


def judged(tx: Transaction, order: InstanceOrder) -> Receipt:
    """What our producer says to what the hub got: what its people have said, else whether it follows from the order."""
    if order.owed is None:
        return ""
    if order.receipt in ("agreed", "disputed"):
        return order.receipt
    products = products_by_id(tx, [line.product_id for line in order.lines])
    tolerances = {line.item_iri: products[line.product_id].weight_tolerance for line in order.lines}
    return "taken" if _follows(order, tolerances, tx.now) else "open"


def answer_receipt(
    federation: Federation, tx: Transaction, enterprise_id: str, order_id: str, *, objection: str, owed: int
) -> InstanceOrder:
    """Agrees to what the hub says that it got, or disputes it with an `objection`. Returns the order as it is now.

    `owed` is the sum that the person was shown: `Stale` for another one. Raises `NotFound`, `Invalid` for an objection
    that is too long, and `Conflict` where the hub has said nothing, for a cancelled order, or while the enterprise
    moves.
    """
    refuse_moving(tx, enterprise_id)
    order = order_of(tx, enterprise_id, order_id, role="supplier")
    if order.owed is None or order.state == "Cancelled":
        raise Conflict("no_receipt", "The hub has not said that it received anything else than what was ordered.")
    if order.owed != owed:
        raise Stale
    problems: list[Problem] = []
    objection = read_text(objection, "/objection", problems, most=MOST_WORDS)
    if problems:
        raise Invalid(problems)
    decided: Receipt = "disputed" if objection else "agreed"
    update_order(tx, order, order.lines, receipt=decided, objection=objection)
    send_answer(federation, tx, replace(order, receipt=decided, objection=objection), decided)
    return order_of(tx, enterprise_id, order_id, role="supplier")


def _follows(order: InstanceOrder, tolerances: Mapping[str, Decimal | None], now: datetime) -> bool:
    """Whether nothing has to be agreed upon: see above. A hub could say up to that much too little."""
    if order.begins_at is not None and now > order.begins_at + _AFTERWARDS:
        return False
    if not all(_line_follows(line, tolerances[line.item_iri]) for line in order.lines):
        return False
    summed = received_statement(replace(order, owed=None)).total
    return order.owed is not None and abs(summed - order.owed) <= len(order.lines)


def _line_follows(line: Line, tolerance: Decimal | None) -> bool:
    if line.received != line.coming or line.received_amount is None:
        return False
    sold = line.unit_quantity * line.coming if line.final_quantity is None else line.final_quantity
    weight = sold if line.received_quantity is None else line.received_quantity
    if abs(weight - sold) * 100 > sold * (_TOLERANCE if tolerance is None else tolerance):
        return False
    exact = line.amount_of(weight)
    rounding = min(Decimal(line.coming), exact * _ROUNDING) + 1
    return abs(line.received_amount - exact) <= rounding
