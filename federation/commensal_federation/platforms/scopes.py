"""What an enterprise lets a platform do: the scopes of DFC, nothing unless it says so. Who may write may read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select

from commensal import Invalid, NotFound, Problem, Transaction, customer_by_id, insert_or

from ..runtime import Federation
from ..settings import DfcPlatform
from .noting import note_scopes
from .tables import federation_platform

SCOPES = ("ReadEnterprise", "WriteEnterprise", "ReadProducts", "WriteProducts", "ReadOrders", "WriteOrders")
_row = federation_platform.c


@dataclass(frozen=True, kw_only=True)
class PlatformAccess:
    """A platform that the operator knows, with what one enterprise lets it do there.

    customer_id: the enterprise's customer as whom it orders, at their prices; None: whoever its orders name, at
                 everybody's prices
    """

    id: str
    name: str
    url: str
    scopes: tuple[str, ...] = ()
    customer_id: str | None = None


def platforms_of(federation: Federation, tx: Transaction, enterprise_id: str) -> list[PlatformAccess]:
    """All platforms that the operator knows, those without any scope too."""
    rows = {row["platform_id"]: row for row in tx.all(select(federation_platform).where(_is_of(enterprise_id)))}
    return [_access(one, rows.get(one.id)) for one in federation.settings.platforms]


def platform_access(federation: Federation, tx: Transaction, enterprise_id: str, platform_id: str) -> PlatformAccess:
    """One of them. Raises `NotFound` for a platform that the operator does not know."""
    known = known_platform(federation, platform_id)
    chosen = select(federation_platform).where(_is_of(enterprise_id), _row.platform_id == platform_id)
    return _access(known, tx.first(chosen))


def let_platform(
    federation: Federation,
    tx: Transaction,
    enterprise_id: str,
    platform_id: str,
    scopes: Collection[str],
    *,
    customer_id: str | None = None,
    by: str | None = None,
) -> PlatformAccess:
    """From now on the platform has exactly these scopes; none takes everything back. `by` is the person who decided.

    Raises `NotFound` for an unknown platform and for somebody else's customer, `Invalid` for a scope that is none.
    """
    known = known_platform(federation, platform_id)
    if unknown := sorted(set(scopes) - set(SCOPES)):
        text = "The scopes of platforms are {known}."
        raise Invalid([Problem("scope", text, "/scopes", {"known": ", ".join(SCOPES), "scope": unknown[0][:60]})])
    if customer_id is not None:
        customer_by_id(tx, enterprise_id, customer_id)
    row = {
        "enterprise_id": enterprise_id, "platform_id": platform_id, "customer_id": customer_id,
        "scopes": [one for one in SCOPES if one in scopes], "changed_at": tx.now, "changed_by": by,
    }  # fmt: skip
    new = insert_or(tx, federation_platform).values(row)
    before = held_by(tx, platform_id, enterprise_id)
    tx.execute(new.on_conflict_do_update(index_elements=["enterprise_id", "platform_id"], set_=row))
    note_scopes(known, tx, enterprise_id, before ^ _with_reading(scopes))
    return _access(known, row)


def held_by(tx: Transaction, platform_id: str, enterprise_id: str) -> frozenset[str]:
    """The scopes that the enterprise gave to the platform, with what they include."""
    given = select(_row.scopes).where(_is_of(enterprise_id), _row.platform_id == platform_id)
    return _with_reading(tx.value(given) or ())


def enterprises_for(tx: Transaction, platform_id: str, scope: str) -> list[str]:
    """Ids of the enterprises that gave the platform this scope."""
    rows = tx.all(select(_row.enterprise_id, _row.scopes).where(_row.platform_id == platform_id))
    return [row["enterprise_id"] for row in rows if scope in _with_reading(row["scopes"])]


def known_platform(federation: Federation, platform_id: str) -> DfcPlatform:
    """Raises `NotFound` for one that the operator has not set."""
    for one in federation.settings.platforms:
        if one.id == platform_id:
            return one
    raise NotFound("no_platform", "This platform is not known here.")


def _with_reading(scopes: Collection[str]) -> frozenset[str]:
    return frozenset(scopes) | {one.replace("Write", "Read") for one in scopes}


def _access(known: DfcPlatform, row: Mapping[Any, Any] | None) -> PlatformAccess:
    given = row or {}
    return PlatformAccess(
        id=known.id, name=known.name or known.id, url=known.url, scopes=tuple(given.get("scopes", ())),
        customer_id=given.get("customer_id"),
    )  # fmt: skip


def _is_of(enterprise_id: str) -> ColumnElement[bool]:
    return _row.enterprise_id == enterprise_id
