"""The page on which people choose a gift card, and the office's page of cards that were sold and of what is owed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from starlette.responses import RedirectResponse, Response

from commensal import (
    Conflict,
    Enterprise,
    NotFound,
    Order,
    Sale,
    Screen,
    ShopPage,
    Transaction,
    hookimpl,
    order_by_id,
    orders_by_id,
    plugin_settings,
    read_whole,
    sales,
)
from commensal.pages import Visit, amount_field, on_refusal

from .codes import Voucher, tail, voucher_from
from .issuing import card_of, mail_card
from .settings import Settings
from .sold_cards import CardSale, card_sale_by_id, choose_card, is_paid_for, latest_card_sales
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


# The page of the shop on which people choose a gift card. Their order buys it, with other goods or without.

PATH = "gift-card"
_FIELDS = ("amount", "own", "giver", "recipient", "message", "sale")


@hookimpl
def shop_pages() -> Sequence[ShopPage]:
    return [ShopPage(path=PATH, show=gift_page, send=post_choose)]


def gift_page(visit: Visit, shop: Enterprise) -> Screen:
    settings, open_sales = _load(visit, shop)
    context = {
        "settings": settings,
        "amounts": settings.offered(shop),
        "open_sales": open_sales,
        "typed": _typed(visit),
        "here": f"/hubs/{shop.slug}/{PATH}",
    }
    return Screen(template="vouchers/gift.html", context=context)


def _typed(visit: Visit) -> dict[str, str]:
    typed = visit.form or {"sale": visit.query.get("sale", "")}
    return {name: typed.get(name, "").strip() for name in _FIELDS}


@on_refusal(gift_page)
def post_choose(visit: Visit, shop: Enterprise) -> Screen | Response:
    """Notes the choice, and leads to the checkout of the sale, which keeps the code that buys the card."""
    typed = _typed(visit)
    settings, open_sales = _load(visit, shop)
    if not open_sales:
        raise Conflict("no_sale", "Gift cards are bought while a sale is open, and none is open now.")
    sale = next((sale for sale in open_sales if sale.session.id == typed["sale"]), open_sales[0])
    amount = _amount(typed, shop)
    with visit.write() as tx:
        chosen = choose_card(
            tx,
            shop,
            settings,
            amount=amount,
            giver=typed["giver"],
            recipient=typed["recipient"],
            message=typed["message"],
            language=visit.language,
        )
    # 307: the browser sends a POST there too, since the page keeps the code.
    return RedirectResponse(f"/sales/{sale.session.id}/codes?code={chosen.code}", status_code=307)


def _load(visit: Visit, shop: Enterprise) -> tuple[Settings, Sequence[Sale]]:
    """The settings of a shop that sells gift cards, and its open sales. Raises `NotFound` for another shop."""
    with visit.read() as tx:
        settings = plugin_settings(tx, visit.instance.hooks, shop.id, "vouchers", Settings)
        open_sales = sales(tx, openness="open", shop_id=shop.id)
    if not settings.gift_cards:
        raise NotFound
    return settings, open_sales


def _amount(typed: dict[str, str], shop: Enterprise) -> int:
    """The amount in minor units: as typed, else the one that is chosen, which is sent in such. Raises `Invalid`."""
    if not typed["own"]:
        return read_whole(typed["amount"], 11) or 0
    return amount_field(typed, "own", shop.currency)
