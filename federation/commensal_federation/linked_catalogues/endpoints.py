"""Links to platforms over the JSON API. Secrets are accepted and never returned."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import msgspec

from commensal import Body, Call, Page, Paging, Routes, changes, page_of

from ..runtime import federation_of
from .links import change_link, enqueue_refresh, link_by_id, link_catalogue, linked_products, links_of, unlink
from .values import Auth, DfcVersion, Link, LinkedProduct

routes = Routes("federation_links", where_off=True)
_LINKS = "/enterprises/{enterprise}/links"

Text = Annotated[str, msgspec.Meta(max_length=200)]
Url = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
SecretText = Annotated[str, msgspec.Meta(max_length=4000)]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Percent = Decimal  # msgspec bounds no decimals; the command does


class NewLink(Body, frozen=True, kw_only=True):
    """`auth` is the kind of `secret`: a bearer token, an API key of Open Food Network, or the secret of `client_id` at
    the OIDC `issuer`. With a catalog and a margin, in percent, the goods are listed automatically.
    `prices_include_vat` is about prices that do not say so themselves."""

    url: Url
    name: Text = ""
    dfc_version: DfcVersion = "1.16"
    auth: Auth = "none"
    issuer: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    client_id: Text = ""
    secret: SecretText = ""
    catalog_id: Id | None = None
    margin: Percent | None = None
    default_type: Text = ""
    default_vat: Percent | None = None
    prices_include_vat: bool = True


class LinkChanges(Body, frozen=True, kw_only=True):
    """Fields that are left out stay as they are, the secret too."""

    name: Text | msgspec.UnsetType = msgspec.UNSET
    dfc_version: DfcVersion | msgspec.UnsetType = msgspec.UNSET
    auth: Auth | msgspec.UnsetType = msgspec.UNSET
    issuer: Annotated[str, msgspec.Meta(max_length=2000)] | msgspec.UnsetType = msgspec.UNSET
    client_id: Text | msgspec.UnsetType = msgspec.UNSET
    secret: SecretText | msgspec.UnsetType = msgspec.UNSET
    catalog_id: Id | msgspec.UnsetType | None = msgspec.UNSET
    margin: Percent | msgspec.UnsetType | None = msgspec.UNSET
    default_type: Text | msgspec.UnsetType = msgspec.UNSET
    default_vat: Percent | msgspec.UnsetType | None = msgspec.UNSET
    prices_include_vat: bool | msgspec.UnsetType = msgspec.UNSET


@routes.get(_LINKS, scope="grants:read")
def links(call: Call, enterprise: str, query: Paging) -> Page[Link]:
    """Lists the enterprise's links to catalogues of platforms."""
    links_found = links_of(call.tx, enterprise_id=enterprise, after=query.after, limit=query.limit)
    return page_of(links_found, query.limit, lambda row: row.id)


@routes.post(_LINKS, scope="catalogs:write", status=201)
def add_link(call: Call, enterprise: str, body: NewLink) -> Link:
    """Links a catalogue, or one product, of a platform that speaks DFC, by its address. It is read a moment later."""
    fields = {name: getattr(body, name) for name in body.__struct_fields__ if name != "url"}
    return link_catalogue(
        federation_of(call.instance), call.tx, enterprise, body.url, by=call.actor.person_id, **fields
    )


@routes.get(f"{_LINKS}/{{link}}", scope="grants:read")
def link(call: Call, enterprise: str, link: str) -> Link:
    """Returns a link: when it was read, with which result, and what was left out."""
    return link_by_id(call.tx, link, enterprise_id=enterprise)


@routes.patch(f"{_LINKS}/{{link}}", scope="catalogs:write")
def edit_link(call: Call, enterprise: str, link: str, body: LinkChanges) -> Link:
    """Changes how a link is read or listed. It is read again soon, and becomes active if it was suspended."""
    return change_link(federation_of(call.instance), call.tx, enterprise, link, **changes(body))


@routes.delete(f"{_LINKS}/{{link}}", scope="catalogs:write")
def remove_link(call: Call, enterprise: str, link: str) -> None:
    """Removes a link: its goods are taken off sale. Goods that were ordered stay ordered."""
    unlink(call.tx, enterprise, link)


@routes.post(f"{_LINKS}/{{link}}/refresh", scope="catalogs:write", status=202)
def refresh_now(call: Call, enterprise: str, link: str) -> Link:
    """Enqueues the job that reads the link, for a moment later."""
    link_row = link_by_id(call.tx, link, enterprise_id=enterprise)
    enqueue_refresh(call.tx, link_row.id)
    return link_row


@routes.get(f"{_LINKS}/{{link}}/products", scope="catalogs:read")
def link_products(call: Call, enterprise: str, link: str, query: Paging) -> Page[LinkedProduct]:
    """Lists the products of a link, with their price and stock at the platform, and our copies."""
    link_row = link_by_id(call.tx, link, enterprise_id=enterprise)
    products = linked_products(call.tx, link_row.id, after=query.after, limit=query.limit)
    return page_of(products, query.limit, lambda product: product.iri)
