"""Empties that customers bring back: counted at the hand-out, and credited on the order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import groupby
from operator import itemgetter

from sqlalchemy import delete, func, insert, select

from ...base.errors import Conflict, Invalid, Problem
from ...base.languages.catalogs import plural
from ...base.money import Money
from ...catalogs.tables import catalog, catalog_item
from ...enterprises.tables import enterprise
from ...events.announce import announce
from ...hooks import specifications
from ...orders.lock import refuse_unless_placed
from ...orders.place import payment_state
from ...orders.price import KIND, is_return
from ...orders.questions import order_by_id
from ...orders.sale_context import refuse_if_books_closed, sale_context
from ...orders.tables import adjustment, container_return, customer_order, order_line
from ...orders.values import Order
from ...orders.write import change_row
from ...pricing.values import CUSTOMER, Phase
from ...products.tables import supplied_product
from ...sale_sessions.tables import sale_session
from ...storage.database import Row, Transaction, insert_rows

MOST_RETURNED = 100  # containers of one kind on one order: more is a slip
ContainerKey = tuple[str, int]  # the supplier's id, and the deposit in minor units
_LATELY = timedelta(days=120)  # people bring back in batches
_USUAL = 3  # kinds that stand on every order
_now = customer_order.alias("now")
_row = container_return.c


@dataclass(frozen=True, kw_only=True)
class DepositKind:
    """Containers of a supplier with one deposit, in minor units of the shop's currency for a piece.

    goods: names of what comes in them, by name
    sizes: their contents, each a number and a DFC measure, the smallest number first
    """

    supplier_id: str
    supplier: str
    deposit: int
    goods: tuple[str, ...]
    sizes: tuple[tuple[Decimal, str], ...]

    @property
    def key(self) -> ContainerKey:
        return self.supplier_id, self.deposit


@dataclass(frozen=True, kw_only=True)
class LikelyReturns:
    """Containers that are likely to come back to a sale.

    usual: those that most customers of the shop have brought back lately
    had:   those that the customer of an order has got lately, by order id
    """

    usual: frozenset[ContainerKey]
    had: Mapping[str, frozenset[ContainerKey]]


@dataclass(frozen=True, kw_only=True)
class Returned:
    """`pieces` containers of a supplier with a `deposit` that came back."""

    supplier_id: str
    deposit: int
    pieces: int


def deposit_kinds(tx: Transaction, enterprise_id: str, currency: str) -> list[DepositKind]:
    """Returns the containers in which the goods of a shop's catalogs come, by supplier and deposit. One statement."""
    product = supplied_product.c
    statement = (
        select(
            product.enterprise_id.label("supplier_id"),
            enterprise.c.name.label("supplier"),
            product.deposit,
            product.name,
            product.quantity,
            product.unit,
        )
        .distinct()
        .join_from(catalog_item, catalog, catalog.c.id == catalog_item.c.catalog_id)
        .join(supplied_product, product.id == catalog_item.c.product_id)
        .join(enterprise, enterprise.c.id == product.enterprise_id)
        .where(catalog.c.enterprise_id == enterprise_id, product.deposit > 0, enterprise.c.currency == currency)
        .order_by(enterprise.c.name, product.enterprise_id, product.deposit, product.name)
    )
    return [_kind(list(rows)) for _, rows in groupby(tx.all(statement), itemgetter("supplier_id", "deposit"))]


def _kind(rows: Sequence[Row]) -> DepositKind:
    return DepositKind(
        supplier_id=rows[0]["supplier_id"],
        supplier=rows[0]["supplier"],
        deposit=rows[0]["deposit"],
        goods=tuple(dict.fromkeys(row["name"] for row in rows)),
        sizes=tuple(sorted({(row["quantity"], row["unit"]) for row in rows})),
    )


