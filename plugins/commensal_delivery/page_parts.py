"""What delivery adds to pages: in the shop where orders are brought and for what, in the office a sale's rounds."""

from __future__ import annotations

from collections.abc import Sequence

from commensal import (
    PageLine,
    PagePart,
    Transaction,
    enterprise_by_id,
    format_money,
    hookimpl,
    lies_outside,
    plural,
    sale_by_id,
    translate,
)

from .office import rounds_url
from .slots import slots_of
from .zones import DeliverySettings, Zone

_PAGES = ("shop/hub", "shop/checkout")
_POSTCODES = 6  # of one zone, in its line


@hookimpl
def page_parts(
    tx: Transaction,
    settings: DeliverySettings,
    page: str,
    enterprise_id: str,
    scopes: frozenset[str],
    language: str,
    subject: str,
) -> Sequence[PagePart]:
    """For shoppers the zones with their postcodes, price, and the value from which delivery is free."""
    if page == "sale" and "sales:read" in scopes:
        line = _rounds(tx, enterprise_id, subject, language)
        return [PagePart(title=translate(language, "Delivery"), lines=[line])]
    if page not in _PAGES or not settings.zones:
        return []
    currency = enterprise_by_id(tx, enterprise_id).currency
    lines = [
        PageLine(text=f"{zone.named(language)} ({_postcodes(zone)})", detail=_terms(zone, currency, language))
        for zone in settings.zones
    ]
    return [PagePart(title=translate(language, "Where orders are brought"), lines=lines)]


def _rounds(tx: Transaction, enterprise_id: str, session_id: str, language: str) -> PageLine:
    rounds = slots_of(tx, enterprise_id, session_id)
    url, action = rounds_url(enterprise_id, session_id), translate(language, "Rounds")
    if not rounds:
        return PageLine(
            text=translate(language, "No round yet: nothing of this sale is brought."), url=url, action=action
        )
    text = plural(language, "{number} round", "{number} rounds", len(rounds)).format(number=len(rounds))
    orders = sum(slot.taken for slot in rounds)
    detail = plural(language, "{number} order", "{number} orders", orders).format(number=orders)
    session = sale_by_id(tx, session_id).session
    outside = sum(lies_outside(slot.begins_at, slot.ends_at, session) for slot in rounds)
    if outside:
        beyond = plural(language, "{number} outside the hand-out", "{number} outside the hand-out", outside)
        detail = f"{detail} · {beyond.format(number=outside)}"
    return PageLine(text=text, detail=detail, url=url, action=action, urgent=outside > 0)


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
