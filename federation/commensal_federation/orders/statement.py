"""The statement of an order between instances, the same on both sides, since both have the same facts.

What the hub owes is computed from the facts alone: from the sum to which the producer agreed last, else from what it
has answered. What one side claims besides is shown beside it, and counts for nothing until the other agrees.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from commensal import NotFound, Transaction
from commensal.parts.supply import OwedToSupplier, owed_at_session

from ..grants.questions import mirror_of
from ..messages.bodies.order_facts import OrderFact, agreed_sum, delivered_by, standing_of
from ..messages.bodies.orders import InstanceOrder, Line
from ..messages.order_answer import Receipt
from ..notices.sums import LATELY, SumDifference, note_differences
from .questions import orders_of_session, orders_where
from .tables import federation_order


@dataclass(frozen=True, kw_only=True)
class StatementLine:
    """`quantity`: pieces delivered; `weighed`: weight of all of them in `unit`; `price` and `amount` in minor units;
    `vat_rate` in percent. `by_hub`: pieces and weight are those that the hub says."""

    name: str
    ordered: int
    quantity: int
    weighed: Decimal | None
    unit: str
    price: int
    vat_rate: Decimal
    amount: int
    by_hub: bool = False


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What the hub says that it owes, in minor units, where that is not what stands.

    called_off: it has cancelled the order
    state:      what the producer says to it, as `InstanceOrder.receipt`; objection: why it disputes it
    """

    total: int
    called_off: bool
    state: Receipt
    objection: str

    @property
    def is_open(self) -> bool:
        return self.state not in ("taken", "agreed")


@dataclass(frozen=True, kw_only=True)
class OrderStatement:
    """All amounts in minor units of `currency`; `vat` by rate, in percent as text, is contained in `total`. `claim`:
    what the hub says instead, and the producer has not agreed to; None: nothing."""

    order_iri: str
    session_name: str
    state: str
    currency: str
    lines: tuple[StatementLine, ...]
    vat: dict[str, int]
    total: int
    claim: Claim | None = None


def statement_of(order: InstanceOrder) -> OrderStatement:
    """Returns what the hub owes the producer by the facts: the sum to which the producer agreed last, else what it has
    answered. VAT is rounded once for each rate, half up."""
    claim = claim_of(order)
    return replace(agreed_statement(order), claim=claim if claim is not None and claim.is_open else None)


def agreed_statement(order: InstanceOrder) -> OrderStatement:
    """As `statement_of`, without what is claimed besides."""
    agreed = agreed_sum(order.facts)
    if agreed is None:
        return answered_statement(order)
    goods = delivered_by(order.facts, agreed.number)
    got = [(line, goods[line.number]) for line in order.lines if line.number in goods]
    lines = tuple(_delivered(line, fact) for line, fact in got if fact.pieces or fact.amount)
    return replace(_statement(order, lines), total=agreed.amount or 0)


def answered_statement(order: InstanceOrder) -> OrderStatement:
    """Returns what the hub would owe by the answers alone. Lines without one are as they were ordered."""
    standing = standing_of(order.facts)
    lines = (_answered(line, standing.get(line.number) if line.number else None) for line in order.lines)
    return _statement(order, tuple(line for line in lines if line.quantity))


def claimed_statement(order: InstanceOrder) -> OrderStatement:
    """Returns what the hub says that it owes now. Where it has said what it got, the sum is the hub's, with deposits
    and fees."""
    if order.owed is not None:
        return replace(received_statement(order), total=order.owed)
    return wanted_statement(order)


def wanted_statement(order: InstanceOrder) -> OrderStatement:
    """Returns what the hub would owe by the pieces that it wants now, whatever it says that it got."""
    lines = (_answered(replace(line, confirmed=min(line.coming, line.asked)), None) for line in order.lines)
    return _statement(order, tuple(line for line in lines if line.quantity))


def received_statement(order: InstanceOrder) -> OrderStatement:
    """Returns what the hub says that it got, by line; its sum is that of the lines."""
    return _statement(order, tuple(_received(line) for line in order.lines if line.received or line.received_amount))


def claim_of(order: InstanceOrder) -> Claim | None:
    """What the hub claims instead of what its producer has answered, or agreed to before; None: nothing."""
    fewer = order.called_off or any(line.wanted is not None for line in order.lines)
    if order.owed is None and not fewer and agreed_sum(order.facts) is None:
        return None
    total = claimed_statement(order).total
    return Claim(total=total, called_off=order.called_off, state=order.receipt, objection=order.objection)


def vat_of(amount: int, rate: Decimal, *, included: bool) -> int:
    """VAT at `rate` percent, in minor units, rounded half up; `included`: `amount` contains it."""
    return amount - _rounded(amount / (1 + rate / 100)) if included else _rounded(amount * rate / 100)


def _statement(order: InstanceOrder, lines: tuple[StatementLine, ...]) -> OrderStatement:
    gross: dict[Decimal, int] = {}
    for line in lines:
        gross[line.vat_rate] = gross.get(line.vat_rate, 0) + line.amount
    vat = {f"{rate:f}": vat_of(amount, rate, included=order.includes_vat) for rate, amount in sorted(gross.items())}
    added = 0 if order.includes_vat else sum(vat.values())
    return OrderStatement(
        order_iri=order.iri,
        session_name=order.session_name,
        state=order.state,
        currency=order.currency,
        lines=lines,
        vat=vat,
        total=sum(gross.values()) + added,
    )


def _answered(line: Line, fact: OrderFact | None) -> StatementLine:
    """By what stands of the line. What its producer has weighed changes no sum: the hub weighs what it pays."""
    pieces = line.coming if fact is None or fact.pieces is None else fact.pieces
    amount = line.cost_of(pieces) if fact is None or fact.amount is None else fact.amount
    return StatementLine(
        name=line.name,
        ordered=line.quantity,
        quantity=pieces,
        weighed=line.final_quantity,
        unit=line.unit,
        price=line.price,
        vat_rate=line.vat_rate,
        amount=amount,
    )


def _delivered(line: Line, fact: OrderFact) -> StatementLine:
    return _received(
        replace(line, received=fact.pieces, received_quantity=fact.weight, received_amount=fact.amount or 0)
    )


def _received(line: Line) -> StatementLine:
    return StatementLine(
        name=line.name,
        ordered=line.quantity,
        quantity=line.received or 0,
        weighed=line.received_quantity,
        unit=line.unit,
        price=line.price,
        vat_rate=line.vat_rate,
        amount=line.received_amount or 0,
        by_hub=True,
    )


def _rounded(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


# Compares what a hub's books say that it owes a producer elsewhere with the order between the two instances.

_order = federation_order.c


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
            yield SumDifference(
                hub_id=hub_id,
                supplier_id=supplier_id,
                producer=order.other_name,
                sale=order.session_name,
                currency=order.currency,
                books=total,
                statement=statement,
                kind="sums_differ",
                subject_id=order.id,
                peer_id=order.peer_id,
            )


def _agree(order: InstanceOrder, statement: int, books: OwedToSupplier | None) -> bool:
    """Whether both come to the same. An order knows of no deposits and fees before its producer has agreed to a sum
    with them. A net price becomes a gross one for each piece in the books, and for the whole in the order: that may
    differ by a minor unit a piece."""
    if books is None:
        return statement == 0
    goods = books.total - books.deposits
    rounding = sum(line.quantity for line in order.lines) if not order.includes_vat else 0
    return any(abs(statement - total) <= rounding for total in (books.total, goods, goods - books.fees))


def compare_sums(tx: Transaction) -> None:
    note_differences(tx, recent_differences(tx))