def likely_returns(tx: Transaction, enterprise_id: str, session_id: str, *, order_id: str = "") -> LikelyReturns:
    """Returns which containers are likely to come back with the orders of a session, or with one of them.

    By what came back in the shop's sales that closed lately, and what was handed over there to the same e-mail address.
    Two statements.
    """
    earlier, line, session = customer_order.c, order_line.c, sale_session.c
    lately = (session.enterprise_id == enterprise_id, session.closes_at > tx.now - _LATELY, session.id != session_id)
    joined = sale_session.join(customer_order, session.id == earlier.session_id)
    came_back = (
        select(_row.supplier_id, _row.deposit)
        .select_from(joined.join(container_return, _row.order_id == earlier.id))
        .where(*lately)
        .group_by(_row.supplier_id, _row.deposit)
        .having(func.sum(_row.pieces) > 0)
        .order_by(func.count(_row.order_id.distinct()).desc(), _row.supplier_id, _row.deposit)
        .limit(_USUAL)
    )
    of_sale = (_now.c.session_id == session_id, _now.c.enterprise_id == enterprise_id, _now.c.email != "")
    got = (
        select(_now.c.id, line.supplier_id, line.deposit)
        .distinct()
        .select_from(joined.join(_now, _now.c.email == earlier.email).join(order_line, line.order_id == earlier.id))
        .where(*lately, *of_sale, earlier.fulfilment_state == "Fulfilled", line.deposit > 0, line.quantity > 0)
    )
    if order_id:
        got = got.where(_now.c.id == order_id)
    had: dict[str, set[ContainerKey]] = {}
    for row in tx.all(got):
        had.setdefault(row["id"], set()).add((row["supplier_id"], row["deposit"]))
    return LikelyReturns(
        usual=frozenset((row["supplier_id"], row["deposit"]) for row in tx.all(came_back)),
        had={order: frozenset(keys) for order, keys in had.items()},
    )


def returned_of(tx: Transaction, order_id: str) -> list[Returned]:
    """Returns the containers that count on an order, by supplier and deposit."""
    pieces = func.sum(_row.pieces).label("pieces")
    statement = select(_row.supplier_id, _row.deposit, pieces).where(_row.order_id == order_id)
    statement = statement.group_by(_row.supplier_id, _row.deposit).having(func.sum(_row.pieces) != 0)
    rows = tx.all(statement.order_by(_row.supplier_id, _row.deposit))
    return [Returned(supplier_id=row["supplier_id"], deposit=row["deposit"], pieces=int(row["pieces"])) for row in rows]


def returned_of_session(tx: Transaction, enterprise_id: str, session_id: str) -> dict[str, list[Returned]]:
    """Returns the containers that count on the orders of a shop's session, by order id. One statement."""
    order, pieces = customer_order.c, func.sum(_row.pieces).label("pieces")
    statement = (
        select(_row.order_id, _row.supplier_id, _row.deposit, pieces)
        .join(customer_order, order.id == _row.order_id)
        .where(order.session_id == session_id, order.enterprise_id == enterprise_id)
        .group_by(_row.order_id, _row.supplier_id, _row.deposit)
        .having(func.sum(_row.pieces) != 0)
    )
    returned: dict[str, list[Returned]] = {}
    for row in tx.all(statement):
        kind = Returned(supplier_id=row["supplier_id"], deposit=row["deposit"], pieces=int(row["pieces"]))
        returned.setdefault(row["order_id"], []).append(kind)
    return returned


def count_returned(tx: Transaction, order: Order, returned: Sequence[Returned], *, by: str | None = None) -> Order:
    """Makes `returned` the containers that count on the locked `order`; kinds that it does not name stay as they are.

    Said again, it changes nothing; another number is a correction, in a row of its own. The order costs as much less.
    Raises `Conflict` for an order that is cancelled, and for more than it costs; `Invalid` for containers in which
    nothing of the shop comes, or an impossible number.
    """
    refuse_unless_placed(order)
    refuse_if_books_closed(sale_context(tx, order.session_id))
    before = {(each.supplier_id, each.deposit): each.pieces for each in returned_of(tx, order.id)}
    changes = {
        (each.supplier_id, each.deposit): each.pieces - before.get((each.supplier_id, each.deposit), 0)
        for each in returned
    }
    _refuse_impossible(tx, order, returned, before)
    rows = [
        {
            "id": tx.new_id(),
            "enterprise_id": order.enterprise_id,
            "order_id": order.id,
            "supplier_id": supplier_id,
            "deposit": deposit,
            "pieces": pieces,
            "at": tx.now,
            "person_id": by,
        }
        for (supplier_id, deposit), pieces in changes.items()
        if pieces
    ]
    return _record(tx, order, rows) if rows else order


