"""What a line costs the shop, in SQL: on the purchase terms that were in force when it was ordered."""

from __future__ import annotations

from sqlalchemy import ColumnElement, FromClause, case, func, select

from ..catalogs.tables import purchase_terms
from ..orders.tables import order_line

_line, _terms = order_line.c, purchase_terms.c
_EARLIER = purchase_terms.alias("earlier")
_ALL = 10_000  # hundredths of a percent


def with_purchase_terms(lines: FromClause) -> FromClause:
    """Joins `lines`, which contain `order_line`, with the terms on which each was bought."""
    in_force = (
        select(func.max(_EARLIER.c.id))
        .where(_EARLIER.c.item_id == _line.item_id, _EARLIER.c.id < _line.id)
        .correlate(order_line)
        .scalar_subquery()
    )
    return lines.outerjoin(purchase_terms, _terms.id == in_force)


def purchase_price() -> ColumnElement[int]:
    """Returns the price of one piece in minor units, rounded half up; without terms it is the selling price."""
    without_margin = (_line.price * (_ALL - _terms.margin) + _ALL // 2) // _ALL
    return case(
        (_terms.price.is_not(None), _terms.price), (_terms.margin.is_not(None), without_margin), else_=_line.price
    )


def purchase_amount() -> ColumnElement[int]:
    """Returns what the line costs in minor units: its pieces, or its weight in proportion to the weight of a piece.

    The weight counts by the amount that the customer pays for it, so that both are rounded from the same weight.
    """
    price: object = purchase_price()
    by_weight = (2 * _line.amount * price + _line.price) // (2 * _line.price)
    is_by_pieces = _line.final_quantity.is_(None) | (_line.price == 0)
    return case((is_by_pieces, price * _line.quantity), else_=by_weight)
