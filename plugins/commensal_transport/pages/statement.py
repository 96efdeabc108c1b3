"""The statement of a round for those who took part: what it cost, who bears how much, and how to check it."""

from __future__ import annotations

from commensal import Enterprise, Screen
from commensal.pages import Visit

from ..bookings.balances import balances_of, empties_with, minutes_for_others
from ..bookings.counts import counts_of, lost_with
from ..bookings.statements import comparisons_of, mistakes_of, readable_statement
from ..costs.cost_rules import known_rules, rule_texts
from ..trips.help_years import SHARES_COSTS, help_years
from .week import instance_names, partners_by_id, transport_url


def statement_page(visit: Visit, shop: Enterprise) -> Screen:
    """Raises `NotFound` for a round in which the enterprise took no part, and before it is driven."""
    with visit.read() as tx:
        trip, statement, bookings = readable_statement(tx, shop.id, visit.path["trip"])
        carrier = partners_by_id(tx, visit, [trip.enterprise_id])[trip.enterprise_id]
        comparisons = comparisons_of(tx, trip.id)
        wrong = mistakes_of(statement.content, known_rules(tx, visit.instance.hooks))
        rule_labels = rule_texts(tx, visit.instance.hooks, visit.language)
        mine_only = [each for each in bookings if shop.id in (trip.enterprise_id, each.sender_id, each.receiver_id)]
        counts = counts_of(tx, [(booking, trip.enterprise_id) for booking in mine_only])
        differing = [each for each in counts.values() if each.differ]
        enterprises = partners_by_id(tx, visit, {id for each in differing for id in each.sides.values()})
        shares_costs = trip.basis in SHARES_COSTS
        year = help_years(tx, visit.instance.hooks, [trip.enterprise_id])[trip.enterprise_id] if shares_costs else None
        instances = instance_names(tx, visit, {comparison.peer_id for comparison in comparisons})
    mine = [booking for booking in bookings if booking.sender_id == shop.id and booking.id in statement.shares]
    numbers = {statement.shares[booking.id][0] for booking in mine} | ({1} if trip.enterprise_id == shop.id else set())
    context = {
        "trip": trip,
        "statement": statement,
        "content": statement.content,
        "carrier": carrier,
        "numbers": numbers,
        "owed": sum(statement.shares[booking.id][1] for booking in mine),
        "found_wrong": wrong,
        "rule_labels": rule_labels,
        "differing": differing,
        "year": year,
        "enterprises": enterprises,
        "home": transport_url(shop.id),
        "zone": shop.timezone,
        "is_carrier": trip.enterprise_id == shop.id,
        "readers": [
            (instances[comparison.peer_id], comparison.digest == statement.digest and not comparison.mistakes)
            for comparison in comparisons
        ],
    }
    return Screen(template="transport/statement.html", context=context)


# The page that shows who owes whom a turn, how much, and how many empty crates went to and fro.


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
