"""Platforms and their scopes in the form that deployed portals read and write: ``dfc-t:hasAssignedScopes``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.routing import BaseRoute

from commensal import Invalid, Problem, Transaction, demand
from commensal.pages import Visit

from ..dfc.names import full
from ..runtime import federation_of
from .responses import base_of, dfc_page, json_response
from .scopes import (
    SCOPES,
    PlatformAccess,
    grant_scopes,
    platform_access,
    platforms_of,
    refuse_anonymous,
    requested_enterprise,
)

_CONTEXT = "https://cdn.startinblox.com/owl/context-bis.jsonld"  # the context that portals understand
_JSON = "application/json"


def permission_routes() -> Sequence[BaseRoute]:
    """Routes for people with rights on grants; a platform does not see what other platforms may do."""
    path = "/api/dfc/enterprises/{enterprise}/platforms"
    return [dfc_page(path, platforms), dfc_page(f"{path}/{{platform}}", platform, "GET", "PUT")]


def platforms(visit: Visit) -> Response:
    with visit.read() as tx:
        enterprise_id = _demand_enterprise(visit, tx, "grants:read")
        access = platforms_of(federation_of(visit.instance), tx, enterprise_id)
    url = f"{base_of(visit)}/api/dfc/enterprises/{enterprise_id}/platforms"
    members = [_platform(platform) for platform in access]
    body = {"@context": _CONTEXT, "@id": url, "dfc-t:platforms": {"@type": "rdf:List", "@list": members}}
    return json_response(visit, body, _JSON)


def platform(visit: Visit) -> Response:
    federation, platform_id = federation_of(visit.instance), visit.path["platform"]
    if visit.request.method == "GET":
        with visit.read() as tx:
            access = platform_access(federation, tx, _demand_enterprise(visit, tx, "grants:read"), platform_id)
        return json_response(visit, {"@context": _CONTEXT, **_platform(access)}, _JSON)
    with visit.write() as tx:
        enterprise_id = _demand_enterprise(visit, tx, "grants:write")
        before = platform_access(federation, tx, enterprise_id, platform_id)
        access = grant_scopes(
            federation,
            tx,
            enterprise_id,
            platform_id,
            _scopes(visit.body),
            customer_id=before.customer_id,
            by=visit.actor.person_id,
        )
    return json_response(visit, {"@context": _CONTEXT, **_platform(access)}, _JSON)


def _demand_enterprise(visit: Visit, tx: Transaction, scope: str) -> str:
    refuse_anonymous(visit)
    enterprise = requested_enterprise(visit, tx)
    demand(tx, visit.actor, scope, enterprise.id)
    return enterprise.id


def _platform(access: PlatformAccess) -> dict[str, object]:
    scopes = [{"@id": full(f"scopes:{scope}"), "@type": "dfc-t:Scope", "dfc-t:scope": scope} for scope in access.scopes]
    return {
        "@id": access.url or access.id,
        "@type": "dfc-t:Platform",
        "localId": access.id,
        "title": access.name,
        "dfc-t:hasAssignedScopes": {"@type": "rdf:List", "@list": scopes},
    }


def _scopes(body: bytes) -> list[str]:
    """The last segment of each scope's IRI, of any host. Raises `Invalid`."""
    try:
        document = msgspec.json.decode(body, type=dict[str, Any])
        value = document["dfc-t:hasAssignedScopes"]
        entries = [
            entry["@id"] if isinstance(entry, dict) else entry
            for entry in (value["@list"] if isinstance(value, dict) else value)
        ]
        names = [str(entry).replace("#", "/").rpartition("/")[2] for entry in entries]
    except (msgspec.DecodeError, KeyError, TypeError):
        raise Invalid([Problem("no_scopes", "Say all the scopes in dfc-t:hasAssignedScopes.")]) from None
    if len(names) > len(SCOPES):
        raise Invalid([Problem("too_many", "There are six scopes.")])
    return names
