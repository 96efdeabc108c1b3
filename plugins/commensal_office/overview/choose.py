"""The first page of the office: for people of one enterprise that enterprise's week, for others a choice."""

from __future__ import annotations

from starlette.responses import Response

from commensal import Unauthorised, translate
from commensal.enterprises import memberships_of
from commensal.pages import Visit
from commensal.parts.membership import invitations_to

from ..frame.desk import MOST
from ..frame.render import show


def choose_page(visit: Visit) -> Response:
    if visit.actor.person_id is None:
        raise Unauthorised
    with visit.read() as tx:
        memberships = memberships_of(tx, visit.actor.person_id, limit=MOST)
        invited = len(invitations_to(tx, visit.actor.person_id))
        own_roles = {role.name: translate(visit.language, role.label) for role in tx.own_scopes.roles.values()}
    current = [membership for membership in memberships if membership.enterprise.archived_at is None]
    if len(current) == 1 and not invited and "choose" not in visit.query:
        return visit.redirect(f"/office/{current[0].enterprise.id}")
    return show(visit, None, "choose", memberships=current, invited=invited, own_roles=own_roles)
