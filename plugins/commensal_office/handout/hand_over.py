"""Hands one order out: weights, money and goods at once, its containers that come back, and what lies in its crate."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import delete, select

from commensal import (
    MEASURES,
    Conflict,
    Instance,
    Money,
    Order,
    Payment,
    PricedLine,
    Transaction,
    correct_payment,
    format_quantity,
    insert_once,
    payments_of,
    translate,
)
from commensal.enterprises import list_members
from commensal.orders import hand_order_over, locked_order, undo_hand_over_of, weigh_order
from commensal.parts.order_corrections import (
    DepositKind,
    Returned,
    count_returned,
    deposit_kinds,
    likely_returns,
    returned_of,
    undo_returned,
)
from commensal.payments import payment_by_key, record_received

from ..frame.desk import Desk
from ..frame.sessions import due_of
from ..tables import office_packed_line


@dataclass(frozen=True, kw_only=True)
class HandOut:
    """What happened at the table. `key` is its own name: the same key never counts twice.

    weights: by line id, in the line's unit, for all its pieces together
    method:  how money was taken, "plugin:method"; "" if none was
    amount:  what was taken, in minor units of the order's currency
    returned: the empties that came back, by supplier and deposit
    at_estimate: also an order that is not weighed, since somebody was asked
    """

    order_id: str
    key: str
    weights: Mapping[str, Decimal] = field(default_factory=dict)
    method: str = ""
    amount: int = 0
    returned: Sequence[Returned] = ()
    at_estimate: bool = False


def hand_out(
    tx: Transaction,
    instance: Instance,
    enterprise_id: str,
    event: HandOut,
    *,
    by: str,
    allowed: Collection[str],
    anyway: bool = False,
) -> Order:
    """Weighs, takes the money, and hands the order over. Returns the order. `allowed` are methods "by hand".

    anyway: the money is in the till already, so it is recorded even if it is more than is due

    Raises `NotFound`, `Invalid` for impossible weights or a method that is not allowed, and `Conflict` for an order
    that is cancelled, that somebody else has handed over, that is not weighed unless `at_estimate`, of which more was
    taken than is due, or less unless `anyway`.
    """
    order = locked_order(tx, event.order_id, enterprise_id=enterprise_id)
    if order.fulfilment_state == "Fulfilled":
        if _was_recorded(tx, order, event):
            return order
        raise Conflict("handed_over_already", "Order {number} has been handed over already.", number=order.number or 0)
    order = weigh_order(tx, instance.hooks, order, event.weights, by=by)
    if event.returned:
        order = count_returned(tx, order, event.returned, by=by)
    if event.method and not anyway and event.amount < due_of(order):
        text = "The order has changed: {due} is due now. Take that, and press again."
        raise Conflict("amount", text, due=Money(due_of(order), order.currency))
    if event.method:
        record_received(
            tx,
            enterprise_id=enterprise_id,
            order_id=order.id,
            method=event.method,
            amount=event.amount,
            person_id=by,
            allowed=allowed,
            key=event.key,
            anyway=anyway,
        )
        order = locked_order(tx, order.id, enterprise_id=enterprise_id)
    return hand_order_over(tx, order, at_estimate=event.at_estimate, by=by)


def _was_recorded(tx: Transaction, order: Order, event: HandOut) -> bool:
    """Whether this very hand-out is what was recorded, or one without money, which counts for nothing twice."""
    recorded = payment_by_key(tx, order.enterprise_id, event.key)
    return not event.method or (recorded is not None and recorded.order_id == order.id)


def undo(tx: Transaction, enterprise_id: str, order_id: str, *, by: str) -> Order:
    """Undoes a hand-over, and takes back the money and the empties that were recorded with it, by opposite entries.

    Raises `NotFound`, and `Conflict` if it was not handed over, or too long ago.
    """
    order = locked_order(tx, order_id, enterprise_id=enterprise_id)
    recorded = money_of_hand_over(tx, order)
    undo_hand_over_of(tx, undo_returned(tx, order, by=by), by=by)
    for payment in recorded:
        correct_payment(tx, enterprise_id, payment.id, person_id=by)
    return locked_order(tx, order_id, enterprise_id=enterprise_id)


def money_of_hand_over(tx: Transaction, order: Order) -> list[Payment]:
    """The payments that were recorded in the same transaction as the hand-over: they have the same moment."""
    return [
        payment
        for payment in payments_of(tx, order.enterprise_id, order.id)
        if payment.kind == "payment" and payment.state == "Done" and payment.changed_at == order.fulfilled_at
    ]


# Empties as people at the table name them: what they are and what was in them, the likely ones first.

BACK = "back/"  # and supplier and deposit: the name of a field with empties that came back
_MOST_NAMES = 3  # goods that are named for one kind
_CRATE = Decimal(5000)  # grams or millilitres: what holds more is neither a jar nor a bottle


@dataclass(frozen=True, kw_only=True)
class EmptiesField:
    """Containers that may come back, with how many were counted.

    name:   of the field
    label:  what they are, such as "Bottle 75 cl"
    inside: whose they are and what was in them
    likely: whether this customer had them lately, or most bring them back, or some were counted
    """

    name: str
    label: str
    inside: str
    deposit: int
    pieces: int
    likely: bool


def empties_of(tx: Transaction, desk: Desk, order: Order, language: str) -> list[EmptiesField]:
    """The containers in which the shop's goods come; those of which some came back with this order first."""
    counted = {(each.supplier_id, each.deposit): each.pieces for each in returned_of(tx, order.id)}
    likely = likely_returns(tx, desk.enterprise.id, order.session_id, order_id=order.id)
    near = likely.usual | likely.had.get(order.id, frozenset()) | set(counted)
    empties = [
        EmptiesField(
            name=f"{BACK}{kind.supplier_id}/{kind.deposit}",
            label=container_name(kind, language),
            inside=container_goods(kind),
            deposit=kind.deposit,
            pieces=counted.get(kind.key, 0),
            likely=kind.key in near,
        )
        for kind in deposit_kinds(tx, desk.enterprise.id, order.currency)
    ]
    return sorted(empties, key=lambda kind: -kind.pieces)


