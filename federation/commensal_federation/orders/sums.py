"""Compares what a hub's books say that it owes a producer elsewhere with the order between the two instances.

Every night for the sales of the last weeks: the people who pay are told of a difference. Until it is settled, no file
for the bank pays this producer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from commensal import Money, NotFound, PaymentHold, Problem, Transaction, hookimpl
from commensal.parts.supply import OwedToSupplier, owed_at_session

from ..grants.questions import mirror_of
from ..messages.bodies.orders import InstanceOrder
from ..notices import note_for_enterprise
from ..notices.note import Owed
from .questions import orders_of_session, orders_where
from .statement import statement_of
from .tables import federation_order

LATELY = timedelta(days=60)  # since the distribution
_order = federation_order.c


@dataclass(frozen=True, kw_only=True)
class SumDifference:
    """An order of a hub that comes to another sum than its books, both in minor units of the order's currency."""

    order: InstanceOrder
    supplier_id: str
    books: int
    statement: int


def differences_at(tx: Transaction, hub_id: str, session_id: str) -> list[SumDifference]:
    """Returns the orders of a sale that do not come to what the hub's books say, once the sale has closed."""
    orders = [order for order in orders_of_session(tx, session_id) if order.state == "Complete"]
    return list(_differences(tx, hub_id, session_id, orders))


def recent_differences(tx: Transaction) -> Iterator[SumDifference]:
    """Yields them for all hubs here and all sales of the last weeks."""
    conditions = (_order.role == "buyer", _order.state == "Complete", _order.begins_at > tx.now - LATELY)
    by_sale: dict[tuple[str, str], list[InstanceOrder]] = {}
    for order in orders_where(tx, *conditions):
        by_sale.setdefault((order.enterprise_id, order.session_id), []).append(order)
    for (hub_id, session_id), orders in by_sale.items():
        yield from _differences(tx, hub_id, session_id, orders)


def _differences(
    tx: Transaction, hub_id: str, session_id: str, orders: Sequence[InstanceOrder]
) -> Iterator[SumDifference]:
    owed = {each.supplier_id: each for each in owed_at_session(tx, hub_id, session_id)} if orders else {}
    for order in orders:
        try:
            supplier_id = mirror_of(tx, order.other_iri)
        except NotFound:  # it has moved here since: its order is a purchase order now
            continue
        statement, books = statement_of(order).total, owed.get(supplier_id)
        if not _agree(order, statement, books):
            total = 0 if books is None else books.total
            yield SumDifference(order=order, supplier_id=supplier_id, books=total, statement=statement)


def _agree(order: InstanceOrder, statement: int, books: OwedToSupplier | None) -> bool:
    """Whether both come to the same. An order knows of no deposits and fees before its producer has agreed to a sum
    with them. A net price becomes a gross one for each piece in the books, and for the whole in the order: that may
    differ by a minor unit a piece."""
    if books is None:
        return statement == 0
    goods = books.total - books.deposits
    rounding = sum(line.quantity for line in order.lines) if not order.includes_vat else 0
    return any(abs(statement - total) <= rounding for total in (books.total, goods, goods - books.fees))


@hookimpl
def payment_holds(tx: Transaction, enterprise_id: str, session_id: str) -> Sequence[PaymentHold]:
    return [
        PaymentHold(supplier_id=each.supplier_id, reason=problem_of(each))
        for each in differences_at(tx, enterprise_id, session_id)
    ]


def problem_of(difference: SumDifference) -> Problem:
    """What differs, in words: both sums, and of which order."""
    order = difference.order
    text = (
        "Your books say {books} for {producer} at {sale}, the order between you says {statement}. Agree with the "
        "producer which is right; until then no file for the bank pays it."
    )
    values: dict[str, object] = {
        "books": Money(difference.books, order.currency),
        "statement": Money(difference.statement, order.currency),
        "producer": order.other_name,
        "sale": order.session_name,
    }
    return Problem("sums_differ", text, "payment", values)


def compare_sums(tx: Transaction) -> None:
    """Notes each difference for the people who pay."""
    for each in recent_differences(tx):
        order = each.order
        note_for_enterprise(
            tx,
            order.enterprise_id,
            "sums_differ",
            order.peer_id,
            order.id,
            producer=order.other_name,
            sale=order.session_name,
            books=Owed(each.books, order.currency),
            statement=Owed(each.statement, order.currency),
        )
