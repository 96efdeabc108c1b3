"""Endpoints of the JSON API for the scopes that an enterprise grants to platforms."""

from __future__ import annotations

from typing import Annotated

import msgspec

from commensal import Body, Call, Routes

from ..runtime import federation_of
from .scopes import PlatformAccess, grant_scopes, platform_access, platforms_of

routes = Routes("federation_platforms", where_off=True)
_PLATFORMS = "/enterprises/{enterprise}/platforms"

Scope = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Letting(Body, frozen=True, kw_only=True):
    """All the scopes that the platform has from now on; none takes everything back."""

    scopes: Annotated[list[Scope], msgspec.Meta(max_length=6)]
    customer_id: Id | None = None


@routes.get(_PLATFORMS, scope="grants:read")
def platforms(call: Call, enterprise: str) -> list[PlatformAccess]:
    """Platforms that speak DFC, with what the enterprise lets each of them do."""
    return platforms_of(federation_of(call.instance), call.tx, enterprise)


@routes.get(f"{_PLATFORMS}/{{platform}}", scope="grants:read")
def platform(call: Call, enterprise: str, platform: str) -> PlatformAccess:
    """What the enterprise lets this platform do."""
    return platform_access(federation_of(call.instance), call.tx, enterprise, platform)


@routes.put(f"{_PLATFORMS}/{{platform}}", scope="grants:write")
def let(call: Call, enterprise: str, platform: str, body: Letting) -> PlatformAccess:
    """Grants scopes to a platform, or takes them back; it orders as that customer, at their prices."""
    return grant_scopes(
        federation_of(call.instance),
        call.tx,
        enterprise,
        platform,
        body.scopes,
        customer_id=body.customer_id,
        by=call.actor.person_id,
    )
