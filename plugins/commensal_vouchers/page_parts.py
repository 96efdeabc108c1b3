"""What vouchers and gift cards add to pages: the way to the codes in the office, and to a gift card in the shop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from commensal import (
    Enterprise,
    PageLine,
    PagePart,
    Transaction,
    enterprise_by_id,
    format_money,
    hookimpl,
    plural,
    translate,
)

from .codes import tail
from .issuing import card_of
from .questions import latest_vouchers
from .settings import Settings
from .sold_cards import CardSale, card_sales_of_order
from .sold_page import PATH

_SHOWN = 200  # codes that are counted


@hookimpl
def page_parts(
    tx: Transaction,
    settings: Settings,
    page: str,
    enterprise_id: str,
    scopes: frozenset[str],
    language: str,
    subject: str,
) -> Sequence[PagePart]:
    """For the treasurer the way to the codes; for shoppers the way to a gift card, and with their order the card."""
    if page == "money" and "payments:read" in scopes:
        lines = [_codes(tx, enterprise_id, language)]
        if settings.gift_cards:
            text = translate(language, "Gift cards that customers have bought")
            lines.append(
                PageLine(
                    text=text, url=f"/office/{enterprise_id}/money/gift-cards", action=translate(language, "Gift cards")
                )
            )
        return [PagePart(title=translate(language, "Vouchers and gift cards"), lines=lines)]
    if page in ("shop/hub", "shop/cart") and settings.gift_cards:
        return [_offer(enterprise_by_id(tx, enterprise_id), language, sale=subject if page == "shop/cart" else "")]
    if page == "shop/order" or (page == "order" and "payments:read" in scopes):
        sales = card_sales_of_order(tx, enterprise_id, subject)
        lines = list(_bought(tx, sales, language, whole=page == "shop/order"))
        return [PagePart(title=translate(language, "Gift cards of this order"), lines=lines)] if lines else []
    return []


def _codes(tx: Transaction, enterprise_id: str, language: str) -> PageLine:
    number = len(latest_vouchers(tx, enterprise_id, limit=_SHOWN))
    text = plural(language, "{number} code in use", "{number} codes in use", number).format(number=number)
    return PageLine(text=text, url=f"/office/{enterprise_id}/money/codes", action=translate(language, "Codes"))


def _offer(shop: Enterprise, language: str, *, sale: str) -> PagePart:
    url = f"/hubs/{shop.slug}/{PATH}" + (f"?sale={sale}" if sale else "")
    text = translate(language, "For a birthday, or to let somebody try it.")
    line = PageLine(text=text, url=url, action=translate(language, "Buy a gift card"))
    return PagePart(title=translate(language, "Give a gift card"), lines=[line])


def _bought(tx: Transaction, sales: Sequence[CardSale], language: str, *, whole: bool) -> Iterator[PageLine]:
    """A line for each card that an order buys. Only customers read its code `whole`: it is money."""
    for sale in sales:
        card = card_of(tx, sale)
        amount = format_money(sale.amount, sale.currency, language)
        if card is None:
            yield PageLine(text=amount, detail=translate(language, "The code comes as soon as the order is paid."))
        elif sale.ended_at is not None:
            yield PageLine(text=amount, detail=translate(language, "taken back"))
        else:
            sent = translate(language, "sent to {email}").format(email=sale.recipient) if sale.recipient else ""
            code = card.code if whole else tail(card.code)
            yield PageLine(text=f"{amount} · {code}", detail=sent)