def undo_returned(tx: Transaction, order: Order, *, by: str | None = None) -> Order:
    """Takes back, by opposite rows, the containers that were counted in the transaction that handed `order` over."""
    of_hand_over = (_row.order_id == order.id, _row.at == order.fulfilled_at)
    rows = [
        {**row, "id": tx.new_id(), "pieces": -row["pieces"], "at": tx.now, "person_id": by}
        for row in tx.all(select(container_return).where(*of_hand_over))
    ]
    return _record(tx, order, rows) if rows else order


def _refuse_impossible(
    tx: Transaction, order: Order, returned: Sequence[Returned], before: Mapping[tuple[str, int], int]
) -> None:
    known = set(before) | {(line.supplier_id, line.deposit) for line in order.lines if line.deposit}
    if any((each.supplier_id, each.deposit) not in known for each in returned):
        kinds = deposit_kinds(tx, order.enterprise_id, order.currency)
        known |= {(kind.supplier_id, kind.deposit) for kind in kinds}
    problems = []
    for place, each in enumerate(returned):
        if (each.supplier_id, each.deposit) not in known:
            text = "Nothing of this shop comes in containers with this deposit."
            problems.append(Problem("no_container", text, f"/returned/{place}"))
        elif not 0 <= each.pieces <= max(MOST_RETURNED, before.get((each.supplier_id, each.deposit), 0)):
            text = "Between 0 and {most} containers of one kind come back at once."
            problems.append(Problem("pieces", text, f"/returned/{place}/pieces", {"most": MOST_RETURNED}))
    if problems:
        raise Invalid(problems)


def _record(tx: Transaction, order: Order, rows: Sequence[Mapping[str, object]]) -> Order:
    insert_rows(tx, container_return, rows)
    counted = returned_of(tx, order.id)
    value = sum(each.deposit * each.pieces for each in counted)
    old = sum(adjustment.amount for adjustment in order.adjustments if is_return(adjustment))
    total = order.total - old - value
    if total < 0:
        text = "The order costs {left}; empties beyond that stay with the customer, for the next order."
        raise Conflict("more_than_total", text, left=Money(order.total - old, order.currency))
    of_order = (adjustment.c.order_id == order.id, adjustment.c.kind == KIND, adjustment.c.plugin == "")
    tx.execute(delete(adjustment).where(*of_order))
    if value:
        pieces = sum(each.pieces for each in counted)
        label = plural(order.language, "{number} container returned", "{number} containers returned", pieces)
        values = {
            "id": tx.new_id(),
            "order_id": order.id,
            "position": 1 + len(order.adjustments),
            "line_id": None,
            "phase": str(Phase.ROUNDING),
            "kind": KIND,
            "label": label.format(number=pieces),
            "amount": -value,
            "vat_rate": None,
            "payer": CUSTOMER,
            "payee": order.enterprise_id,
            "code": "",
            "plugin": "",
        }
        tx.execute(insert(adjustment).values(values))
    at_most = order.total_at_most
    sums: dict[str, int | None] = {
        "adjustments_total": order.adjustments_total - old - value,
        "total": total,
        "total_at_most": None if at_most is None else at_most - old - value,
    }
    change_row(tx, order.id, order.version, {**sums, "payment_state": payment_state(order.paid_total, total)})
    announce(tx, specifications.order_changed, customer_order, customer_order.c.id == order.id)
    return order_by_id(tx, order.id, enterprise_id=order.enterprise_id)
