"""Suppliers answer purchase orders: all will come, or less of some lines, which takes pieces off customers' orders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select, update

from ...base.errors import Conflict, Invalid, Problem
from ...base.texts import read_text
from ...enterprises.tables import enterprise
from ...hooks.dispatcher import Hooks
from ...orders.lock import locked_order
from ...orders.tables import customer_order, order_line
from ...stock.tables import stock_lot
from ...storage.database import Row, Transaction
from ..copies.lending import write_off
from ..distribution.distribution import CustomersLine
from ..order_corrections.substitutes import shorten_order
from .policy import Shortage, closing_policy_of
from .purchase_orders import PurchaseOrder, PurchaseOrderLine, locked_orders, refuse_over, revise_order
from .purchase_prices import purchase_price
from .shortage_shares import shares
from .tables import purchase_order, purchase_order_line

LONGEST_REASON = 200


@dataclass(frozen=True, kw_only=True)
class LineAnswer:
    """What a supplier says of a line: so many pieces will come; `reason` says why there are fewer than ordered."""

    confirmed: int
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class CustomerCut:
    """Pieces that a customer's order loses: `before` and `after` are those of one line of it."""

    order_id: str
    number: int
    customer: str
    line_id: str
    product: str
    before: int
    after: int


@dataclass(frozen=True)
class _Cut:
    customer: CustomerCut
    lot_id: str  # "" for a lot that is not counted
    grains: int


def cuts_of_answer(
    tx: Transaction, order: PurchaseOrder, answers: Mapping[str, LineAnswer], *, shortage: Shortage | None = None
) -> list[CustomerCut]:
    """Returns what this answer takes off customers' orders, without doing it; `answers` are by line id.

    `shortage` decides who gets less; None: the shop's policy. Raises `Invalid`.
    """
    _refuse_wrong(order, answers)
    return [cut.customer for cut in _cuts(tx, order, answers, shortage)]


@dataclass(frozen=True, kw_only=True)
class MissingGoods:
    """Goods of which a supplier brings fewer than were ordered, or none; `reason`: what was written about it, or ""."""

    product_id: str
    name: str
    supplier: str
    reason: str
    none_comes: bool


def missing_of_order(tx: Transaction, order_id: str) -> list[MissingGoods]:
    """Returns which goods of a customer's order their suppliers bring fewer of, by name, in one statement."""
    supply, line = purchase_order.c, purchase_order_line.c
    statement = (
        select(
            line.product_id,
            line.name,
            enterprise.c.name.label("supplier"),
            line.reason,
            (line.confirmed == 0).label("none_comes"),
        )
        .distinct()
        .select_from(customer_order)
        .join(order_line, order_line.c.order_id == customer_order.c.id)
        .join(purchase_order, supply.session_id == customer_order.c.session_id)
        .join(purchase_order_line, line.order_id == supply.id)
        .join(enterprise, enterprise.c.id == supply.supplier_id)
        .where(customer_order.c.id == order_id, supply.enterprise_id == customer_order.c.enterprise_id)
        .where(line.product_id == order_line.c.product_id, line.unit_quantity == order_line.c.unit_quantity)
        .where(line.confirmed < line.quantity)
        .order_by(line.name, line.reason)
    )
    return [MissingGoods(**row) for row in tx.all(statement)]


def answer_purchase_order(
    tx: Transaction,
    hooks: Hooks,
    order_id: str,
    answers: Mapping[str, LineAnswer],
    *,
    shortage: Shortage | None = None,
    lost: bool = True,
    received: bool = False,
    by: str | None = None,
) -> PurchaseOrder:
    """Answers an order: the lines in `answers` (by line id) as they say, all others will come as ordered.

    Customers' orders lose what will not come, as `shortage` says (None: the shop's policy). With `lost` those pieces
    are written off the supplier's stock; else they are on sale again. `received`: the shop has counted what came, which
    a supplier that answers cannot know. The caller knows that the order is the actor's,
    as its shop or its supplier. Raises `Invalid`, and `Conflict` once the distribution is over.
    """
    (order,) = locked_orders(tx, [order_id])
    refuse_over(order, tx.now)
    _refuse_wrong(order, answers)
    cuts = _cuts(tx, order, answers, shortage)
    for line in order.lines:
        answer = answers.get(line.id, LineAnswer(confirmed=line.quantity))
        values = {"confirmed": answer.confirmed, "reason": answer.reason.strip()}
        tx.execute(update(purchase_order_line).where(purchase_order_line.c.id == line.id).values(values))
    shortened = any(answers[line.id].confirmed < line.quantity for line in order.lines if line.id in answers)
    state = "shortened" if shortened else "confirmed"
    values = {"state": state, "answered_at": tx.now, "version": order.version + 1}
    values |= {"received_at": tx.now} if received else {}
    tx.execute(update(purchase_order).where(purchase_order.c.id == order.id).values(values))
    _cut_orders(tx, hooks, order, cuts, lost=lost, by=by)
    revise_order(tx, order.id)
    (answered,) = locked_orders(tx, [order.id])
    return answered


