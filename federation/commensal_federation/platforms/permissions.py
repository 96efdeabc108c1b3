"""Platforms and their scopes as documents, as the deployed portals read and write them: ``dfc-t:hasAssignedScopes``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.routing import BaseRoute

from commensal import Invalid, Problem, Transaction, Visit, demand

from ..dfc.names import full
from ..runtime import federation_of
from .dfc_answering import answer, base_of, dfc_page
from .dfc_asking import asked_enterprise, refuse_nobody
from .scopes import SCOPES, PlatformAccess, let_platform, platform_access, platforms_of

_CONTEXT = "https://cdn.startinblox.com/owl/context-bis.jsonld"  # which is what portals understand
_JSON = "application/json"


def permission_routes() -> Sequence[BaseRoute]:
    """For people of the enterprise who may grant: a platform does not see what others may do."""
    one = "/api/dfc/enterprises/{enterprise}/platforms"
    return [dfc_page(one, platforms), dfc_page(f"{one}/{{platform}}", platform, "GET", "PUT")]


def platforms(visit: Visit) -> Response:
    with visit.read() as tx:
        enterprise_id = _granting(visit, tx, "grants:read")
        found = platforms_of(federation_of(visit.instance), tx, enterprise_id)
    here = f"{base_of(visit)}/api/dfc/enterprises/{enterprise_id}/platforms"
    listed = [_platform(one) for one in found]
    said = {"@context": _CONTEXT, "@id": here, "dfc-t:platforms": {"@type": "rdf:List", "@list": listed}}
    return answer(visit, said, _JSON)


def platform(visit: Visit) -> Response:
    federation, named = federation_of(visit.instance), visit.path["platform"]
    if visit.request.method == "GET":
        with visit.read() as tx:
            found = platform_access(federation, tx, _granting(visit, tx, "grants:read"), named)
        return answer(visit, {"@context": _CONTEXT, **_platform(found)}, _JSON)
    with visit.write() as tx:
        enterprise_id = _granting(visit, tx, "grants:write")
        before = platform_access(federation, tx, enterprise_id, named)
        found = let_platform(
            federation, tx, enterprise_id, named, _scopes(visit.body),
            customer_id=before.customer_id, by=visit.actor.person_id,
        )  # fmt: skip
    return answer(visit, {"@context": _CONTEXT, **_platform(found)}, _JSON)


def _granting(visit: Visit, tx: Transaction, scope: str) -> str:
    refuse_nobody(visit)
    enterprise = asked_enterprise(visit, tx)
    demand(tx, visit.actor, scope, enterprise.id)
    return enterprise.id


def _platform(access: PlatformAccess) -> dict[str, Any]:
    scopes = [{"@id": full(f"scopes:{one}"), "@type": "dfc-t:Scope", "dfc-t:scope": one} for one in access.scopes]
    return {
        "@id": access.url or access.id,
        "@type": "dfc-t:Platform",
        "localId": access.id,
        "title": access.name,
        "dfc-t:hasAssignedScopes": {"@type": "rdf:List", "@list": scopes},
    }


def _scopes(body: bytes) -> list[str]:
    """The last word of each scope's address, whoever's address it is. Raises `Invalid`."""
    try:
        said = msgspec.json.decode(body, type=dict[str, Any])
        listed = said["dfc-t:hasAssignedScopes"]
        named = [one["@id"] if isinstance(one, dict) else one for one in (
            listed["@list"] if isinstance(listed, dict) else listed)]  # fmt: skip
        words = [str(one).replace("#", "/").rpartition("/")[2] for one in named]
    except (msgspec.DecodeError, KeyError, TypeError):
        raise Invalid([Problem("no_scopes", "Say all the scopes in dfc-t:hasAssignedScopes.")]) from None
    if len(words) > len(SCOPES):
        raise Invalid([Problem("too_many", "There are six scopes.")])
    return words
