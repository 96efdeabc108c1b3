"""Serves the paths of the *DFC LDP Container Discovery API* 2.0 with the pages that serve ``/api/dfc``.

A caller finds its way from ``/webid``: the identity service redirects to its WebID, whose preferences name the index of
the enterprises that it may read. Answers are in DFC 2.0. Containers list what the caller may see, with the things
themselves. What an instance does not keep is answered 404 with a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from commensal import NotFound, list_categories, person_by_id
from commensal.catalogs import catalogs_of
from commensal.pages import Visit

from ..dfc.detection import V2
from ..dfc.vocabulary import DfcAddress, DfcPerson, DfcPhone, DfcSocialMedia
from ..runtime import federation_of
from .accounts import identities, known_accounts
from .export import catalog_thing, category_thing, enterprise_things, is_for_caller
from .goods import catalog, category, person
from .goods_pages import listed_product
from .order_line_pages import line, lines
from .order_pages import order, orders
from .responses import base_of, dfc_page, dfc_response, json_response
from .scopes import demand_scope, readable_enterprises, refuse_anonymous, requested_enterprise
from .server import enterprises, parts_of_enterprise, products_of_enterprise

_VERSION = "2.0.0"
_MOST = 500  # members of a container of catalogs, and of an index
_ENTERPRISE = "/organizations/{enterprise}"
_CHANGES = ("GET", "PUT", "PATCH")
_IS_CONTAINER = '<http://www.w3.org/ns/ldp#BasicContainer>; rel="type"'
_CONTEXT = {
    "foaf": "http://xmlns.com/foaf/0.1/",
    "pim": "http://www.w3.org/ns/pim/space#",
    "solid": "http://www.w3.org/ns/solid/terms#",
    "dfc-b": "http://w3id.org/dfc/ontology/v2.0.0/src/DFC_BusinessOntology.owl#",
}
# What the API has a container for and an instance does not keep, with the reason for callers.
_NOT_KEPT = {
    "affiliated-to": "Enterprises here are not affiliated to others; hubs list the goods of producers.",
    "certifications": "Certifications are kept of products, not of enterprises: see hasCertification of each.",
    "physical-places": "Places are part of the sale in which goods are collected there: see its options.",
    "template-sale-sessions": "Sales are opened one by one: see the sale that an offer is listed in.",
}


def container_routes() -> Sequence[BaseRoute]:
    """All paths of the API. The server makes no enterprise, category, address or person, and deletes no product."""
    return [
        _page("/identity-service", identity, "GET"),
        _page("/users/{user}/webid", user_webid, every_origin=True),
        _page("/users/{user}/prefs", preferences),
        _page("/users/{user}/privateTypeIndex", type_index),
        _container("/organizations", enterprises),
        _page(_ENTERPRISE, organization),
        _page(f"{_ENTERPRISE}/index", organization),
        _container(f"{_ENTERPRISE}/catalogs", catalogs),
        _page(f"{_ENTERPRISE}/catalogs/{{catalog}}/index", catalog),
        _container(f"{_ENTERPRISE}/supplied-products", products_of_enterprise, "GET", "POST"),
        _page(f"{_ENTERPRISE}/supplied-products/{{product}}/index", listed_product, *_CHANGES),
        _container(f"{_ENTERPRISE}/orders", orders, "GET", "POST"),
        _page(f"{_ENTERPRISE}/orders/{{order}}/index", order, *_CHANGES, "DELETE"),
        _container(f"{_ENTERPRISE}/orders/{{order}}/orderlines", lines, "GET", "POST"),
        _page(f"{_ENTERPRISE}/orders/{{order}}/orderlines/{{line}}/index", line, *_CHANGES, "DELETE"),
        _container(f"{_ENTERPRISE}/addresses", addresses),
        _page(f"{_ENTERPRISE}/addresses/{{address}}/index", address),
        _container(f"{_ENTERPRISE}/customer-categories", categories),
        _page(f"{_ENTERPRISE}/customer-categories/{{category}}/index", category),
        _container(f"{_ENTERPRISE}/social-medias", social_medias),
        _page(f"{_ENTERPRISE}/social-medias/{{social}}/index", social_media),
        _page("/persons/{person}/index", person_or_contact),
        _page("/phone-numbers/{enterprise}/index", phone_number),
        _page(f"{_ENTERPRISE}/routes", routes),
        _page(f"{_ENTERPRISE}/routes/{{route}}/index", routes),
        *(_page(f"{_ENTERPRISE}/{name}", not_kept) for name in _NOT_KEPT),
        *(_page(f"{_ENTERPRISE}/{name}/{{member}}/index", not_kept) for name in _NOT_KEPT),
    ]


def _page(path: str, handler: Callable[[Visit], Response], *methods: str, every_origin: bool = False) -> BaseRoute:
    def answer(visit: Visit) -> Response:
        response = handler(visit)
        response.headers["X-DFC-Version"] = _VERSION
        if response.status_code == 201 and "Location" in response.headers:
            response.headers["Content-Location"] = response.headers["Location"]
        return response

    answer.__name__ = handler.__name__
    return dfc_page(path, answer, *methods, every_origin=every_origin)


def _container(path: str, handler: Callable[[Visit], Response], *methods: str) -> BaseRoute:
    def answer(visit: Visit) -> Response:
        response = handler(visit)
        links = (_IS_CONTAINER, response.headers.get("Link", ""))
        response.headers["Link"] = ", ".join(link for link in links if link)
        return response

    answer.__name__ = handler.__name__
    return _page(path, answer, *methods)


# ------------------------------------------------------------------------------------------------ the caller


def identity(visit: Visit) -> Response:
    """Redirects callers to their WebID: people by their token, platforms by that of an issuer trusted here."""
    refuse_anonymous(visit)
    url = f"{_user_url(visit, _caller(visit))}/webid#me"
    return RedirectResponse(url, 303, {"Cache-Control": "no-store"})


def user_webid(visit: Visit) -> Response:
    """The WebID of a person here, or of a platform. It is public and only says where the preferences are."""
    user, federation = visit.path["user"], federation_of(visit.instance)
    if user not in {_caller(visit), *(platform.id for platform in federation.settings.platforms)}:
        with visit.read() as tx:
            if not known_accounts(tx, [user]):
                person_by_id(tx, user)
    url = f"{_user_url(visit, user)}/webid"
    profile = {
        "@id": url,
        "@type": "foaf:PersonalProfileDocument",
        "foaf:maker": _link(f"{url}#me"),
        "foaf:primaryTopic": _link(f"{url}#me"),
    }
    agent = {"@id": f"{url}#me", "@type": "foaf:Agent", "pim:preferencesFile": _link(f"{_user_url(visit, user)}/prefs")}
    return _graph(visit, profile, agent)


def preferences(visit: Visit) -> Response:
    """The caller's own preferences, which name the index of enterprises."""
    url = _own_url(visit)
    file = {"@id": f"{url}/prefs", "@type": "pim:ConfigurationFile"}
    agent = {"@id": f"{url}/webid#me", "solid:privateTypeIndex": _link(f"{url}/privateTypeIndex")}
    return _graph(visit, file, agent)


