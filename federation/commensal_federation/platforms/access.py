"""Access to DFC answers: a platform has the scopes that enterprises granted it, a person their own rights.

Every request at an enterprise needs one scope of DFC. A person's token or session has a DFC scope if it has all the
rights of Commensal that correspond to it.
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
    demand,
    enterprise_by_id,
    enterprises_by_id,
)
from commensal.enterprises import find_enterprise, held_at, memberships_of, sees_amounts
from commensal.pages import Visit

from ..authority.authority import refuse_moving
from .scopes import enterprises_granting, granted_scopes

Scope = Literal["ReadEnterprise", "WriteEnterprise", "ReadProducts", "WriteProducts", "ReadOrders", "WriteOrders"]

_OURS: dict[Scope, tuple[str, ...]] = {
    "ReadEnterprise": ("enterprise:read",),
    "WriteEnterprise": ("enterprise:write",),
    "ReadProducts": ("products:read", "catalogs:read"),
    "WriteProducts": ("products:write", "catalogs:write"),
    "ReadOrders": ("orders:read",),
    "WriteOrders": ("orders:write",),
}

_WITH_AMOUNTS = ("ReadOrders", "WriteOrders")


def demand_scope(visit: Visit, tx: Transaction, enterprise_id: str, scope: Scope) -> Enterprise:
    """The enterprise, if the caller has the scope there.

    Raises `Unauthorised` for an anonymous caller, `NotFound` without any scope there, `Forbidden` without this one.
    """
    refuse_anonymous(visit)
    if not visit.actor.client:
        for right in _OURS[scope]:
            demand(tx, visit.actor, right, enterprise_id)
        if not _may_see(visit, tx, enterprise_id, scope):
            raise Forbidden("amounts", "Orders of DFC tell amounts, which your role does not include.")
        return enterprise_by_id(tx, enterprise_id)
    granted = granted_scopes(tx, visit.actor.client, enterprise_id)
    if not granted:
        raise NotFound
    if scope not in granted:
        raise Forbidden("scope", "This platform lacks the scope {scope}.", scope=scope)
    if scope.startswith("Write"):
        refuse_moving(tx, enterprise_id)
    enterprise = enterprise_by_id(tx, enterprise_id)
    if enterprise.archived_at is not None:
        raise NotFound
    return enterprise


def has_scope(visit: Visit, tx: Transaction, enterprise_id: str, scope: Scope) -> bool:
    """Whether the caller has the scope at the enterprise."""
    try:
        demand_scope(visit, tx, enterprise_id, scope)
    except Refused:
        return False
    return True


def requested_enterprise(visit: Visit, tx: Transaction, name: str = "") -> Enterprise:
    """The enterprise in the request's path, or that of this `name`, by id or slug; the caller must check access. Raises
    `Unauthorised`."""
    refuse_anonymous(visit)
    name = name or visit.path["enterprise"]
    by_id = enterprises_by_id(tx, [name]).get(name)
    return by_id or find_enterprise(tx, name, person_id=visit.actor.person_id)


def demand_owner(visit: Visit, tx: Transaction, enterprise_id: str) -> None:
    """Raises `NotFound` if the request's path names another enterprise than this one, whose thing it asks for."""
    if "enterprise" in visit.path and requested_enterprise(visit, tx).id != enterprise_id:
        raise NotFound


def readable_enterprises(visit: Visit, tx: Transaction, scope: Scope, *, after: str, limit: int) -> list[Enterprise]:
    """The enterprises at which the caller has the scope: of a person's own, or those that granted it to the platform.

    Sorted by slug, beginning after the slug `after`. Raises `Unauthorised`.
    """
    refuse_anonymous(visit)
    if visit.actor.client:
        granted = enterprises_by_id(tx, enterprises_granting(tx, visit.actor.client, scope)).values()
        current = [enterprise for enterprise in granted if enterprise.slug > after and enterprise.archived_at is None]
        return sorted(current, key=lambda enterprise: enterprise.slug)[:limit]
    own = [
        membership.enterprise
        for membership in memberships_of(tx, visit.actor.person_id or "", after=after, limit=limit)
    ]
    return [
        enterprise
        for enterprise in own
        if set(_OURS[scope]) <= held_at(tx, visit.actor, enterprise.id) and _may_see(visit, tx, enterprise.id, scope)
    ]


def _may_see(visit: Visit, tx: Transaction, enterprise_id: str, scope: Scope) -> bool:
    """Whether a person may see what answers of this scope tell: orders tell amounts."""
    return scope not in _WITH_AMOUNTS or sees_amounts(tx, visit.actor, enterprise_id)


def refuse_anonymous(visit: Visit) -> None:
    """Raises `Unauthorised`: nothing under ``/api/dfc`` is for everybody."""
    if visit.actor.person_id is None and not visit.actor.client:
        raise Unauthorised
