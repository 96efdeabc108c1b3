"""Places the orders of the region and hands them out, with the commands of `trade.orders`."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from ...hooks.dispatcher import Hooks
from ...orders.cancel import cancel_order
from ...orders.fulfil import hand_order_over, weigh_order
from ...orders.lock import locked_order
from ...orders.place import place_order
from ...orders.sale_context import sale_context
from ...orders.shipping import shipping_options
from ...orders.values import Wish
from ...payments.payments import receive_payment
from ...sale_sessions.values import SaleSession
from ...sale_sessions.visible_offers import VisibleOffer, offers_for
from ...storage.database import Transaction
from ..supply.answers import answer_purchase_order
from ..supply.passed_cut_offs import close_parts
from ..supply.purchase_orders import purchase_orders_of, tell_supplier
from .values import DemoRegion, DrawnSale, PeopleIds, Somebody, at

_NOTES = ("", "", "", "", "Je passe vers 18 h.", "Sans sac, merci.", "Ma voisine viendra chercher la commande.")


@dataclass(frozen=True)
class Placed:
    """An order that the hub's packer hands out at the distribution of its session."""

    order_id: str
    session: SaleSession
    packer: str
    chance: random.Random


def place_orders(
    tx: Transaction,
    hooks: Hooks,
    region: DemoRegion,
    people: PeopleIds,
    sales: Iterable[DrawnSale],
    sessions: Mapping[int, SaleSession],
) -> list[Placed]:
    """Places all orders of `sales`, each sale's in order of time until now; `sessions` are by the index of their hub.
    Cancels a few, and returns the others."""
    placed: list[Placed] = []
    for sale in sales:
        session, packer = sessions[sale.hub], people.packers[sale.hub]
        chance = random.Random(f"commensal {region.seed} {sale.hub} {sale.weeks_ago} {session.name}")
        shoppers = [(region.shoppers[number].somebody, people.shoppers[number]) for number in sale.shoppers]
        placed += [
            Placed(order_id, session, packer, chance) for order_id in _place(tx, hooks, session, shoppers, chance)
        ]
    return placed


def order_of_suppliers(tx: Transaction, hooks: Hooks, session: SaleSession, by: str) -> None:
    """Orders of all suppliers at the closing, and notes before the distribution that they have brought everything."""
    at_closing = at(tx, session.closes_at)
    for session_id, supplier_id in close_parts(at_closing):
        tell_supplier(at_closing, hooks, session_id, supplier_id)
    before_distribution = at(tx, session.begins_at - timedelta(minutes=30))
    for order in purchase_orders_of(tx, session.enterprise_id, session_id=session.id):
        answer_purchase_order(before_distribution, hooks, order.id, {}, received=True, by=by)


def hand_out(tx: Transaction, hooks: Hooks, placed: Iterable[Placed]) -> None:
    """Weighs, hands over and receives the money for all orders, at random times of the distribution until now."""
    for placed_order in placed:
        session = placed_order.session
        lasts = min(session.ends_at, tx.now) - session.begins_at
        at_distribution = at(tx, session.begins_at + lasts * placed_order.chance.random())
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
            at_distribution,
            enterprise_id=order.enterprise_id,
            order_id=order.id,
            method="cash:cash",
            amount=order.total,
            idempotency_key=f"demo {order.id}",
            person_id=placed_order.packer,
        )


def _place(
    tx: Transaction, hooks: Hooks, session: SaleSession, shoppers: Sequence[tuple[Somebody, str]], chance: random.Random
) -> Iterator[str]:
    shelf = _Shelf(offers_for(at(tx, session.opens_at), session.id, ()))
    moments = sorted(_moment(chance, session, tx.now) for _ in shoppers)
    for moment, (somebody, person_id) in zip(moments, shoppers, strict=True):
        at_moment, items = at(tx, moment), shelf.fill_basket(chance, moment)
        wish = Wish(
            items=items,
            name=somebody.name,
            email=somebody.email,
            phone=somebody.phone,
            note=chance.choice(_NOTES),
            shipping=_shipping(at_moment, hooks, session, chance),
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


def _shipping(tx: Transaction, hooks: Hooks, session: SaleSession, chance: random.Random) -> str:
    """A place and time to collect the order that is not full yet; "" if the hub has none."""
    options = shipping_options(tx, hooks, sale_context(tx, session.id), "fr")
    free = [key for key, option in options.items() if option.left != 0 and not option.needs_address]
    return chance.choice(free) if free else ""


def _moment(chance: random.Random, session: SaleSession, now: datetime) -> datetime:
    """A random time while the sale is open, until `now`, most often on the last evening."""
    open_for = min(session.closes_at, now) - session.opens_at - timedelta(minutes=1)
    return session.opens_at + open_for * chance.betavariate(3, 1.2)


def _weight(chance: random.Random, ordered: Decimal) -> Decimal:
    """A weight within six per cent of what was ordered, to the gram."""
    return (ordered * chance.randint(940, 1060) / 1000).quantize(Decimal("0.001"))