def container_name(kind: DepositKind, language: str) -> str:
    """What the containers are, by what is sold in them: Bottle 33 cl, 75 cl."""
    names: dict[str, list[str]] = {}
    for content, unit in kind.sizes:
        sizes = names.setdefault(_container(content, unit, language), [])
        if MEASURES[unit].dimension in ("mass", "volume"):
            sizes.append(format_quantity(content, unit, language))
    return " · ".join(f"{name} {', '.join(sizes)}".strip() for name, sizes in names.items())


def container_goods(kind: DepositKind) -> str:
    """Whose the containers are and what was in them, in a line."""
    more = " …" if len(kind.goods) > _MOST_NAMES else ""
    return f"{kind.supplier} · {', '.join(kind.goods[:_MOST_NAMES])}{more}"


def _container(content: Decimal, unit: str, language: str) -> str:
    measure = MEASURES[unit]
    if measure.dimension == "package":
        return measure.label(language).capitalize()
    is_large = content * Decimal(measure.factor.numerator) / Decimal(measure.factor.denominator) >= _CRATE
    names: Mapping[str, str] = {
        "mass": translate(language, "Crate") if is_large else translate(language, "Jar"),
        "volume": translate(language, "Container") if is_large else translate(language, "Bottle"),
        "count": translate(language, "Box"),
    }
    return names.get(measure.dimension, translate(language, "Container"))


# Which lines of the orders of a sale lie in their crates, and who laid them in: the same on every telephone.

_row = office_packed_line.c
_KEPT = timedelta(days=14)  # after a line was laid in


@dataclass(frozen=True, kw_only=True)
class PackedLine:
    """`quantity` pieces of a line that lie in their crate since `at` (UTC); `by` is the name of who laid them in, ""
    for who is not a member any more."""

    line_id: str
    order_id: str
    quantity: int
    at: datetime
    by: str

    def is_of(self, line: PricedLine) -> bool:
        """Whether all that the line has now lies there."""
        return self.line_id == line.id and self.quantity == line.quantity


def packed_lines(tx: Transaction, enterprise_id: str, session_id: str) -> dict[str, PackedLine]:
    """Returns the lines of a session that lie in their crates, by their ids. Two statements."""
    of_session = (_row.enterprise_id == enterprise_id, _row.session_id == session_id)
    names = {member.person_id: member.name for member in list_members(tx, enterprise_id)}
    return {
        row["line_id"]: PackedLine(
            line_id=row["line_id"],
            order_id=row["order_id"],
            quantity=row["quantity"],
            at=row["at"],
            by=names.get(row["person_id"], ""),
        )
        for row in tx.all(select(office_packed_line).where(*of_session))
    }


def lay_in(
    tx: Transaction,
    enterprise_id: str,
    session_id: str,
    lines: Mapping[str, Sequence[PricedLine]],
    shown: Collection[str],
    ticked: Collection[str],
    *,
    by: str,
) -> None:
    """Makes `ticked` those of the `shown` lines that lie in their crates. `lines` are those of the session by order id;
    others are left out. Forgets lines of sales that are long over."""
    known = {line.id: (order_id, line) for order_id, of_order in lines.items() for line in of_order}
    before = packed_lines(tx, enterprise_id, session_id)
    tx.execute(delete(office_packed_line).where(_row.enterprise_id == enterprise_id, _row.at < tx.now - _KEPT))
    for line_id in sorted(set(shown) & known.keys()):
        order_id, line = known[line_id]
        lies_there = line_id in before and before[line_id].is_of(line)
        if lies_there == (line_id in ticked):
            continue
        tx.execute(delete(office_packed_line).where(_row.line_id == line_id))
        if line_id in ticked:
            row = {"line_id": line_id, "order_id": order_id, "quantity": line.quantity, "at": tx.now, "person_id": by}
            insert_once(tx, office_packed_line, {"enterprise_id": enterprise_id, "session_id": session_id, **row})
