"""The page that shows who owes whom a turn, and how much."""

from __future__ import annotations

from commensal import Enterprise, Screen
from commensal.pages import Visit

from .balances import balances_of, minutes_for_others
from .partners import partners_by_id
from .week_pages import transport_url


def balance_page(visit: Visit, shop: Enterprise) -> Screen:
    with visit.read() as tx:
        balances = balances_of(tx, shop.id)
        minutes = minutes_for_others(tx, shop.id)
        partners = partners_by_id(tx, visit, {balance.partner_id for balance in balances})
    context = {"balances": balances, "minutes": minutes, "partners": partners, "home": transport_url(shop.id)}
    return Screen(template="transport/balance.html", context=context)
