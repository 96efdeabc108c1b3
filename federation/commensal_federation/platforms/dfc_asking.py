"""Who asks in DFC, and what they may see: a platform by what enterprises granted it, a person by their own rights.

Whatever is asked for at an enterprise, one of the scopes of DFC is asked for with it. A person's token, or session,
holds those whose counterparts it holds here.
"""

from __future__ import annotations

from typing import Literal

from commensal import (
    Enterprise,
    Forbidden,
    NotFound,
    Refused,
    Transaction,
    Unauthorised,
    Visit,
    demand,
    enterprise_by_id,
    enterprises_by_id,
    find_enterprise,
    held_at,
    memberships_of,
)

from .scopes import enterprises_for, held_by

Scope = Literal["ReadEnterprise", "WriteEnterprise", "ReadProducts", "WriteProducts", "ReadOrders", "WriteOrders"]

_OURS: dict[Scope, tuple[str, ...]] = {
    "ReadEnterprise": ("enterprise:read",),
    "WriteEnterprise": ("enterprise:write",),
    "ReadProducts": ("products:read", "catalogs:read"),
    "WriteProducts": ("products:write", "catalogs:write"),
    "ReadOrders": ("orders:read",),
    "WriteOrders": ("orders:write",),
}


def demand_scope(visit: Visit, tx: Transaction, enterprise_id: str, scope: Scope) -> Enterprise:
    """The enterprise, for who holds the scope there.

    Raises `Unauthorised` for nobody, `NotFound` where they hold nothing there, `Forbidden` where they hold too little.
    """
    refuse_nobody(visit)
    if not visit.actor.client:
        for one in _OURS[scope]:
            demand(tx, visit.actor, one, enterprise_id)
        return enterprise_by_id(tx, enterprise_id)
    held = held_by(tx, visit.actor.client, enterprise_id)
    if not held:
        raise NotFound
    if scope not in held:
        raise Forbidden("scope", "This platform lacks the scope {scope}.", scope=scope)
    found = enterprise_by_id(tx, enterprise_id)
    if found.archived_at is not None:
        raise NotFound
    return found


def holds(visit: Visit, tx: Transaction, enterprise_id: str, scope: Scope) -> bool:
    """The same as a question."""
    try:
        demand_scope(visit, tx, enterprise_id, scope)
    except Refused:
        return False
    return True


def asked_enterprise(visit: Visit, tx: Transaction) -> Enterprise:
    """The one in the address, by its id or its slug; whether they may see it is asked next. Raises `Unauthorised`."""
    refuse_nobody(visit)
    named = visit.path["enterprise"]
    by_id = enterprises_by_id(tx, [named]).get(named)
    return by_id or find_enterprise(tx, named, person_id=visit.actor.person_id)


def known_enterprises(visit: Visit, tx: Transaction, *, after: str, limit: int) -> list[Enterprise]:
    """Those of which the asker may read who they are: a person's own, or those that granted it to the platform.

    By slug, from the one after `after` on. Raises `Unauthorised`.
    """
    refuse_nobody(visit)
    if visit.actor.client:
        granted = enterprises_by_id(tx, enterprises_for(tx, visit.actor.client, "ReadEnterprise")).values()
        there = [one for one in granted if one.slug > after and one.archived_at is None]
        return sorted(there, key=lambda one: one.slug)[:limit]
    own = [one.enterprise for one in memberships_of(tx, visit.actor.person_id or "", after=after, limit=limit)]
    return [one for one in own if set(_OURS["ReadEnterprise"]) <= held_at(tx, visit.actor, one.id)]


def refuse_nobody(visit: Visit) -> None:
    """Raises `Unauthorised`: nothing under ``/api/dfc`` is for everybody."""
    if visit.actor.person_id is None and not visit.actor.client:
        raise Unauthorised
