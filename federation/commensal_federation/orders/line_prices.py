"""The prices of a hub's order, as its customers' orders have fixed them.

Each line of a customer keeps what the hub paid for it at that moment, and the order to the producer says the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import bindparam, select

from commensal import Row, SuppliedProduct, Transaction, enterprise_by_id
from commensal.parts.supply import price_for_seller

from ..catalogue.tables import federation_followed_price, federation_item
from ..messages.bodies.orders import Line

_item, _followed = federation_item.c, federation_followed_price.c
_OFFERED = (
    select(federation_item)
    .where(_item.grant_id == bindparam("grant"), _item.product_id.in_(bindparam("products", expanding=True)))
    .order_by(_item.product_id, _item.iri)
)
PiecesByCost = Mapping[int, int]  # how many pieces were ordered at each purchase price, in the hub's minor units


@dataclass(frozen=True)
class HeardPrice:
    """A price that the producer has told: `price` in minor units as it tells them, in revision `rev` of its item."""

    rev: int
    price: int
    statement: str


@dataclass(frozen=True)
class PricedItem:
    """An item of a producer elsewhere. `heard`: its prices by what they are for the hub, the latest of each;
    `followed`: what the hub pays now, which may be an earlier one; None: it follows none."""

    iri: str
    offer_iri: str
    latest: HeardPrice
    heard: Mapping[int, HeardPrice]
    followed: int | None

    def at(self, cost: int) -> HeardPrice:
        """The price that the hub has noted as this purchase price; the latest where it was none of the producer's."""
        return self.heard.get(cost, self.latest)

    def first(self, pieces: PiecesByCost | None) -> HeardPrice:
        """The price at which the first pieces were ordered; of an order that is passed on, the one that is followed."""
        cost = next(iter(pieces)) if pieces else self.followed
        return self.latest if cost is None else self.at(cost)


def offered_items(
    tx: Transaction, grant_id: str, hub_id: str, producer_id: str, products: Mapping[str, SuppliedProduct]
) -> dict[str, PricedItem]:
    """Returns the items of these products, by product: of one in two catalogs the first. Four statements at most."""
    rows = tx.all(_OFFERED, {"grant": grant_id, "products": sorted(products)}) if products else ()
    if not rows:
        return {}
    of_hub = select(_followed.product_id, _followed.price).where(_followed.enterprise_id == hub_id)
    followed_rows = tx.all(of_hub.where(_followed.product_id.in_(sorted(products))))
    prices_now = {row["product_id"]: row["price"] for row in followed_rows}
    hub, producer = enterprise_by_id(tx, hub_id), enterprise_by_id(tx, producer_id)
    items = {}
    for row in reversed(rows):
        prices = _heard(row)
        at_hub = [price_for_seller(each.price, products[row["product_id"]], producer, hub) or 0 for each in prices]
        by_cost = dict(reversed(list(zip(at_hub, prices, strict=True))))
        items[row["product_id"]] = PricedItem(
            row["iri"], row["offer_iri"], prices[0], by_cost, prices_now.get(row["product_id"])
        )
    return items


def with_ordered_amount(line: Line, offered: PricedItem | None, pieces: PiecesByCost | None) -> Line:
    """Returns the line with what all its pieces cost together, if customers have ordered them at several prices.

    None of them is a price from before that of the line, which the producer does not take any more: after a restore the
    hub may have sold at one, and the difference is its own.
    """
    if offered is None or not pieces or sum(pieces.values()) != line.quantity:
        return replace(line, ordered_amount=None)
    heard = {cost: offered.at(cost) for cost in pieces}
    prices = {cost: each.price if each.rev >= line.rev else line.price for cost, each in heard.items()}
    amount = sum(prices[cost] * count for cost, count in pieces.items())
    return replace(line, ordered_amount=None if amount == line.price * line.quantity else amount)


def _heard(row: Row) -> Sequence[HeardPrice]:
    """The item's prices, the newest first."""
    return [HeardPrice(row["rev"], row["price"], row["statement"]), *(HeardPrice(*each) for each in row["earlier"])]
