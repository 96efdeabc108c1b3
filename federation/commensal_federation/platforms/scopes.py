"""The DFC scopes that enterprises grant to platforms; none by default. A Write scope includes its Read scope."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select

from commensal import Invalid, NotFound, Problem, Row, Transaction, customer_by_id, insert_or

from ..runtime import Federation
from ..settings import DfcPlatform
from .notices import add_scope_notices
from .tables import federation_platform

SCOPES = ("ReadEnterprise", "WriteEnterprise", "ReadProducts", "WriteProducts", "ReadOrders", "WriteOrders")
_row = federation_platform.c


@dataclass(frozen=True, kw_only=True)
class PlatformAccess:
    """A platform of the operator's settings, with the scopes that one enterprise granted it.

    customer_id: the enterprise's customer for whom it orders, at that customer's prices; None: the customer that each
                 order names, at the prices for everybody
    """

    id: str
    name: str
    url: str
    scopes: tuple[str, ...] = ()
    customer_id: str | None = None


def platforms_of(federation: Federation, tx: Transaction, enterprise_id: str) -> list[PlatformAccess]:
    """All platforms of the operator's settings, including those without a scope at this enterprise."""
    rows = {row["platform_id"]: row for row in tx.all(select(federation_platform).where(_is_of(enterprise_id)))}
    return [_access(platform, rows.get(platform.id)) for platform in federation.settings.platforms]


def platform_access(federation: Federation, tx: Transaction, enterprise_id: str, platform_id: str) -> PlatformAccess:
    """One platform's access. Raises `NotFound` for a platform that is not in the operator's settings."""
    platform = platform_by_id(federation, platform_id)
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
    platform = platform_by_id(federation, platform_id)
    if unknown := sorted(set(scopes) - set(SCOPES)):
        text = "The scopes of platforms are {known}."
        raise Invalid([Problem("scope", text, "/scopes", {"known": ", ".join(SCOPES), "scope": unknown[0][:60]})])
    if customer_id is not None:
        customer_by_id(tx, enterprise_id, customer_id)
    row = {
        "enterprise_id": enterprise_id, "platform_id": platform_id, "customer_id": customer_id,
        "scopes": [scope for scope in SCOPES if scope in scopes], "changed_at": tx.now, "changed_by": by,
    }  # fmt: skip
    insert = insert_or(tx, federation_platform).values(row)
    before = granted_scopes(tx, platform_id, enterprise_id)
    tx.execute(insert.on_conflict_do_update(index_elements=["enterprise_id", "platform_id"], set_=row))
    add_scope_notices(platform, tx, enterprise_id, before ^ _with_reading(scopes))
    return _access(platform, row)


def granted_scopes(tx: Transaction, platform_id: str, enterprise_id: str) -> frozenset[str]:
    """The scopes that the enterprise granted to the platform, with the Read scopes that they include."""
    query = select(_row.scopes).where(_is_of(enterprise_id), _row.platform_id == platform_id)
    return _with_reading(tx.value(query) or ())


def enterprises_granting(tx: Transaction, platform_id: str, scope: str) -> list[str]:
    """Ids of the enterprises that granted the platform this scope."""
    rows = tx.all(select(_row.enterprise_id, _row.scopes).where(_row.platform_id == platform_id))
    return [row["enterprise_id"] for row in rows if scope in _with_reading(row["scopes"])]


def platform_by_id(federation: Federation, platform_id: str) -> DfcPlatform:
    """The platform in the operator's settings. Raises `NotFound`."""
    for platform in federation.settings.platforms:
        if platform.id == platform_id:
            return platform
    raise NotFound("no_platform", "This platform is not known here.")


def _with_reading(scopes: Collection[str]) -> frozenset[str]:
    return frozenset(scopes) | {scope.replace("Write", "Read") for scope in scopes}


def _access(platform: DfcPlatform, row: Row | None) -> PlatformAccess:
    values = row or {}
    return PlatformAccess(
        id=platform.id, name=platform.name or platform.id, url=platform.url, scopes=tuple(values.get("scopes", ())),
        customer_id=values.get("customer_id"),
    )  # fmt: skip


def _is_of(enterprise_id: str) -> ColumnElement[bool]:
    return _row.enterprise_id == enterprise_id
