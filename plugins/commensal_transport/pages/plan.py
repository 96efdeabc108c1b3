"""The page on which a hub has rounds planned for what comes to it, and reads who has accepted."""

from __future__ import annotations

from starlette.responses import Response

from commensal import Enterprise, Screen, enterprises_by_id
from commensal.pages import Visit

from ..planning.planning import suppliers_of
from ..planning.proposals import ask_for_plan, newest_plan, rounds_of_plan
from .week import transport_url


def plan_page(visit: Visit, shop: Enterprise) -> Screen:
    with visit.read() as tx:
        plan = newest_plan(tx, shop.id)
        rounds = rounds_of_plan(tx, plan.id) if plan else []
        suppliers = len(suppliers_of(tx, visit.instance.hooks, shop.id))
        enterprises = enterprises_by_id(tx, {each.enterprise_id for goods in rounds for each in goods})
    context = {
        "plan": plan,
        "rounds": rounds,
        "suppliers": suppliers,
        "enterprises": enterprises,
        "zone": shop.timezone,
        "home": transport_url(shop.id),
        "done": visit.query.get("done", ""),
    }
    return Screen(template="transport/plan.html", context=context)


def plan_now(visit: Visit, shop: Enterprise) -> Response:
    """Has rounds planned anew."""
    with visit.write() as tx:
        ask_for_plan(tx, shop.id)
    return visit.redirect(f"{transport_url(shop.id)}/plan?done=asked")
