"""Records the weights measured at packing: a line's price follows its weight, and so does the stock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from ..base.errors import Invalid, Problem
from ..hooks.dispatcher import Hooks
from ..pricing.lines import with_amount
from ..stock.take import weigh_stock
from ..storage.database import Transaction
from .lock import refuse_if_handed_over, refuse_unless_placed
from .proof import known_customer_of
from .rewrite import Difference, rewrite
from .sale_context import sale_context
from .values import Order

_HEAVIEST = 10  # times the quantity ordered: a larger weight is a misplaced decimal point


def weigh_order(
    tx: Transaction, hooks: Hooks, order: Order, weights: Mapping[str, Decimal], *, by: str | None = None
) -> Order:
    """Sets the final quantity of lines of the locked `order`, by line id, in the line's own unit (all pieces together).

    Zero means that the line could not be delivered. Weights that the lines have already change nothing, and nobody gets
    an e-mail. Raises `Invalid` naming every line that is not in the order, is not sold by weight, or has an impossible
    weight; `Conflict` for an order that is cancelled or handed over.
    """
    refuse_unless_placed(order)
    refuse_if_handed_over(order)
    lines = {line.id: line for line in order.lines}
    problems = []
    for line_id, weight in weights.items():
        where = f"/weights/{line_id}"
        line = lines.get(line_id)
        if line is None:
            problems.append(Problem("no_line", "This order has no such line.", where))
        elif not line.weighed:
            text = "{name} is sold by the piece; change its quantity instead."
            problems.append(Problem("not_weighed", text, where, {"name": line.name}))
        elif not weight.is_finite() or not 0 <= weight <= line.unit_quantity * line.quantity * _HEAVIEST:
            text = "{weight} cannot be right for {name}: {ordered} were ordered."
            values = {"weight": weight, "name": line.name, "ordered": line.unit_quantity * line.quantity}
            problems.append(Problem("weight", text, where, values))
    if problems:
        raise Invalid(problems)
    if all(lines[line_id].final_quantity == weight for line_id, weight in weights.items()):
        return order
    weighed = tuple(
        with_amount(replace(line, final_quantity=weights[line.id])) if line.id in weights else line
        for line in order.lines
    )
    shop, customer = sale_context(tx, order.session_id), known_customer_of(tx, order)
    return rewrite(tx, hooks, shop, customer, order, weighed, by=by, changed_by="scales", move_stock=_move_by_weight)


def _move_by_weight(tx: Transaction, difference: Difference, order_id: str, person_id: str | None) -> Sequence[str]:
    weigh_stock(tx, difference, order_id=order_id, person_id=person_id)
    return ()  # the goods are packed: nobody waits to hear that they are gone
