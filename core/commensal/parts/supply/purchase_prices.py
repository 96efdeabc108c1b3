"""What a line costs the shop, in SQL, by the price that was fixed when it was ordered.

Every sum for a supplier reads it here, whether it stands in an order, in books, a statement, a report or a payment.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Numeric, Text, bindparam, case, cast, func, select, type_coerce, update

from ...orders.tables import customer_order, order_line
from ...storage.database import Transaction, Whole

_order, _line = customer_order.c, order_line.c
_ALL = 10_000  # hundredths of a percent


def purchase_price() -> ColumnElement[int]:
    """Returns the price of one piece in minor units, as it was agreed when the line was ordered.

    `commensal check` names lines without one, which no version writes; they would be paid by what customers pay.
    """
    return func.coalesce(_line.cost, _line.list_price, _line.price)


def purchase_amount() -> ColumnElement[int]:
    """Returns what the line costs in minor units: its pieces, or its weight at the price of a piece for what a piece is
    sold as, rounded once, half up.

    Like its customer, the shop pays for no more than the product's tolerance allows. What was settled stays as it was.
    """
    price: Any = purchase_price()
    weight, size = _millionths(_line.final_quantity), _millionths(_line.unit_quantity)
    at_most: Any = _line.quantity * (_ALL + _hundredths(_line.weight_tolerance))  # in ten-thousandths of a piece
    by_weight = (2 * price * weight + size) // (2 * size)
    by_tolerance = (2 * price * at_most + _ALL) // (2 * _ALL)
    return case(
        (_line.settled_cost.is_not(None), _line.settled_cost),
        (_line.final_quantity.is_(None), price * _line.quantity),
        (weight * _ALL > size * at_most, by_tolerance),  # never without a tolerance: it is unknown then
        else_=by_weight,
    )


def settle_costs(tx: Transaction, session_id: str) -> None:
    """Fixes what the weighed lines of a session cost, as later versions might round it otherwise. Two statements.

    What is not weighed costs its pieces at a price that never changes.
    """
    weighed = (_order.session_id == session_id, _line.final_quantity.is_not(None))
    bought = order_line.join(customer_order, _order.id == _line.order_id)
    costs = tx.all(select(_line.id.label("line"), purchase_amount().label("whole")).select_from(bought).where(*weighed))
    if costs:
        settle = update(order_line).where(_line.id == bindparam("line")).values(settled_cost=bindparam("whole"))
        tx.execute(settle, [dict(row) for row in costs])


def unsettle_costs(tx: Transaction, session_id: str) -> None:
    """Has the lines of a session cost what their weights and prices say again."""
    of_session = select(_order.id).where(_order.session_id == session_id)
    settled = update(order_line).where(_line.order_id.in_(of_session), _line.settled_cost.is_not(None))
    tx.execute(settled.values(settled_cost=None))


def _millionths(column: ColumnElement[Decimal | None]) -> ColumnElement[int]:
    return _scaled(column, 1_000_000)


def _hundredths(column: ColumnElement[Decimal | None]) -> ColumnElement[int]:
    return _scaled(column, 100)


def _scaled(column: ColumnElement[Decimal | None], parts: int) -> ColumnElement[int]:
    """A decimal, which is stored as text, as a whole number: products of it are exact on both databases."""
    return cast(func.round(cast(type_coerce(column, Text), Numeric) * parts), Whole)
