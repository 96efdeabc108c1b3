"""The page of the office with the gift cards that customers have bought, and what the shop owes to holders of cards."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from starlette.responses import Response

from commensal import Conflict, Enterprise, Order, Screen, Transaction, order_by_id, orders_by_id
from commensal.pages import Visit, on_refusal

from .codes import Voucher, tail, voucher_from
from .issuing import card_of, mail_card
from .sold_cards import CardSale, card_sale_by_id, is_paid_for, latest_card_sales
from .tables import vouchers_voucher

_SHOWN = 200
_card = vouchers_voucher.c


@dataclass(frozen=True, kw_only=True)
class SoldCard:
    """A row of the page. `card` is None while the order is not paid."""

    sale: CardSale
    order: Order | None
    card: Voucher | None
    is_paid: bool

    @property
    def state(self) -> str:
        """ "unpaid", "ended", "stopped" (its order is not paid any more), "used", "begun" or "unused"."""
        if self.sale.ended_at is not None:
            return "ended"
        if self.card is None:
            return "unpaid"
        if not self.is_paid:
            return "stopped"
        balance = self.card.balance or 0
        return "used" if not balance else "begun" if balance < self.sale.amount else "unused"


def owed_to_holders(tx: Transaction, enterprise_id: str) -> int:
    """Returns what stands on the shop's gift cards, in minor units: it owes goods for it."""
    return int(tx.value(select(func.coalesce(func.sum(_card.balance), 0)).where(_card.enterprise_id == enterprise_id)))


def sold_page(visit: Visit, shop: Enterprise) -> Screen:
    with visit.read() as tx:
        rows, owed = _rows(tx, shop.id), owed_to_holders(tx, shop.id)
    context = {
        "rows": rows,
        "owed": owed,
        "currency": shop.currency,
        "tail": tail,
        "here": f"/office/{shop.id}/money/gift-cards",
        "done": visit.query.get("done", ""),
    }
    return Screen(template="vouchers/sold.html", context=context)


def _rows(tx: Transaction, enterprise_id: str) -> list[SoldCard]:
    """The latest sales with their orders and cards, with three statements."""
    sales = latest_card_sales(tx, enterprise_id, limit=_SHOWN)
    orders = orders_by_id(tx, [sale.order_id for sale in sales if sale.order_id])
    ids = [sale.card_id for sale in sales if sale.card_id]
    cards = {row["id"]: voucher_from(row) for row in tx.all(select(vouchers_voucher).where(_card.id.in_(ids)))}
    by_order = {id: [sale for sale in sales if sale.order_id == id] for id in orders}
    return [
        SoldCard(
            sale=sale,
            order=orders.get(sale.order_id or ""),
            card=cards.get(sale.card_id or ""),
            is_paid=sale.order_id is None or is_paid_for(orders[sale.order_id], by_order[sale.order_id]),
        )
        for sale in sales
    ]


@on_refusal(sold_page)
def post_send_again(visit: Visit, shop: Enterprise) -> Screen | Response:
    """Mails a card once more, to whoever gets it and to the customer."""
    with visit.write() as tx:
        sale = card_sale_by_id(tx, shop.id, visit.form.get("sale", ""))
        card = card_of(tx, sale)
        if card is None or sale.order_id is None or sale.ended_at is not None:
            raise Conflict("no_card", "There is no card to send: it is not paid, or was taken back.")
        mail_card(tx, order_by_id(tx, sale.order_id, enterprise_id=shop.id), sale, card, key=tx.new_id())
    return visit.redirect(f"/office/{shop.id}/money/gift-cards?done=sent")