def type_index(visit: Visit) -> Response:
    """The enterprises that the caller may read: a person's own, or those that granted it to the platform."""
    url, base = f"{_own_url(visit)}/privateTypeIndex", base_of(visit)
    with visit.read() as tx:
        readable = readable_enterprises(visit, tx, "ReadEnterprise", after="", limit=_MOST)
    index = {"@id": url, "@type": ["solid:TypeIndex", "solid:ListedDocument"]}
    registrations = [
        {
            "@id": f"{url}#{enterprise.id}",
            "@type": "solid:TypeIndexRegistration",
            "solid:forClass": _link("dfc-b:Organization"),
            "solid:instance": _link(f"{base}/organizations/{enterprise.id}/index"),
        }
        for enterprise in readable
    ]
    return _graph(visit, index, *registrations)


def _caller(visit: Visit) -> str:
    """The narrowest id of the caller: one account of a platform, where an owner has named it."""
    ids = identities(visit.actor.client)
    return ids[-1] if ids else visit.actor.person_id or ""


def _own_url(visit: Visit) -> str:
    refuse_anonymous(visit)
    user = visit.path["user"]
    if user not in {*identities(visit.actor.client), visit.actor.person_id}:
        raise NotFound
    return _user_url(visit, user)


def _user_url(visit: Visit, user: str) -> str:
    return f"{base_of(visit)}/users/{user}"


