"""The statement of an order between instances, the same on both sides, since both have the same lines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from ..messages.bodies.orders import InstanceOrder, Line


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
class OrderStatement:
    """All amounts in minor units of `currency`; `vat` by rate, in percent as text, is contained in `total`."""

    order_iri: str
    session_name: str
    state: str
    currency: str
    lines: tuple[StatementLine, ...]
    vat: dict[str, int]
    total: int


def statement_of(order: InstanceOrder) -> OrderStatement:
    """Returns what the hub owes the producer: by what it got where the producer has agreed or that follows from the
    order, else by the answers so far. VAT is rounded once for each rate, half up."""
    return received_statement(order) if order.receipt_counts else answered_statement(order)


def answered_statement(order: InstanceOrder) -> OrderStatement:
    """Returns what the hub would owe by the answers alone."""
    return _statement(order, tuple(_answered(line) for line in order.lines if line.coming))


def received_statement(order: InstanceOrder) -> OrderStatement:
    """Returns what the hub says that it owes. Its sum is the hub's, if it has said one: that has
    deposits and fees, too."""
    lines = tuple(_received(line) for line in order.lines if line.received or line.received_amount)
    statement = _statement(order, lines)
    return statement if order.owed is None else replace(statement, total=order.owed)


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


def _answered(line: Line) -> StatementLine:
    weight = line.unit_quantity * line.coming if line.final_quantity is None else line.final_quantity
    amount = _rounded(line.amount_of(weight))
    return StatementLine(
        name=line.name,
        ordered=line.quantity,
        quantity=line.coming,
        weighed=line.final_quantity,
        unit=line.unit,
        price=line.price,
        vat_rate=line.vat_rate,
        amount=amount,
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
