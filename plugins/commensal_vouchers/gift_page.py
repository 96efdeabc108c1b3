"""The page of the shop on which people choose a gift card. Their order buys it, with other goods or without."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import RedirectResponse, Response

from commensal import (
    Conflict,
    Enterprise,
    NotFound,
    Sale,
    Screen,
    ShopPage,
    hookimpl,
    plugin_settings,
    read_whole,
    sales,
)
from commensal.pages import Visit, amount_field, on_refusal

from .settings import Settings
from .sold_cards import choose_card

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
