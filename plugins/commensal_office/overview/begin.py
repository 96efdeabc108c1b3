"""The first steps of a new hub: what is there, and what comes next, until its first sale is planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from commensal import Unauthorised, enabled_plugins, translate
from commensal.catalogs import listed_for
from commensal.enterprises import grants_received, memberships_of
from commensal.orders import plugins_that_ship
from commensal.pages import Visit, page_parts
from commensal.parts.accounts import has_operator
from commensal.parts.membership import invitations_to
from commensal.payments import payment_methods

from ..frame.desk import MOST, Desk, open_desk
from ..frame.render import show


@dataclass(frozen=True, kw_only=True)
class FirstStep:
    """Something that a hub needs before it sells; `done` when it is there."""

    text: str
    detail: str
    url: str
    action: str
    done: bool


def begin_page(visit: Visit) -> Response:
    """The steps, of which the first that is not done is the one to take; plugins add what they need."""
    with visit.read() as tx:
        desk = open_desk(tx, visit, "sales:write")
        shop = desk.enterprise
        ships = bool(plugins_that_ship(visit.instance.hooks) & enabled_plugins(tx, shop.id).keys())
        supplied = shop.is_producer or any(grant.scope == "WriteOrders" for grant in grants_received(tx, shop.id))
        has_goods = bool(listed_for(tx, shop.id, None, limit=1))
        added_parts = page_parts(tx, visit, "begin", shop.id, desk.scopes)
    lacks = any(line.urgent for part in added_parts for line in part.lines)  # like a place to collect, or its hours
    is_paid = bool(payment_methods(visit.instance, shop.id, visit.language))
    steps = _steps(visit, desk, is_paid=is_paid, ships=ships and not lacks, supplied=supplied, has_goods=has_goods)
    return show(
        visit,
        desk,
        "begin",
        at="week",
        steps=steps,
        added_parts=added_parts,
        next=next(step for step in steps if not step.done),
    )


def _steps(
    visit: Visit, desk: Desk, *, is_paid: bool, ships: bool, supplied: bool, has_goods: bool
) -> Sequence[FirstStep]:
    language, shop = visit.language, desk.enterprise

    def step(text: str, detail: str, path: str, action: str, *, done: bool) -> FirstStep:
        return FirstStep(text=text, detail=detail, url=f"{desk.address}{path}", action=action, done=done)

    return [
        step(
            translate(language, "Say who you are"),
            translate(language, "Street, telephone and a few sentences: customers look for them."),
            "/settings/profile",
            translate(language, "Fill it in"),
            done=bool(shop.city and shop.description),
        ),
        step(
            translate(language, "Choose how customers pay"),
            translate(language, "Cash, transfer, an account paid beforehand… One is enough to begin."),
            "/settings#pay",
            translate(language, "Choose"),
            done=is_paid,
        ),
        step(
            translate(language, "Choose how they get their goods"),
            translate(language, "They collect at a place, or you deliver."),
            "/settings#ship",
            translate(language, "Choose"),
            done=ships,
        ),
        step(
            translate(language, "Add your producers"),
            translate(language, "Make those of your village here, or ask one that is here already."),
            "/producers",
            translate(language, "Producers"),
            done=supplied,
        ),
        step(
            translate(language, "Fill the catalogue"),
            translate(language, "Take over a producer's whole list with your margin, or hand in a spreadsheet."),
            "/products/import",
            translate(language, "Add goods"),
            done=has_goods,
        ),
        step(
            translate(language, "Plan the first sale"),
            translate(language, "When it opens and closes, and when goods are handed out. All later ones follow it."),
            "/new-sale",
            translate(language, "Plan it"),
            done=False,
        ),
    ]


# The first page of the office: for people of one enterprise that enterprise's week, for others a choice.


def choose_page(visit: Visit) -> Response:
    if visit.actor.person_id is None:
        raise Unauthorised
    with visit.read() as tx:
        memberships = memberships_of(tx, visit.actor.person_id, limit=MOST)
        invited = len(invitations_to(tx, visit.actor.person_id))
        is_run = has_operator(tx)
        own_roles = {role.name: translate(visit.language, role.label) for role in tx.own_scopes.roles.values()}
    current = [membership for membership in memberships if membership.enterprise.archived_at is None]
    if len(current) == 1 and not invited and "choose" not in visit.query:
        return visit.redirect(f"/office/{current[0].enterprise.id}")
    return show(visit, None, "choose", memberships=current, invited=invited, own_roles=own_roles, is_run=is_run)