def _refuse_wrong(order: PurchaseOrder, answers: Mapping[str, LineAnswer]) -> None:
    lines = {line.id: line for line in order.lines}
    problems: list[Problem] = []
    for line_id, answer in answers.items():
        where = f"/lines/{line_id}"
        line = lines.get(line_id)
        if line is None:
            problems.append(Problem("no_line", "This order has no such line.", where))
        elif not 0 <= answer.confirmed <= line.quantity:
            text = "Between 0 and {most} pieces of {name} can be confirmed."
            values = {"most": line.quantity, "name": line.name}
            problems.append(Problem("confirmed", text, f"{where}/confirmed", values))
        read_text(answer.reason, f"{where}/reason", problems, most=LONGEST_REASON)
    if problems:
        raise Invalid(problems)


def _cuts(
    tx: Transaction, order: PurchaseOrder, answers: Mapping[str, LineAnswer], shortage: Shortage | None
) -> list[_Cut]:
    policy = shortage or closing_policy_of(tx, order.enterprise_id).shortage
    cuts: list[_Cut] = []
    for line in order.lines:
        if line.id not in answers or answers[line.id].confirmed >= line.quantity:
            continue
        rows = customers_rows(tx, order, line)
        ordered = sum(row["quantity"] for row in rows)
        missing = min(ordered, line.quantity) - answers[line.id].confirmed
        open_rows = [row for row in rows if row["fulfilment_state"] != "Fulfilled"]
        parts = [
            CustomersLine(order_id=row["id"], line_id=row["line_id"], quantity=row["quantity"]) for row in open_rows
        ]
        fewer = shares(parts, max(0, missing), policy)
        cuts += [_cut(row, line, pieces) for row, pieces in zip(open_rows, fewer, strict=True) if pieces]
    return cuts


def _cut(row: Row, line: PurchaseOrderLine, pieces: int) -> _Cut:
    customer = CustomerCut(
        order_id=row["id"],
        number=row["number"],
        customer=row["name"],
        line_id=row["line_id"],
        product=line.name,
        before=row["quantity"],
        after=row["quantity"] - pieces,
    )
    return _Cut(customer, "" if row["unlimited"] else row["lot_id"], pieces * row["lot_quantity"])


def customers_rows(tx: Transaction, order: PurchaseOrder, line: PurchaseOrderLine) -> list[Row]:
    """Returns customers' lines that a line of the order sums up, the newest order first."""
    of_customer, placed = order_line.c, customer_order.c
    joined = customer_order.join(order_line, of_customer.order_id == placed.id).join(
        stock_lot, stock_lot.c.id == of_customer.lot_id
    )
    statement = (
        select(
            placed.id,
            placed.number,
            placed.name,
            placed.fulfilment_state,
            of_customer.id.label("line_id"),
            of_customer.quantity,
            of_customer.lot_id,
            of_customer.lot_quantity,
            stock_lot.c.unlimited,
        )
        .select_from(joined)
        .where(placed.session_id == order.session_id, placed.state.in_(("Held", "Complete")))
        .where(of_customer.product_id == line.product_id, of_customer.quantity > 0)
        .where(of_customer.vat_rate == line.vat_rate, purchase_price() == line.price)
        .order_by(placed.placed_at.desc(), placed.id.desc(), of_customer.id)
    )
    return list(tx.all(statement))


def _cut_orders(
    tx: Transaction, hooks: Hooks, order: PurchaseOrder, cuts: list[_Cut], *, lost: bool, by: str | None
) -> None:
    """Shortens each customer's order once, in the order of their ids, and writes off what is lost."""
    fewer: dict[str, dict[str, int]] = {}
    for cut in cuts:
        customer = cut.customer
        fewer.setdefault(customer.order_id, {})[customer.line_id] = customer.before - customer.after
    for order_id in sorted(fewer):
        shorten_order(tx, hooks, locked_order(tx, order_id, enterprise_id=order.enterprise_id), fewer[order_id], by=by)
    if not lost:
        return
    grains: dict[str, int] = {}
    for cut in cuts:
        if cut.lot_id:
            grains[cut.lot_id] = grains.get(cut.lot_id, 0) + cut.grains
    for lot_id in sorted(grains):
        if not write_off(tx, lot_id, grains[lot_id]):
            raise Conflict("stock_changed", "The stock of this supplier has just changed; please try again.")
