"""Packing and collection: where goods stand, into how many crates an order went, and where they are collected."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from ...base.errors import Invalid, Problem
from ...base.units.facets import Zone, zone_of
from ...enterprises.tables import enterprise
from ...hooks.dispatcher import Hooks
from ...hooks.values import ShippingOption
from ...orders.lock import refuse_if_handed_over, refuse_unless_placed
from ...orders.questions import order_by_id
from ...orders.shipping import offered_shipping
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


# Where the goods of a sale are collected, for those who bring them there and for its papers.


@dataclass(frozen=True, kw_only=True)
class CollectionPlace:
    """A place at which customers collect the goods of one sale. `name` and `note` are in the reader's language, and ""
    where there is none; `address` is one line.

    begins_at, ends_at: of the hand-out there, from the first slot to the last one (UTC)
    """

    name: str
    address: str
    note: str
    begins_at: datetime
    ends_at: datetime

    @property
    def line(self) -> str:
        """The name and the address on one line."""
        return ", ".join(filter(None, (self.name, self.address)))


def collection_places(
    tx: Transaction, hooks: Hooks, enterprise_id: str, session_id: str, language: str
) -> list[CollectionPlace]:
    """Returns the places of a sale session, by the time at which each begins; none where all is delivered, or where
    plugins name no place.

    It costs the statements of the plugins that offer shipping, and one more.
    """
    return _by_place(offered_shipping(tx, hooks, enterprise_id, session_id, language).values())


def _by_place(options: Iterable[ShippingOption]) -> list[CollectionPlace]:
    of_place: dict[tuple[str, str], list[ShippingOption]] = {}
    for option in options:
        if not option.needs_address and (option.place or option.address):
            of_place.setdefault((option.place, option.address), []).append(option)
    places = [
        CollectionPlace(
            name=name,
            address=address,
            note=slots[0].note,
            begins_at=min(slot.begins_at for slot in slots),
            ends_at=max(slot.ends_at for slot in slots),
        )
        for (name, address), slots in of_place.items()
    ]
    return sorted(places, key=lambda place: (place.begins_at, place.line))
