"""What other platforms may read here in DFC: ``/api/dfc/…``, ``/webid`` and ``/.well-known/dfc/``.

Where things are, and what this instance is, is said to everybody. All else is for those who hold the scope of DFC at
the enterprise: platforms to which it was granted, and people by their sessions and tokens. A reader gets 1.16, or 2.0
where it says so, as Open Food Network does it.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute

from commensal import Instance, NotFound, Visit, listing_stamp

from ..authority.authority import authority_of
from ..dfc.dialects import V1
from ..dfc.iris import enterprise_iri, webid_iri
from ..dfc.names import full
from ..dfc.vocabulary import DfcItem, DfcLot, DfcOffer, DfcProduct, Thing
from .dfc_answering import answer, base_of, dfc_page, document, has_already, tag_of, unchanged
from .dfc_asking import asked_enterprise, demand_scope, holds, known_enterprises
from .event_pages import event_routes
from .export import enterprise_things, export_enterprise
from .order_pages import order_routes
from .permissions import permission_routes
from .singles import single_routes

_ORDERS = "/api/dfc/enterprises/{id}/orders"
_PLACES = {
    "ReadEnterprise": "/api/dfc/enterprises",
    "ReadProducts": "/api/dfc/enterprises/{id}/supplied_products",
    "ReadOrders": _ORDERS,
    "WriteOrders": _ORDERS,
}
_PAGE = 100  # enterprises
_Kinds = tuple[type[Thing], ...]


def dfc_routes(instance: Instance) -> Sequence[BaseRoute]:
    """All of them. Each room adds its own."""
    return [
        dfc_page("/.well-known/dfc/", places),
        dfc_page("/webid", webid),
        dfc_page("/api/dfc/enterprises", enterprises),
        dfc_page("/api/dfc/organizations", enterprises),
        dfc_page("/api/dfc/enterprises/{enterprise}", enterprise),
        dfc_page("/api/dfc/organizations/{enterprise}", enterprise),
        dfc_page("/api/dfc/addresses/{enterprise}", address),
        dfc_page("/api/dfc/phones/{enterprise}", phone),
        dfc_page("/api/dfc/enterprises/{enterprise}/supplied_products", supplied_products),
        dfc_page("/api/dfc/enterprises/{enterprise}/catalog_items", catalog_items),
        *permission_routes(),
        *order_routes(),
        *event_routes(),
        *single_routes(),
    ]


def places(visit: Visit) -> Response:
    """Where what each scope lets a platform do is to be found, by the scope."""
    return JSONResponse({full(f"scopes:{scope}"): place for scope, place in _PLACES.items()})


def webid(visit: Visit) -> Response:
    """This instance as a DFC platform."""
    base = base_of(visit)
    return answer(
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
        V1,
    )  # fmt: skip


def enterprises(visit: Visit) -> Response:
    """By the names in their addresses, a hundred at a time: ``?after=`` the last of the page before."""
    base = base_of(visit)
    with visit.read() as tx:
        found = known_enterprises(visit, tx, after=visit.query.get("after", "")[:100], limit=_PAGE)
    things = [thing for one in found for thing in enterprise_things(base, one)]
    response = document(visit, things, [enterprise_iri(base, one.id) for one in found])
    if len(found) == _PAGE:
        response.headers["Link"] = f'<{base}/api/dfc/enterprises?after={found[-1].slug}>; rel="next"'
    return response


def enterprise(visit: Visit) -> Response:
    """The enterprise; for who may see it, with its products, stock, catalogs and prices. One that has moved is found at
    its new address by everybody."""
    base = base_of(visit)
    with visit.read() as tx:
        moved_to = authority_of(tx, enterprise_iri(base, visit.path["enterprise"])).moved_to
        if moved_to:
            return RedirectResponse(moved_to, 308)
        found = asked_enterprise(visit, tx)
        demand_scope(visit, tx, found.id, "ReadEnterprise")
        if not holds(visit, tx, found.id, "ReadProducts"):
            return document(visit, enterprise_things(base, found))
        return document(visit, list(export_enterprise(tx, base, found)))


def address(visit: Visit) -> Response:
    return _part(visit, 1)


def phone(visit: Visit) -> Response:
    return _part(visit, 2)


def supplied_products(visit: Visit) -> Response:
    return _goods(visit, (DfcProduct, DfcLot))


def catalog_items(visit: Visit) -> Response:
    return _goods(visit, (DfcItem, DfcProduct, DfcOffer))


def _part(visit: Visit, place: int) -> Response:
    """One of the things that an enterprise is made of."""
    with visit.read() as tx:
        found = demand_scope(visit, tx, asked_enterprise(visit, tx).id, "ReadEnterprise")
    parts = list(enterprise_things(base_of(visit), found))[place : place + 1]
    if not parts:
        raise NotFound
    return document(visit, parts)


def _goods(visit: Visit, kinds: _Kinds) -> Response:
    """The tag follows from what is listed, so that who has it already is told so without it being written."""
    with visit.read() as tx:
        found = demand_scope(visit, tx, asked_enterprise(visit, tx).id, "ReadProducts")
        tag = tag_of(visit, listing_stamp(tx, found.id))
        if has_already(visit, tag):
            return unchanged(visit, tag)
        everything = export_enterprise(tx, base_of(visit), found, lots=DfcLot in kinds)
        things = [one for one in everything if isinstance(one, kinds)]
    return document(visit, things, [one.iri for one in things if isinstance(one, kinds[0])], tag=tag)
