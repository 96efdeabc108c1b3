"""Serves other platforms in DFC: ``/api/dfc/…``, ``/webid`` and ``/.well-known/dfc/``.

The paths and the instance's own description are public. Everything else needs a scope of DFC at the enterprise:
platforms have the granted ones, people those of their sessions and tokens. The answer is in 1.16, or in 2.0 if the
request accepts it, as at Open Food Network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute

from commensal import Enterprise, Instance, NotFound, Transaction
from commensal.pages import Visit

from ..authority.authority import authority_of
from ..dfc.detection import V1
from ..dfc.iris import enterprise_iri, webid_iri
from ..dfc.names import full
from ..dfc.vocabulary import DfcAddress, DfcItem, DfcPerson, DfcPhone, DfcProduct, DfcSocialMedia, Thing
from .event_pages import event_routes
from .export import Categories, categories_of, enterprise_things, export_enterprise
from .goods import single_routes
from .goods_pages import create_products, goods_routes
from .layouts import layout_of
from .order_line_pages import order_line_routes
from .order_pages import order_routes
from .permissions import permission_routes
from .responses import base_of, dfc_page, dfc_response, json_response
from .sale_pages import sale_routes
from .scopes import demand_scope, has_scope, readable_enterprises, requested_enterprise
from .whole import PlannedDocument, StampOf, answer_whole

_PLACES = {
    "ReadEnterprise": "/api/dfc/enterprises",
    "ReadProducts": "/api/dfc/supplied_products",
    "WriteProducts": "/api/dfc/catalog_items",
    "ReadOrders": "/api/dfc/orders",
    "WriteOrders": "/api/dfc/orders",
}
_PAGE = 100  # enterprises


def dfc_routes(instance: Instance) -> Sequence[BaseRoute]:
    """All routes of the DFC server."""
    return [
        dfc_page("/.well-known/dfc/", places, every_origin=True),
        dfc_page("/webid", webid, every_origin=True),
        dfc_page("/api/dfc/enterprises", enterprises),
        dfc_page("/api/dfc/organizations", enterprises),
        dfc_page("/api/dfc/enterprises/{enterprise}", enterprise),
        dfc_page("/api/dfc/Enterprises/{enterprise}", enterprise),
        dfc_page("/api/dfc/organizations/{enterprise}", enterprise),
        dfc_page("/api/dfc/addresses/{enterprise}", address),
        dfc_page("/api/dfc/phones/{enterprise}", phone),
        dfc_page("/api/dfc/contacts/{enterprise}", contact),
        dfc_page("/api/dfc/social_media/{social}", social_media),
        dfc_page("/api/dfc/supplied_products", supplied_products),
        dfc_page("/api/dfc/enterprises/{enterprise}/supplied_products", products_of_enterprise, "GET", "POST"),
        dfc_page("/api/dfc/Enterprises/{enterprise}/SuppliedProducts", products_of_enterprise, "GET", "POST"),
        dfc_page("/api/dfc/catalog_items", catalog_items),
        dfc_page("/api/dfc/enterprises/{enterprise}/catalog_items", catalog_items),
        dfc_page("/api/dfc/Enterprises/{enterprise}/CatalogItems", catalog_items),
        *permission_routes(),
        *order_routes(),
        *order_line_routes(),
        *event_routes(),
        *goods_routes(),
        *sale_routes(),
        *single_routes(),
    ]


def places(visit: Visit) -> Response:
    """The path that each scope gives access to, by the scope's IRI. Clients take a path as it is, so none has a part to
    be filled in."""
    return JSONResponse({full(f"scopes:{scope}"): path for scope, path in _PLACES.items()})


def webid(visit: Visit) -> Response:
    """Describes this instance as a DFC platform: what the address of the document with ``#me`` names."""
    base = base_of(visit)
    response = json_response(
        visit,
        {
            "@context": {
                "dfc-t": "http://w3id.org/dfc/ontology/v2.0.0/src/DFC_TechnicalOntology.owl#",
                "foaf": "http://xmlns.com/foaf/0.1/",
                "dfc-t:hasIdentityService": {"@type": "@id"},
            },
            "@id": f"{webid_iri(base)}#me",
            "@type": ["dfc-t:Platform", "foaf:Agent"],
            "foaf:name": visit.instance.settings.name,
            "dfc-t:supportedProtocolVersion": "2.0.0",
            "dfc-t:supportedOntologyVersion": ["1.16.0", "2.0.0"],
            "dfc-t:hasIdentityService": f"{base}/identity-service",
        },
        V1,
    )
    response.headers["X-DFC-Version"] = "2.0.0"
    return response


