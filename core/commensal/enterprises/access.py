"""Authorisation: decides whether an actor may do something at an enterprise. No other module does."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, or_, select

from ..base.errors import Forbidden, NotFound, Problem, Unauthorised
from ..people.actor import (
    ENTERPRISE_SCOPES,
    GIVEN_BY_ROLES,
    GRANTS,
    OPERATOR,
    PUBLIC,
    READ,
    ROLES,
    SCOPE_WORDS,
    SEEING_AMOUNTS,
    SELF,
    TAKING_MONEY,
    Actor,
)
from ..storage.database import Row, Transaction
from .tables import enterprise, enterprise_grant, enterprise_member, enterprise_role

_member, _role = enterprise_member.c, enterprise_role.c

# What `scopes_of_member` reads of a member. An enterprise's own role counts at that enterprise alone.
MEMBERS = enterprise_member.outerjoin(
    enterprise_role, and_(_role.id == _member.role, _role.enterprise_id == _member.enterprise_id)
)
RIGHTS = (_member.role, _member.takes_money, _member.scopes, _role.scopes.label("made"))


def works_at(enterprise_id: str) -> ColumnElement[bool]:
    """Whether a row of `MEMBERS` gives rights there: of its members, and those of the hub that keeps it."""
    keeper = select(enterprise.c.kept_by).where(enterprise.c.id == enterprise_id).scalar_subquery()
    return or_(_member.enterprise_id == enterprise_id, _member.enterprise_id == keeper)


def demand(tx: Transaction, actor: Actor, scope: str, enterprise_id: str | None = None) -> None:
    """Returns if `actor` holds `scope` (at `enterprise_id`, for a scope of an enterprise).

    Raises `Unauthorised` if nobody is logged in, `NotFound` if the actor has no right at all at the enterprise (its
    existence stays secret), `Forbidden` if role or token lack this scope, or a required second factor is missing.
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
    if (scope not in ENTERPRISE_SCOPES and scope not in tx.own_scopes.by_name) or enterprise_id is None:
        raise AssertionError(f"{scope} needs an enterprise")
    if actor.token_enterprise not in (None, enterprise_id):
        raise NotFound
    scopes = scopes_at(tx, actor, enterprise_id)
    if not scopes:
        raise NotFound
    if scope not in scopes:
        raise Forbidden("scope", "Your role does not include this: {what}.", what=_in_words(tx, scope))
    _refuse_without_second_factor(actor)


def _in_words(tx: Transaction, scope: str) -> Problem | str:
    """What a scope allows, to be said in the reader's language; of one without words its name."""
    own = tx.own_scopes.by_name.get(scope)
    return Problem(scope, own.label) if own else SCOPE_WORDS.get(scope, scope)


def _refuse_without_second_factor(actor: Actor) -> None:
    if actor.lacks_second_factor:
        raise Forbidden(
            "second_factor_required", "Rights here need a second factor: set one up on the page of your account."
        )


def demand_founder(tx: Transaction, actor: Actor, new_enterprises: str) -> str:
    """Returns the id of the person if they may make enterprises: operators, or everybody, as `new_enterprises` of the
    instance's settings says ("hubs" lets only operators make hubs). Raises `Unauthorised`, `Forbidden`."""
    demand(tx, actor, SELF)
    if new_enterprises != "everybody":
        if not actor.is_operator:
            text = "Here only those who run the instance make enterprises; please ask them."
            raise Forbidden("new_enterprises", text)
        demand(tx, actor, OPERATOR)
    assert actor.person_id is not None
    return actor.person_id


def may_make_producers(tx: Transaction, actor: Actor, hub_id: str, new_enterprises: str) -> bool:
    """Whether the person may make producers whose goods the hub sells: with "hubs" those who agree with producers for
    the hub, beside whoever may make any enterprise."""
    if new_enterprises == "everybody" or actor.is_operator:
        return True
    if new_enterprises != "hubs" or "grants:write" not in held_at(tx, actor, hub_id):
        return False
    return bool(tx.value(select(enterprise.c.is_hub).where(enterprise.c.id == hub_id)))


def demand_session(actor: Actor) -> str:
    """Returns the id of the logged-in person. For changes of how they log in.

    Raises `Forbidden` for a token: otherwise a token could widen its own rights.
    """
    if actor.session_hash is None or actor.person_id is None:
        raise Forbidden("session", "This needs a log-in with your password; a token is not enough.")
    return actor.person_id


def held_at(tx: Transaction, actor: Actor, enterprise_id: str) -> frozenset[str]:
    """The scopes for which `demand` accepts the actor at this enterprise."""
    if actor.lacks_second_factor or actor.token_enterprise not in (None, enterprise_id):
        return frozenset()
    scopes = scopes_at(tx, actor, enterprise_id)
    return scopes if actor.token_scopes is None else scopes & frozenset(actor.token_scopes)


def sees_amounts(tx: Transaction, actor: Actor, enterprise_id: str) -> bool:
    """Whether the actor may see the amounts of what they may read at the enterprise.

    Their role decides, and not the scopes of their token: a token for orders alone reads them whole.
    """
    return not SEEING_AMOUNTS.isdisjoint(scopes_at(tx, actor, enterprise_id))


def sees_addresses(tx: Transaction, actor: Actor, enterprise_id: str) -> bool:
    """Whether the actor may see the e-mail addresses of customers in what they may read at the enterprise: who packs
    needs a name, and a telephone number to call. Their role decides, as for amounts.
    """
    return "customers:read" in scopes_at(tx, actor, enterprise_id)


def scopes_of_member(tx: Transaction, row: Row) -> frozenset[str]:
    """What a member may do at the enterprise itself. `row` has `RIGHTS`, selected from `MEMBERS`."""
    made: Collection[str] = row["made"] or ()
    scopes = _scopes_of_role(tx, row["role"]) if row["made"] is None else READ | (GIVEN_BY_ROLES & frozenset(made))
    if row["takes_money"]:
        scopes |= TAKING_MONEY.get(row["role"], frozenset())
    return scopes | tx.own_scopes.held(row["role"], [*row["scopes"], *made])


def _scopes_of_role(tx: Transaction, role: str) -> frozenset[str]:
    """The scopes of the core that a role gives. One of a plugin gives what it names, beside what all members read, and
    nothing at all once the plugin is gone."""
    own_role = tx.own_scopes.roles.get(role)
    if own_role is not None:
        return READ | (GIVEN_BY_ROLES & frozenset(own_role.scopes))
    return ROLES.get(role, frozenset())


def scopes_at(tx: Transaction, actor: Actor, enterprise_id: str) -> frozenset[str]:
    """The scopes that the actor has by their role there, or at the hub that keeps it, and by its grants to theirs."""
    if actor.person_id is None:
        return frozenset()
    grant = enterprise_grant.c
    granted = and_(grant.grantee_id == _member.enterprise_id, grant.grantor_id == enterprise_id)
    rows = tx.all(
        select(*RIGHTS, grant.scope, works_at(enterprise_id).label("works"))
        .select_from(MEMBERS.outerjoin(enterprise_grant, granted))
        .where(_member.person_id == actor.person_id)
    )
    scopes: set[str] = set()
    for row in rows:
        if row["works"]:
            scopes |= scopes_of_member(tx, row)
        elif row["scope"]:
            scopes |= GRANTS[row["scope"]] & scopes_of_member(tx, row)
    return frozenset(scopes)
