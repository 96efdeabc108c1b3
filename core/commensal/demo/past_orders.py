"""Places the past orders of the region and hands them out, with the commands of `trade.orders`."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from ..hooks.dispatcher import Hooks
from ..storage.database import Transaction
from ..trade.catalogs.visible import VisibleOffer, offers_for
from ..trade.orders.cancel import cancel_order
from ..trade.orders.fulfil import hand_order_over
from ..trade.orders.lock import locked_order
from ..trade.orders.place import place_order
from ..trade.orders.values import Wish
from ..trade.orders.weigh import weigh_order
from ..trade.payments.payments import receive_payment
from ..trade.sale_sessions.values import SaleSession
from .values import Region, Somebody
from .written import People, at

_NOTES = ("", "", "", "", "Je passe vers 18 h.", "Sans sac, merci.", "Ma voisine viendra chercher la commande.")


@dataclass(frozen=True)
class Placed:
    """An order that the hub's packer will hand out at the distribution of its session."""

    order_id: str
    session: SaleSession
    packer: str
    chance: random.Random


def place_past_orders(
    tx: Transaction,
    hooks: Hooks,
    region: Region,
    people: People,
    sessions: Mapping[int, SaleSession],
    weeks_ago: int,
) -> list[Placed]:
    """Places all orders of one week's sales, in order of time; `sessions` are by the index of their hub. Cancels a few,
    and returns the others."""
    placed: list[Placed] = []
    for sale in region.past_sales:
        if sale.weeks_ago == weeks_ago:
            chance = random.Random(f"commensal {region.seed} {sale.hub} {weeks_ago}")
            session, packer = sessions[sale.hub], people.packers[sale.hub]
            shoppers = [(region.shoppers[number].somebody, people.shoppers[number]) for number in sale.shoppers]
            orders = _place(tx, hooks, session, shoppers, chance)
            placed += [Placed(order_id, session, packer, chance) for order_id in orders]
    return placed


def hand_out(tx: Transaction, hooks: Hooks, placed: Iterable[Placed]) -> None:
    """Weighs, hands over and receives the money for all orders, at random times of the distribution."""
    for placed_order in placed:
        session = placed_order.session
        at_distribution = at(
            tx, session.begins_at + (session.ends_at - session.begins_at) * placed_order.chance.random()
        )
        order = locked_order(at_distribution, placed_order.order_id, enterprise_id=session.enterprise_id)
        weights = {
            line.id: _weight(placed_order.chance, line.unit_quantity * line.quantity)
            for line in order.lines
            if line.weighed
        }
        if weights:
            order = weigh_order(at_distribution, hooks, order, weights, by=placed_order.packer)
        hand_order_over(at_distribution, order, by=placed_order.packer)
        receive_payment(
            at_distribution, enterprise_id=order.enterprise_id, order_id=order.id, method="cash:cash",
            amount=order.total, idempotency_key=f"demo {order.id}", person_id=placed_order.packer,
        )  # fmt: skip


def _place(
    tx: Transaction,
    hooks: Hooks,
    session: SaleSession,
    shoppers: Sequence[tuple[Somebody, str]],
    chance: random.Random,
) -> Iterator[str]:
    shelf = _Shelf(offers_for(tx, session.id, ()))
    moments = sorted(_moment(chance, session) for _ in shoppers)
    for moment, (somebody, person_id) in zip(moments, shoppers, strict=True):
        at_moment, items = at(tx, moment), shelf.fill_basket(chance, moment)
        wish = Wish(
            items=items,
            name=somebody.name,
            email=somebody.email,
            phone=somebody.phone,
            note=chance.choice(_NOTES),
            payment_method="cash:cash",
        )
        order = place_order(at_moment, hooks, session.id, wish, person_id=person_id)
        if chance.random() < 0.03:
            cancel_order(at_moment, hooks, order, by=person_id)
        else:
            yield order.id


class _Shelf:
    """The stock that is left while shoppers order one by one, so that no past order exceeds it."""

    def __init__(self, offers: Sequence[VisibleOffer]) -> None:
        self._offers = offers
        self._likings = [1 / (200 + offer.price) for offer in offers]  # sacks of 25 kg and whole lambs are for few
        self._free: dict[str, int] = {}
        for offer in offers:
            if offer.left is not None:
                self._free[offer.lot_id] = max(self._free.get(offer.lot_id, 0), offer.left * offer.lot_quantity)

    def fill_basket(self, chance: random.Random, moment: datetime) -> dict[str, int]:
        """Three to ten different items, with their numbers of pieces."""
        basket: dict[str, int] = {}
        count = chance.randint(3, 10)
        while len(basket) < count:
            (offer,) = chance.choices(self._offers, self._likings)
            quantity = chance.choice((1, 1, 1, 2, 3)) if offer.price < 600 else 1
            if moment < offer.orderable_until and offer.item_id not in basket and self._take(offer, quantity):
                basket[offer.item_id] = quantity
        return basket

    def _take(self, offer: VisibleOffer, quantity: int) -> bool:
        if offer.left is None:
            return True
        remaining = self._free[offer.lot_id] - quantity * offer.lot_quantity
        if remaining < 0:
            return False
        self._free[offer.lot_id] = remaining
        return True


def _moment(chance: random.Random, session: SaleSession) -> datetime:
    """A random time while the sale is open, most often on the last evening."""
    open_for = session.closes_at - session.opens_at - timedelta(minutes=1)
    return session.opens_at + open_for * chance.betavariate(3, 1.2)


def _weight(chance: random.Random, ordered: Decimal) -> Decimal:
    """A weight within six per cent of what was ordered, to the gram."""
    return (ordered * chance.randint(940, 1060) / 1000).quantize(Decimal("0.001"))
