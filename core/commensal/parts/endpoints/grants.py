"""Grants between enterprises over the API."""

from __future__ import annotations

from ...api.endpoint import Call, Routes
from ...enterprises import grants
from ...enterprises.grants import Grant, grants_received

routes = Routes("grants")

_GRANT = "/enterprises/{enterprise}/grants/{grantee}/{scope}"


@routes.get("/enterprises/{enterprise}/grants", scope="grants:read")
def grants_given(call: Call, enterprise: str) -> list[Grant]:
    """What this enterprise lets others do."""
    return list(grants.grants_given(call.tx, enterprise))


@routes.get("/enterprises/{enterprise}/grants-received", scope="grants:read")
def what_others_grant(call: Call, enterprise: str) -> list[Grant]:
    """What others let this enterprise do."""
    return list(grants_received(call.tx, enterprise))


@routes.put(_GRANT, scope="grants:write")
def give_grant(call: Call, enterprise: str, grantee: str, scope: str) -> Grant:
    """Lets another enterprise do something: a DFC scope, like WriteOrders to sell this one's products."""
    return grants.grant(call.tx, enterprise, grantee, scope, by=call.person_id)


@routes.delete(_GRANT, scope="grants:write")
def take_grant_back(call: Call, enterprise: str, grantee: str, scope: str) -> None:
    """Takes a grant back. Running sales keep what they have."""
    grants.revoke(call.tx, enterprise, grantee, scope)


@routes.delete("/enterprises/{enterprise}/grants-received/{grantor}/{scope}", scope="grants:write")
def give_grant_back(call: Call, enterprise: str, grantor: str, scope: str) -> None:
    """Gives back what another enterprise lets this one do. Running sales keep what they have."""
    grants.revoke(call.tx, grantor, enterprise, scope)
