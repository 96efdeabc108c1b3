"""The page that shows who owes whom a turn, how much, and how many empty crates went to and fro."""

from __future__ import annotations

from commensal import Enterprise, Screen
from commensal.pages import Visit

from ..bookings.balances import balances_of, empties_with, minutes_for_others
from ..bookings.counts import lost_with
from ..trips.help_years import help_years
from .partners import partners_by_id
from .week import transport_url


def balance_page(visit: Visit, shop: Enterprise) -> Screen:
    with visit.read() as tx:
        balances = balances_of(tx, shop.id)
        minutes = minutes_for_others(tx, shop.id)
        empties = empties_with(tx, shop.id)
        lost = lost_with(tx, shop.id)
        year = help_years(tx, visit.instance.hooks, [shop.id])[shop.id]
        named = {balance.partner_id for balance in balances} | {crates.partner_id for crates in empties}
        named |= {crates.partner_id for crates in lost}
        partners = partners_by_id(tx, visit, named)
    context = {
        "balances": balances,
        "empties": empties,
        "year": year,
        "lost": lost,
        "minutes": minutes,
        "partners": partners,
        "home": transport_url(shop.id),
    }
    return Screen(template="transport/balance.html", context=context)
