"""Packing: where the goods of a session stand, and into how many crates an order went."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from ...base.errors import Invalid, Problem
from ...base.units.handling import Zone, zone_of
from ...enterprises.tables import enterprise
from ...orders.lock import refuse_if_handed_over, refuse_unless_placed
from ...orders.questions import order_by_id
from ...orders.tables import customer_order, order_line
from ...orders.values import Order
from ...orders.write import change_row
from ...products.tables import supplied_product
from ...storage.database import Transaction

MOST_CRATES = 99  # of one order: labels count them in two digits


def pack_into(tx: Transaction, order: Order, crates: int | None) -> Order:
    """Records into how many crates the locked `order` was packed; None: nobody has counted them.

    Raises `Invalid` for a number that is none of crates, `Conflict` for an order that is cancelled or handed over.
    """
    refuse_unless_placed(order)
    refuse_if_handed_over(order)
    if crates is not None and not 1 <= crates <= MOST_CRATES:
        text = "An order is packed into 1 to {most} crates."
        raise Invalid([Problem("crates", text, "/crates", {"most": MOST_CRATES})])
    if crates != order.crates:
        change_row(tx, order.id, order.version, {"crates": crates})
    return order_by_id(tx, order.id, enterprise_id=order.enterprise_id)


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """Where a product stands until it is packed, and the name of who brought it."""

    zone: Zone
    supplier: str


def shelves_of_session(tx: Transaction, enterprise_id: str, session_id: str) -> dict[str, Shelf]:
    """Returns where each product that was ordered in a shop's session stands, by product id, in one statement."""
    product, order = supplied_product.c, customer_order.c
    ordered = select(order_line.c.product_id).join(customer_order, order.id == order_line.c.order_id)
    ordered = ordered.where(order.session_id == session_id, order.enterprise_id == enterprise_id)
    statement = select(product.id, product.product_type, product.handling, enterprise.c.name.label("supplier"))
    statement = statement.join(enterprise, enterprise.c.id == product.enterprise_id).where(product.id.in_(ordered))
    return {
        row["id"]: Shelf(zone=zone_of(row["product_type"], row["handling"]), supplier=row["supplier"])
        for row in tx.all(statement)
    }
