"""What delivery adds to pages of the shop: where orders are brought and for what, before an address is typed."""

from __future__ import annotations

from collections.abc import Sequence

from commensal import PageLine, PagePart, Transaction, enterprise_by_id, format_money, hookimpl, translate

from .zones import DeliverySettings, Zone

_PAGES = ("shop/hub", "shop/checkout")
_POSTCODES = 6  # of one zone, in its line


@hookimpl
def page_parts(
    tx: Transaction, settings: DeliverySettings, page: str, enterprise_id: str, language: str
) -> Sequence[PagePart]:
    """The zones with their postcodes, price, and the value from which delivery is free."""
    if page not in _PAGES or not settings.zones:
        return []
    currency = enterprise_by_id(tx, enterprise_id).currency
    lines = [
        PageLine(text=f"{zone.name} ({_postcodes(zone)})", detail=_terms(zone, currency, language))
        for zone in settings.zones
    ]
    return [PagePart(title=translate(language, "Where orders are brought"), lines=lines)]


def _postcodes(zone: Zone) -> str:
    shown = ", ".join(postcode.replace("*", "…") for postcode in zone.postcodes[:_POSTCODES])
    return f"{shown} …" if len(zone.postcodes) > _POSTCODES else shown


def _terms(zone: Zone, currency: str, language: str) -> str:
    texts = [format_money(zone.price, currency, language) if zone.price else translate(language, "free of charge")]
    if zone.steps:
        texts.append(translate(language, "more for heavy orders"))
    if zone.price and zone.free_from is not None:
        text = translate(language, "free from goods of {amount}")
        texts.append(text.format(amount=format_money(zone.free_from, currency, language)))
    if zone.minimum:
        text = translate(language, "for orders of {amount} or more")
        texts.append(text.format(amount=format_money(zone.minimum, currency, language)))
    return ", ".join(texts)