def _link(iri: str) -> dict[str, str]:
    return {"@id": iri}


def _graph(visit: Visit, *nodes: dict[str, Any]) -> Response:
    return json_response(visit, {"@context": _CONTEXT, "@graph": nodes}, V2)


# ------------------------------------------------------------------------------------------------ an enterprise


def organization(visit: Visit) -> Response:
    """The enterprise with its contact data, and the containers of its things."""
    base = base_of(visit)
    with visit.read() as tx:
        enterprise = demand_scope(visit, tx, requested_enterprise(visit, tx).id, "ReadEnterprise")
    document = msgspec.json.decode(dfc_response(visit, enterprise_things(base, enterprise)).body, type=dict[str, Any])
    url = f"{base}/organizations/{enterprise.id}"
    (node,) = (node for node in document["@graph"] if node["@id"] == f"{url}/index")
    node |= {
        "dfc-b:supplies": f"{url}/supplied-products",
        "dfc-b:manages": f"{url}/catalogs",
        "dfc-b:orders": f"{url}/orders",
        "dfc-b:defines": f"{url}/customer-categories",
    }
    return json_response(visit, document, V2)


def catalogs(visit: Visit) -> Response:
    with visit.read() as tx:
        enterprise_id = demand_scope(visit, tx, requested_enterprise(visit, tx).id, "ReadProducts").id
        things = [catalog_thing(base_of(visit), row) for row in catalogs_of(tx, enterprise_id, limit=_MOST)]
    return dfc_response(visit, things, [thing.iri for thing in things])


def categories(visit: Visit) -> Response:
    with visit.read() as tx:
        enterprise_id = demand_scope(visit, tx, requested_enterprise(visit, tx).id, "ReadEnterprise").id
        known = [row for row in list_categories(tx, enterprise_id) if is_for_caller(visit, tx, enterprise_id, row.id)]
    things = [category_thing(base_of(visit), row) for row in known]
    return dfc_response(visit, things, [thing.iri for thing in things])


def addresses(visit: Visit) -> Response:
    return parts_of_enterprise(visit, DfcAddress, is_list=True)


def address(visit: Visit) -> Response:
    return parts_of_enterprise(visit, DfcAddress, only=visit.path["address"])


def social_medias(visit: Visit) -> Response:
    return parts_of_enterprise(visit, DfcSocialMedia, is_list=True)


def social_media(visit: Visit) -> Response:
    return parts_of_enterprise(visit, DfcSocialMedia, only=visit.path["social"])


def phone_number(visit: Visit) -> Response:
    return parts_of_enterprise(visit, DfcPhone)


def person_or_contact(visit: Visit) -> Response:
    """The caller, or the main contact of an enterprise, which has the id of the enterprise."""
    try:
        return person(visit)
    except NotFound:
        return parts_of_enterprise(visit, DfcPerson, name=visit.path["person"])


def routes(visit: Visit) -> Response:
    """Redirects to where the plugin `transport` serves a carrier's trips, if the instance has it."""
    refuse_anonymous(visit)
    path, base = visit.path, base_of(visit)
    place = f"routes/{path['route']}" if "route" in path else f"organizations/{path['enterprise']}/routes"
    return RedirectResponse(f"{base}/api/dfc/{place}", 307)


def not_kept(visit: Visit) -> Response:
    """Refuses what an instance does not keep."""
    refuse_anonymous(visit)
    name = visit.request.url.path.split("/")[3]
    raise NotFound("not_kept", _NOT_KEPT[name])
