"""Grants: what one enterprise allows another to do with its data. Everything else is denied.

The scopes are those of DFC. A right to change products or the profile includes the right to read them. For orders the
two rights are independent: WriteOrders lets a hub sell the grantor's goods, ReadOrders lets a producer see what the
grantor sold of the producer's goods.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select

from ..base.errors import Invalid, NotFound, Problem
from ..people.actor import GRANTS
from ..storage.database import RowQuery, Transaction, insert_once
from .tables import enterprise, enterprise_grant

ALL = frozenset(GRANTS)
# The right to read in each right to edit.
READING_PART = {"WriteEnterprise": "ReadEnterprise", "WriteProducts": "ReadProducts"}


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A scope that one enterprise, the grantor, gave to another, the grantee."""

    grantor_id: str
    grantor_name: str
    grantee_id: str
    grantee_name: str
    scope: str
    granted_at: datetime


_GRANTOR, _GRANTEE = enterprise.alias(), enterprise.alias()


def grant(tx: Transaction, grantor_id: str, grantee_id: str, scope: str, *, by: str | None = None) -> Grant:
    """Grants a scope; granting it again changes nothing. `by` is the id of the person who decided it.

    Raises `Invalid` for an unknown scope and for a grant to oneself, `NotFound` if there is no such grantee.
    """
    problems = []
    if scope not in ALL:
        scopes = ", ".join(sorted(ALL))
        problems.append(Problem("scope", "The scopes of grants are {known}.", "/scope", {"known": scopes}))
    if grantor_id == grantee_id:
        problems.append(Problem("grantee", "An enterprise needs no grant from itself.", "/grantee"))
    if problems:
        raise Invalid(problems)
    grantee = select(enterprise.c.id).where(enterprise.c.id == grantee_id, enterprise.c.archived_at.is_(None))
    if tx.value(grantee) is None:
        raise NotFound("no_enterprise", "There is no such enterprise.")
    row = {"grantor_id": grantor_id, "grantee_id": grantee_id, "scope": scope, "granted_at": tx.now, "granted_by": by}
    insert_once(tx, enterprise_grant, row)
    return Grant(**tx.one(_select_grants().where(*_is_grant(grantor_id, grantee_id, scope))))


def revoke(tx: Transaction, grantor_id: str, grantee_id: str, scope: str) -> None:
    """Revokes a scope. Sales that are open keep their offers. Raises `NotFound`."""
    if tx.execute(delete(enterprise_grant).where(*_is_grant(grantor_id, grantee_id, scope))).rowcount != 1:
        raise NotFound


def grants_given(tx: Transaction, grantor_id: str) -> Sequence[Grant]:
    """The grants that the enterprise gave to others, ordered by the grantee's slug."""
    query = _select_grants().where(enterprise_grant.c.grantor_id == grantor_id)
    return [Grant(**row) for row in tx.all(query.order_by(_GRANTEE.c.slug, enterprise_grant.c.scope))]


def grants_received(tx: Transaction, grantee_id: str) -> Sequence[Grant]:
    """The grants that the enterprise received from others, ordered by the grantor's slug."""
    query = _select_grants().where(enterprise_grant.c.grantee_id == grantee_id)
    return [Grant(**row) for row in tx.all(query.order_by(_GRANTOR.c.slug, enterprise_grant.c.scope))]


def grants_of(tx: Transaction, grantor_id: str, grantee_id: str) -> frozenset[str]:
    """All scopes that the grantee holds at the grantor. An enterprise holds every scope at itself."""
    if grantor_id == grantee_id:
        return ALL
    query = select(enterprise_grant.c.scope).where(
        enterprise_grant.c.grantor_id == grantor_id, enterprise_grant.c.grantee_id == grantee_id
    )
    scopes = {row["scope"] for row in tx.all(query)}
    return frozenset(scopes | {READING_PART[scope] for scope in scopes if scope in READING_PART})


def grantors(tx: Transaction, grantee_id: str, scope: str) -> frozenset[str]:
    """Ids of all enterprises at which the grantee holds this scope, its own included."""
    sufficient = [scope, *(wide for wide, narrow in READING_PART.items() if narrow == scope)]
    query = select(enterprise_grant.c.grantor_id).where(
        enterprise_grant.c.grantee_id == grantee_id, enterprise_grant.c.scope.in_(sufficient)
    )
    return frozenset(row["grantor_id"] for row in tx.all(query)) | {grantee_id}


def _select_grants() -> RowQuery:
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


def _is_grant(grantor_id: str, grantee_id: str, scope: str) -> tuple[ColumnElement[bool], ...]:
    row = enterprise_grant.c
    return row.grantor_id == grantor_id, row.grantee_id == grantee_id, row.scope == scope
