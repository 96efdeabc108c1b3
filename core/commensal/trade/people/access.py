"""The one place that decides whether an actor may do something at an enterprise."""

from __future__ import annotations

from sqlalchemy import and_, select

from ...base.errors import Forbidden, NotFound, Unauthorised
from ...storage.database import Transaction
from ..enterprises.tables import enterprise_grant, enterprise_member
from .actor import Actor
from .scopes import ENTERPRISE_SCOPES, GRANTS, OPERATOR, PUBLIC, ROLES, SELF


def demand(tx: Transaction, actor: Actor, scope: str, enterprise_id: str | None = None) -> None:
    """Returns if `actor` holds `scope` (at the enterprise, where the scope is one of an enterprise).

    Raises `Unauthorised` for nobody, `NotFound` where the enterprise is none of theirs (its existence is not told),
    `Forbidden` where they belong to it but their role or token is too small, or they lack a second factor.
    """
    if scope == PUBLIC:
        return
    if actor.person_id is None:
        raise Unauthorised
    if actor.token_scopes is not None and scope not in actor.token_scopes:
        raise Forbidden("scope", "This token lacks the scope {scope}.", scope=scope)
    if scope == SELF:
        return
    if scope == OPERATOR:
        if not actor.is_operator:
            raise Forbidden
        _refuse_without_second_factor(actor)
        return
    if scope not in ENTERPRISE_SCOPES or enterprise_id is None:
        raise AssertionError(f"{scope} needs an enterprise")
    if actor.token_enterprise not in (None, enterprise_id):
        raise NotFound
    scopes = scopes_at(tx, actor, enterprise_id)
    if not scopes:
        raise NotFound
    if scope not in scopes:
        raise Forbidden("scope", "Your role does not include {scope}.", scope=scope)
    _refuse_without_second_factor(actor)


def _refuse_without_second_factor(actor: Actor) -> None:
    if actor.lacks_second_factor:
        raise Forbidden(
            "second_factor_required", "Rights here need a second factor: set one up on the page of your account."
        )


def demand_session(actor: Actor) -> str:
    """For what changes how somebody logs in: the id of who is logged in. Raises `Forbidden` for a token, which must not
    make itself stronger."""
    if actor.session_hash is None or actor.person_id is None:
        raise Forbidden("session", "This needs a log-in with your password; a token is not enough.")
    return actor.person_id


def held_at(tx: Transaction, actor: Actor, enterprise_id: str) -> frozenset[str]:
    """The scopes of an enterprise with which `demand` would let the actor pass there."""
    if actor.lacks_second_factor or actor.token_enterprise not in (None, enterprise_id):
        return frozenset()
    scopes = scopes_at(tx, actor, enterprise_id)
    return scopes if actor.token_scopes is None else scopes & frozenset(actor.token_scopes)


def scopes_at(tx: Transaction, actor: Actor, enterprise_id: str) -> frozenset[str]:
    """What the actor's role there gives, and what grants to their own enterprises give; empty for a stranger."""
    if actor.person_id is None:
        return frozenset()
    member, grant = enterprise_member, enterprise_grant
    granted = and_(grant.c.grantee_id == member.c.enterprise_id, grant.c.grantor_id == enterprise_id)
    rows = tx.all(
        select(member.c.enterprise_id, member.c.role, grant.c.scope)
        .select_from(member.outerjoin(grant, granted))
        .where(member.c.person_id == actor.person_id)
    )
    held: set[str] = set()
    for row in rows:
        if row["enterprise_id"] == enterprise_id:
            held |= ROLES[row["role"]]
        elif row["scope"]:
            held |= GRANTS[row["scope"]] & ROLES[row["role"]]
    return frozenset(held)
