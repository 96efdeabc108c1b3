"""Places the orders of the region's past, and hands them out: every step is a command of the orders' room."""

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
    """An order that waits to be handed out at the distribution of its session by somebody of the hub."""

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
    """All orders of one week's sales, by the place of their hub, in the order of time. A few are cancelled again."""
    placed: list[Placed] = []
    for sale in region.past_sales:
        if sale.weeks_ago == weeks_ago:
            chance = random.Random(f"commensal {region.seed} {sale.hub} {weeks_ago}")
            session, packer = sessions[sale.hub], people.packers[sale.hub]
            shoppers = [(region.shoppers[one].somebody, people.shoppers[one]) for one in sale.shoppers]
            orders = _place(tx, hooks, session, shoppers, chance)
            placed += [Placed(order_id, session, packer, chance) for order_id in orders]
    return placed


def hand_out(tx: Transaction, hooks: Hooks, placed: Iterable[Placed]) -> None:
    """Weighs, hands over, and takes the money, during the distribution. Nobody forgets to come."""
    for one in placed:
        session = one.session
        then = at(tx, session.begins_at + (session.ends_at - session.begins_at) * one.chance.random())
        order = locked_order(then, one.order_id, enterprise_id=session.enterprise_id)
        weights = {
            line.id: _weight(one.chance, line.unit_quantity * line.quantity) for line in order.lines if line.weighed
        }
        if weights:
            order = weigh_order(then, hooks, order, weights, by=one.packer)
        hand_order_over(then, order, by=one.packer)
        receive_payment(
            then, enterprise_id=order.enterprise_id, order_id=order.id, method="cash:cash", amount=order.total,
            idempotency_key=f"demo {order.id}", person_id=one.packer,
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
    for moment, (who, person_id) in zip(moments, shoppers, strict=True):
        then, items = at(tx, moment), shelf.fill_basket(chance, moment)
        wish = Wish(
            items=items,
            name=who.name,
            email=who.email,
            phone=who.phone,
            note=chance.choice(_NOTES),
            payment_method="cash:cash",
        )
        order = place_order(then, hooks, session.id, wish, person_id=person_id)
        if chance.random() < 0.03:
            cancel_order(then, hooks, order, by=person_id)
        else:
            yield order.id


class _Shelf:
    """What is left on sale while shoppers come one by one: nobody of the past asked for more than there was."""

    def __init__(self, offers: Sequence[VisibleOffer]) -> None:
        self._offers = offers
        self._likings = [1 / (200 + one.price) for one in offers]  # sacks of 25 kg and whole lambs are for few
        self._free: dict[str, int] = {}
        for one in offers:
            if one.left is not None:
                self._free[one.lot_id] = max(self._free.get(one.lot_id, 0), one.left * one.lot_quantity)

    def fill_basket(self, chance: random.Random, moment: datetime) -> dict[str, int]:
        """Three to ten different things, at least one."""
        basket: dict[str, int] = {}
        wanted = chance.randint(3, 10)
        while len(basket) < wanted:
            (one,) = chance.choices(self._offers, self._likings)
            quantity = chance.choice((1, 1, 1, 2, 3)) if one.price < 600 else 1
            if moment < one.orderable_until and one.item_id not in basket and self._take(one, quantity):
                basket[one.item_id] = quantity
        return basket

    def _take(self, one: VisibleOffer, quantity: int) -> bool:
        if one.left is None:
            return True
        left = self._free[one.lot_id] - quantity * one.lot_quantity
        if left < 0:
            return False
        self._free[one.lot_id] = left
        return True


def _moment(chance: random.Random, session: SaleSession) -> datetime:
    """Most orders come on the last evening."""
    open_for = session.closes_at - session.opens_at - timedelta(minutes=1)
    return session.opens_at + open_for * chance.betavariate(3, 1.2)


def _weight(chance: random.Random, ordered: Decimal) -> Decimal:
    """Nearly what was ordered, to the gram."""
    return (ordered * chance.randint(940, 1060) / 1000).quantize(Decimal("0.001"))
