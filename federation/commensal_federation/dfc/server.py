"""What other platforms may read here in DFC: ``/api/dfc/…``, ``/webid`` and ``/.well-known/dfc/``.

Enterprises that are public are there for everybody. What they list is for those who hold ``products:read`` and
``catalogs:read`` there: its members, and enterprises that it granted ReadProducts, by their tokens. A reader gets 1.16,
or 2.0 where it says so (``Accept: application/ld+json; profile="dfc-v2"``), as Open Food Network does it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from commensal import (
    Enterprise,
    Instance,
    Refused,
    Transaction,
    Visit,
    demand,
    find_enterprise,
    list_enterprises,
    page,
    say,
)

from .export import enterprise_things, export_enterprise
from .iris import webid_iri
from .names import full
from .taxonomies import SCOPES
from .vocabulary import DfcItem, DfcLot, DfcOffer, DfcProduct, Thing
from .write_20 import write as write_20
from .write_116 import write as write_116

_PLACES = {"Enterprise": "/api/dfc/enterprises", "Products": "/api/dfc/enterprises/{id}/supplied_products"}
_PAGE = 100  # enterprises
_V2 = 'application/ld+json; profile="dfc-v2"'
_Kinds = tuple[type[Thing], ...]


def dfc_routes(instance: Instance) -> Sequence[BaseRoute]:
    """Only for reading: who wants to change something does it by messages, or by the JSON API."""
    return [
        page("/.well-known/dfc/", places, on_error=on_error),
        page("/webid", webid, on_error=on_error),
        page("/api/dfc/enterprises", enterprises, on_error=on_error),
        page("/api/dfc/organizations", enterprises, on_error=on_error),
        page("/api/dfc/enterprises/{enterprise}", enterprise, on_error=on_error),
        page("/api/dfc/organizations/{enterprise}", enterprise, on_error=on_error),
        page("/api/dfc/addresses/{enterprise}", address, on_error=on_error),
        page("/api/dfc/enterprises/{enterprise}/supplied_products", supplied_products, on_error=on_error),
        page("/api/dfc/enterprises/{enterprise}/catalog_items", catalog_items, on_error=on_error),
    ]


def places(visit: Visit) -> Response:
    """Where what each scope lets a platform read is to be found, by the scope."""
    said = {
        full(f"scopes:{scope}"): place
        for scope in SCOPES
        for subject, place in _PLACES.items()
        if scope == f"Read{subject}"
    }
    return JSONResponse(said)


def webid(visit: Visit) -> Response:
    """This instance as a DFC platform."""
    base = _base(visit)
    return _answer(
        visit,
        {
            "@context": {"dfc-t": "http://w3id.org/dfc/ontology/v2.0.0/src/DFC_TechnicalOntology.owl#",
                         "foaf": "http://xmlns.com/foaf/0.1/"},
            "@id": webid_iri(base),
            "@type": ["dfc-t:Platform", "foaf:Agent"],
            "foaf:name": visit.instance.settings.name,
            "dfc-t:supportedProtocolVersion": "2.0.0",
            "dfc-t:supportedOntologyVersion": ["1.16.0", "2.0.0"],
        },
        "application/ld+json",
    )  # fmt: skip


def enterprises(visit: Visit) -> Response:
    """Public ones by the names in their addresses, a hundred at a time: ``?after=`` the last of the page before."""
    base = _base(visit)
    with visit.read() as tx:
        found = list_enterprises(tx, after=visit.query.get("after", "")[:100], limit=_PAGE)
    response = _document(visit, [thing for one in found for thing in enterprise_things(base, one)])
    if len(found) == _PAGE:
        response.headers["Link"] = f'<{base}/api/dfc/enterprises?after={found[-1].slug}>; rel="next"'
    return response


def enterprise(visit: Visit) -> Response:
    """The enterprise; for who may see it, with its products, stock, catalogs and prices."""
    base = _base(visit)
    with visit.read() as tx:
        found = _found(visit, tx)
        try:
            _demand_goods(visit, tx, found)
        except Refused:
            return _document(visit, enterprise_things(base, found))
        return _document(visit, list(export_enterprise(tx, base, found)))


def address(visit: Visit) -> Response:
    with visit.read() as tx:
        of_it = list(enterprise_things(_base(visit), _found(visit, tx)))
    return _document(visit, of_it[1:2])


def supplied_products(visit: Visit) -> Response:
    return _goods(visit, (DfcProduct, DfcLot))


def catalog_items(visit: Visit) -> Response:
    return _goods(visit, (DfcItem, DfcProduct, DfcOffer))


def _goods(visit: Visit, kinds: _Kinds) -> Response:
    with visit.read() as tx:
        found = _found(visit, tx)
        _demand_goods(visit, tx, found)
        things = [one for one in export_enterprise(tx, _base(visit), found) if isinstance(one, kinds)]
    return _document(visit, things, [one.iri for one in things if isinstance(one, kinds[0])])


def _found(visit: Visit, tx: Transaction) -> Enterprise:
    return find_enterprise(tx, visit.path["enterprise"], person_id=visit.actor.person_id)


def _demand_goods(visit: Visit, tx: Transaction, enterprise: Enterprise) -> None:
    for scope in ("products:read", "catalogs:read"):
        demand(tx, visit.actor, scope, enterprise.id)


def _document(visit: Visit, things: Iterable[Thing], listed: Iterable[str] | None = None) -> Response:
    written = list(things)
    if "dfc-v2" not in visit.request.headers.get("accept", ""):
        return _answer(visit, write_116(written), "application/ld+json")
    here = f"{_base(visit)}{visit.request.url.path}"
    return _answer(visit, write_20(written, {here: listed or [one.iri for one in written]}), _V2)


def _answer(visit: Visit, document: dict[str, Any], media_type: str) -> Response:
    """Answers 304 to who has the same already."""
    content = msgspec.json.encode(document)
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Vary": "Accept, Authorization, Cookie", "Cache-Control": "private, no-cache",
               "Content-Type": media_type, "X-Content-Type-Options": "nosniff"}  # fmt: skip
    if tag in visit.request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers)


def on_error(visit: Visit, error: Exception) -> Response:
    """A problem (RFC 9457), as the JSON API gives it."""
    status = error.status if isinstance(error, Refused) else 500
    text = say(visit.language, error) if isinstance(error, Refused) else "Something went wrong here."
    return JSONResponse({"title": text, "status": status}, status, media_type="application/problem+json")


def _base(visit: Visit) -> str:
    return visit.instance.settings.base_url.rstrip("/")