def enterprises(visit: Visit) -> Response:
    """Enterprises that the caller may read, 100 a page, sorted by slug; ``?after=`` the previous page's last slug."""
    base = base_of(visit)
    with visit.read() as tx:
        after = visit.query.get("after", "")[:100]
        readable = readable_enterprises(visit, tx, "ReadEnterprise", after=after, limit=_PAGE)
    things = [thing for enterprise in readable for thing in enterprise_things(base, enterprise)]
    response = dfc_response(visit, things, [enterprise_iri(base, enterprise.id) for enterprise in readable])
    if len(readable) == _PAGE:
        response.headers["Link"] = f'<{base}/api/dfc/enterprises?after={readable[-1].slug}>; rel="next"'
    return response


def enterprise(visit: Visit) -> Response:
    """The enterprise, with its products, stock, catalogs and prices if the caller has ReadProducts. An enterprise that
    has moved redirects every caller to its new address."""

    def look(tx: Transaction, stamp_of: StampOf) -> PlannedDocument | Response:
        base = base_of(visit)
        moved_to = authority_of(tx, enterprise_iri(base, visit.path["enterprise"])).moved_to
        if moved_to:
            return RedirectResponse(moved_to, 308)
        enterprise = demand_scope(visit, tx, requested_enterprise(visit, tx).id, "ReadEnterprise")
        if not has_scope(visit, tx, enterprise.id, "ReadProducts"):
            return dfc_response(visit, enterprise_things(base, enterprise))
        return _listing(visit, tx, stamp_of, [enterprise])

    return answer_whole(visit, look)


def address(visit: Visit) -> Response:
    return parts_of_enterprise(visit, DfcAddress)


def phone(visit: Visit) -> Response:
    return parts_of_enterprise(visit, DfcPhone)


def contact(visit: Visit) -> Response:
    return parts_of_enterprise(visit, DfcPerson)


def social_media(visit: Visit) -> Response:
    """A page of an enterprise at a social network: its id begins with that of the enterprise."""
    id = visit.path["social"]
    return parts_of_enterprise(visit, DfcSocialMedia, only=id, name=id.partition(".")[0])


def supplied_products(visit: Visit) -> Response:
    return _goods(visit, DfcProduct)


def products_of_enterprise(visit: Visit) -> Response:
    return create_products(visit) if visit.request.method == "POST" else supplied_products(visit)


def catalog_items(visit: Visit) -> Response:
    return _goods(visit, DfcItem)


def parts_of_enterprise(
    visit: Visit, kind: type[Thing], *, name: str = "", only: str = "", is_list: bool = False
) -> Response:
    """The address, the telephone, the contact, or the pages at social networks of the enterprise in the path, or of
    that of this `name`: all of them, or the `only` one with this id. A list may be empty. Raises `NotFound`."""
    with visit.read() as tx:
        enterprise = demand_scope(visit, tx, requested_enterprise(visit, tx, name).id, "ReadEnterprise")
    parts = [
        thing
        for thing in enterprise_things(base_of(visit), enterprise)
        if isinstance(thing, kind) and only in ("", thing.iri.rpartition("/")[2])
    ]
    if not parts and not is_list:
        raise NotFound
    return dfc_response(visit, parts, [part.iri for part in parts] if is_list else None)


def _goods(visit: Visit, members: type[DfcProduct] | type[DfcItem]) -> Response:
    """The catalogue of an enterprise, or of all that the caller may read, 100 a page; `members` are listed in 2.0."""
    next_after = ""

    def look(tx: Transaction, stamp_of: StampOf) -> PlannedDocument:
        nonlocal next_after
        if "enterprise" in visit.path:
            sellers = [demand_scope(visit, tx, requested_enterprise(visit, tx).id, "ReadProducts")]
        else:
            after = visit.query.get("after", "")[:100]
            sellers = readable_enterprises(visit, tx, "ReadProducts", after=after, limit=_PAGE)
        next_after = sellers[-1].slug if len(sellers) == _PAGE else ""
        return _listing(visit, tx, stamp_of, sellers, members)

    response = answer_whole(visit, look)
    if next_after:
        path = f"{base_of(visit)}{visit.request.url.path}"
        response.headers["Link"] = f'<{path}?after={next_after}>; rel="next"'
    return response


def _listing(
    visit: Visit,
    tx: Transaction,
    stamp_of: StampOf,
    sellers: Sequence[Enterprise],
    members: type[DfcProduct] | type[DfcItem] | None = None,
) -> PlannedDocument:
    """The catalogues of these enterprises, as the caller may see them."""
    audiences = {seller.id: categories_of(visit, tx, seller.id) for seller in sellers}

    def things() -> Iterator[Thing]:
        for seller in sellers:
            yield from export_enterprise(
                tx,
                base_of(visit),
                seller,
                categories=audiences[seller.id],
                lots=members is not DfcItem,
                products=layout_of(visit, seller.id).products,
            )

    stamps = [f"{stamp_of(seller.id)} {_audience_text(audiences[seller.id])}" for seller in sellers]
    return PlannedDocument(stamp=" ".join(stamps), things=things, members=members)


def _audience_text(categories: Categories | None) -> str:
    return "all" if categories is None else ",".join(sorted(categories))
