"""Grants: what one enterprise lets another do with its things. Nothing, unless it says so.

The scopes are those of DFC. Who may change products or the profile may read them too; orders are two separate matters:
WriteOrders lets a hub sell the grantor's goods, ReadOrders lets a producer see what the grantor sold of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, select

from ...base.errors import Invalid, NotFound, Problem
from ...storage.database import Transaction, insert_once
from ..people.scopes import GRANTS
from .tables import enterprise, enterprise_grant

ALL = frozenset(GRANTS)
_INCLUDES = {"WriteEnterprise": "ReadEnterprise", "WriteProducts": "ReadProducts"}


@dataclass(frozen=True, kw_only=True)
class Grant:
    """One scope that an enterprise, the grantor, gave to another, the grantee."""

    grantor_id: str
    grantor_name: str
    grantee_id: str
    grantee_name: str
    scope: str
    granted_at: datetime


_GRANTOR, _GRANTEE = enterprise.alias(), enterprise.alias()


def grant(tx: Transaction, grantor_id: str, grantee_id: str, scope: str, *, by: str | None = None) -> Grant:
    """Gives a scope; giving it again changes nothing. `by` is the person who decided it.

    Raises `Invalid` for a scope that is none and for a grant to oneself, `NotFound` where there is no such grantee.
    """
    problems = []
    if scope not in ALL:
        known = ", ".join(sorted(ALL))
        problems.append(Problem("scope", "The scopes of grants are {known}.", "/scope", {"known": known}))
    if grantor_id == grantee_id:
        problems.append(Problem("grantee", "An enterprise needs no grant from itself.", "/grantee"))
    if problems:
        raise Invalid(problems)
    there = select(enterprise.c.id).where(enterprise.c.id == grantee_id, enterprise.c.archived_at.is_(None))
    if tx.value(there) is None:
        raise NotFound("no_enterprise", "There is no such enterprise.")
    row = {"grantor_id": grantor_id, "grantee_id": grantee_id, "scope": scope, "granted_at": tx.now, "granted_by": by}
    insert_once(tx, enterprise_grant, row)
    return Grant(**tx.one(_grants().where(*_is(grantor_id, grantee_id, scope))))


def revoke(tx: Transaction, grantor_id: str, grantee_id: str, scope: str) -> None:
    """Takes a scope back. Running sales keep what they have. Raises `NotFound`."""
    if tx.execute(delete(enterprise_grant).where(*_is(grantor_id, grantee_id, scope))).rowcount != 1:
        raise NotFound


def grants_given(tx: Transaction, grantor_id: str) -> Sequence[Grant]:
    """What the enterprise lets others do, by the others' names."""
    mine = _grants().where(enterprise_grant.c.grantor_id == grantor_id)
    return [Grant(**row) for row in tx.all(mine.order_by(_GRANTEE.c.slug, enterprise_grant.c.scope))]


def grants_received(tx: Transaction, grantee_id: str) -> Sequence[Grant]:
    """What others let the enterprise do, by the others' names."""
    mine = _grants().where(enterprise_grant.c.grantee_id == grantee_id)
    return [Grant(**row) for row in tx.all(mine.order_by(_GRANTOR.c.slug, enterprise_grant.c.scope))]


def grants_of(tx: Transaction, grantor_id: str, grantee_id: str) -> frozenset[str]:
    """All that `grantee` may do with the things of `grantor`. An enterprise may do everything with its own."""
    if grantor_id == grantee_id:
        return ALL
    given = select(enterprise_grant.c.scope).where(
        enterprise_grant.c.grantor_id == grantor_id, enterprise_grant.c.grantee_id == grantee_id
    )
    scopes = {row["scope"] for row in tx.all(given)}
    return frozenset(scopes | {_INCLUDES[one] for one in scopes if one in _INCLUDES})


def granted(tx: Transaction, grantor_id: str, grantee_id: str, scope: str) -> bool:
    """Whether `grantee` may do this with the things of `grantor`."""
    return scope in grants_of(tx, grantor_id, grantee_id)


def grantors(tx: Transaction, grantee_id: str, scope: str) -> frozenset[str]:
    """Ids of all enterprises with whose things `grantee` may do this, itself among them."""
    enough = [scope, *(wide for wide, narrow in _INCLUDES.items() if narrow == scope)]
    given = select(enterprise_grant.c.grantor_id).where(
        enterprise_grant.c.grantee_id == grantee_id, enterprise_grant.c.scope.in_(enough)
    )
    return frozenset(row["grantor_id"] for row in tx.all(given)) | {grantee_id}


def _grants() -> Select[Any]:
    return (
        select(
            enterprise_grant.c.grantor_id,
            _GRANTOR.c.name.label("grantor_name"),
            enterprise_grant.c.grantee_id,
            _GRANTEE.c.name.label("grantee_name"),
            enterprise_grant.c.scope,
            enterprise_grant.c.granted_at,
        )
        .join(_GRANTOR, _GRANTOR.c.id == enterprise_grant.c.grantor_id)
        .join(_GRANTEE, _GRANTEE.c.id == enterprise_grant.c.grantee_id)
    )


def _is(grantor_id: str, grantee_id: str, scope: str) -> tuple[ColumnElement[bool], ...]:
    row = enterprise_grant.c
    return row.grantor_id == grantor_id, row.grantee_id == grantee_id, row.scope == scope
