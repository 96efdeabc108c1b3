"""The DFC scopes that enterprises grant to platforms; none by default. A Write scope includes its Read scope."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, select

from commensal import (
    Enterprise,
    Forbidden,
    Invalid,
    NotFound,
    Problem,
    Refused,
    Row,
    Transaction,
    Unauthorised,
    customer_by_id,
    demand,
    enterprise_by_id,
    enterprises_by_id,
    insert_or,
)
from commensal.enterprises import find_enterprise, held_at, memberships_of, sees_amounts
from commensal.pages import Visit

from ..authority.authority import refuse_moving
from ..runtime import Federation
from ..settings import DfcPlatform
from .accounts import NamedAccount, identities, named_accounts
from .notices import add_scope_notices
from .tables import federation_platform

SCOPES = ("ReadEnterprise", "WriteEnterprise", "ReadProducts", "WriteProducts", "ReadOrders", "WriteOrders")
_row = federation_platform.c
_Caller = DfcPlatform | NamedAccount


@dataclass(frozen=True, kw_only=True)
class PlatformAccess:
    """A platform of the operator's settings, or an account that the enterprise named, with the scopes that the
    enterprise granted it.

    account:     who may use a named account: its name at the platform, or the platform's client; "" for a platform
    customer_id: the enterprise's customer for whom it orders, at that customer's prices; None: the customer that each
                 order names, at the prices for everybody
    """

    id: str
    name: str
    url: str
    scopes: tuple[str, ...] = ()
    customer_id: str | None = None
    account: str = ""


@dataclass(frozen=True, kw_only=True)
class CallerAccess:
    """As whom a caller acts at an enterprise; `scopes` are all that it has there. `customer_id` is as above, and
    `email` gets the mails about its orders, "" if nobody does."""

    id: str
    name: str
    email: str
    scopes: frozenset[str]
    customer_id: str | None


def platforms_of(federation: Federation, tx: Transaction, enterprise_id: str) -> list[PlatformAccess]:
    """All platforms of the operator's settings, including those without a scope at this enterprise, and the accounts
    that the enterprise named."""
    rows = {row["platform_id"]: row for row in tx.all(select(federation_platform).where(_is_of(enterprise_id)))}
    callers: list[_Caller] = [*federation.settings.platforms, *named_accounts(tx, enterprise_id)]
    return [_access(caller, rows.get(caller.id)) for caller in callers]


def platform_access(federation: Federation, tx: Transaction, enterprise_id: str, platform_id: str) -> PlatformAccess:
    """One platform's access. Raises `NotFound` for a platform that is not in the operator's settings, and for an
    account that this enterprise has not named."""
    platform = _platform_or_account(federation, tx, enterprise_id, platform_id)
    query = select(federation_platform).where(_is_of(enterprise_id), _row.platform_id == platform_id)
    return _access(platform, tx.first(query))


def grant_scopes(
    federation: Federation,
    tx: Transaction,
    enterprise_id: str,
    platform_id: str,
    scopes: Collection[str],
    *,
    customer_id: str | None = None,
    by: str | None = None,
) -> PlatformAccess:
    """Grants the platform exactly these scopes; an empty collection revokes all. `by` is the id of the deciding person.

    Raises `NotFound` for an unknown platform or another enterprise's customer, `Invalid` for an unknown scope.
    """
    platform = _platform_or_account(federation, tx, enterprise_id, platform_id)
    if unknown := sorted(set(scopes) - set(SCOPES)):
        text = "The scopes of platforms are {known}."
        raise Invalid([Problem("scope", text, "/scopes", {"known": ", ".join(SCOPES), "scope": unknown[0][:60]})])
    if customer_id is not None:
        customer_by_id(tx, enterprise_id, customer_id)
    row = {
        "enterprise_id": enterprise_id,
        "platform_id": platform_id,
        "customer_id": customer_id,
        "scopes": [scope for scope in SCOPES if scope in scopes],
        "changed_at": tx.now,
        "changed_by": by,
    }
    insert = insert_or(tx, federation_platform).values(row)
    before = granted_scopes(tx, platform_id, enterprise_id)
    tx.execute(insert.on_conflict_do_update(index_elements=["enterprise_id", "platform_id"], set_=row))
    if isinstance(platform, DfcPlatform):
        add_scope_notices(platform, tx, enterprise_id, before ^ _with_reading(scopes))
    return _access(platform, row)


def granted_scopes(tx: Transaction, client: str, enterprise_id: str) -> frozenset[str]:
    """The scopes that the enterprise granted to the caller, with the Read scopes that they include."""
    query = select(_row.scopes).where(_is_of(enterprise_id), _row.platform_id.in_(identities(client)))
    return _with_reading({scope for row in tx.all(query) for scope in row["scopes"]})


def enterprises_granting(tx: Transaction, client: str, scope: str) -> list[str]:
    """Ids of the enterprises that granted the caller this scope, each once."""
    rows = tx.all(select(_row.enterprise_id, _row.scopes).where(_row.platform_id.in_(identities(client))))
    return sorted({row["enterprise_id"] for row in rows if scope in _with_reading(row["scopes"])})


def caller_access(federation: Federation, tx: Transaction, enterprise_id: str, client: str) -> CallerAccess:
    """As whom the caller acts at the enterprise: as the account that it named and granted something, else as the
    operator's platform, whatever the latter was granted. Raises `NotFound` if it is none."""
    query = select(federation_platform).where(_is_of(enterprise_id), _row.platform_id.in_(identities(client)))
    granting = {row["platform_id"]: row for row in tx.all(query) if row["scopes"]}
    own = [id for id in identities(client) if id in granting] or [identities(client)[0]]
    acting = _platform_or_account(federation, tx, enterprise_id, own[-1])
    return CallerAccess(
        id=acting.id,
        name=acting.name or acting.id,
        email=acting.email,
        scopes=granted_scopes(tx, client, enterprise_id),
        customer_id=granting[acting.id]["customer_id"] if acting.id in granting else None,
    )


def platform_by_id(federation: Federation, platform_id: str) -> DfcPlatform:
    """The platform in the operator's settings. Raises `NotFound`."""
    for platform in federation.settings.platforms:
        if platform.id == platform_id:
            return platform
    raise NotFound("no_platform", "This platform is not known here.")


def operator_platform(federation: Federation, client: str) -> DfcPlatform:
    """The platform of the operator's settings that the caller belongs to. Raises `NotFound`."""
    return platform_by_id(federation, identities(client)[0])


def _platform_or_account(federation: Federation, tx: Transaction, enterprise_id: str, id: str) -> _Caller:
    accounts = named_accounts(tx, enterprise_id)
    return next((account for account in accounts if account.id == id), None) or platform_by_id(federation, id)


def _with_reading(scopes: Collection[str]) -> frozenset[str]:
    return frozenset(scopes) | {scope.replace("Write", "Read") for scope in scopes}


def _access(platform: _Caller, row: Row | None) -> PlatformAccess:
    values = row or {}
    return PlatformAccess(
        id=platform.id,
        name=platform.name or platform.id,
        url=platform.url,
        scopes=tuple(values.get("scopes", ())),
        customer_id=values.get("customer_id"),
        account=(platform.account or platform.client) if isinstance(platform, NamedAccount) else "",
    )


def _is_of(enterprise_id: str) -> ColumnElement[bool]:
    return _row.enterprise_id == enterprise_id


# Access to DFC answers: a platform has the scopes that enterprises granted it, a person their own rights.
#
# Every request at an enterprise needs one scope of DFC. A person's token or session has a DFC scope if it has all the
# rights of Commensal that correspond to it.

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
