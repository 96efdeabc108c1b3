"""Grants and catalogues across instances, over the JSON API."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import msgspec

from commensal import Body, Call, Page, Paging, Routes, page_of

from ..messages.bodies.catalogue import Grant, ReceivedItem
from ..runtime import federation_of
from .grantor import send_catalogue
from .grants import accept_grant, end_grant, follow, give_grant, grant_by_id, grants_between
from .listing import list_all, received_items

routes = Routes("federation_catalogue", where_off=True)
_GRANTS = "/enterprises/{enterprise}/grants"

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Iri = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Percent = Decimal  # msgspec bounds no decimals; the command does


class NewGrant(Body, frozen=True, kw_only=True):
    """`hub` is the IRI of an enterprise of the peer; `category_id` the customer category whose prices it sees."""

    peer_id: Id
    hub: Iri
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    category_id: Id | None = None
    resell: bool = False


class Following(Body, frozen=True, kw_only=True):
    """The catalog that follows the producer's, and its margin in percent; both null: people list the goods."""

    catalog_id: Id | None
    margin: Percent | None


@routes.get(_GRANTS, scope="grants:read")
def instance_grants(call: Call, enterprise: str, query: Paging) -> Page[Grant]:
    """Lists the grants that the enterprise has given to enterprises of other instances, and received from them."""
    grants = grants_between(call.tx, enterprise_id=enterprise, after=query.after, limit=query.limit)
    return page_of(grants, query.limit, lambda grant_row: grant_row.id)


@routes.post(_GRANTS, scope="grants:write", status=201)
def give_instance_grant(call: Call, enterprise: str, body: NewGrant) -> Grant:
    """Lets a hub of another instance list and sell what the enterprise lists. Its people have to accept."""
    return give_grant(
        federation_of(call.instance), call.tx, enterprise, body.peer_id, body.hub, body.name,
        category_id=body.category_id, resell=body.resell, by=call.actor.person_id,
    )  # fmt: skip


@routes.post(f"{_GRANTS}/{{grant}}/accept", scope="grants:write")
def accept_instance_grant(call: Call, enterprise: str, grant: str) -> Grant:
    """Accepts an offered grant: the producer's goods can be listed from now on."""
    _require_own(call, enterprise, grant)
    return accept_grant(federation_of(call.instance), call.tx, grant, by=call.actor.person_id)


@routes.delete(f"{_GRANTS}/{{grant}}", scope="grants:write", status=200)
def end_instance_grant(call: Call, enterprise: str, grant: str) -> Grant:
    """Revokes a given grant, or gives up a received one. Goods that were ordered stay ordered."""
    _require_own(call, enterprise, grant)
    return end_grant(federation_of(call.instance), call.tx, grant)


@routes.put(f"{_GRANTS}/{{grant}}/following", scope="catalogs:write")
def follow_instance_grant(call: Call, enterprise: str, grant: str, body: Following) -> Grant:
    """Lets the hub's catalog follow the producer's with a margin, or leaves listing to people."""
    _require_own(call, enterprise, grant)
    followed = follow(call.tx, enterprise, grant, body.catalog_id, body.margin)
    list_all(call.tx, followed)
    return followed


@routes.get(f"{_GRANTS}/{{grant}}/items", scope="catalogs:read")
def instance_grant_items(call: Call, enterprise: str, grant: str, query: Paging) -> Page[ReceivedItem]:
    """Lists the items of a grant that the hub may list, with purchase price and provenance."""
    _require_own(call, enterprise, grant)
    items = received_items(
        call.tx, grant_by_id(call.tx, grant, direction="received"), after=query.after, limit=query.limit
    )
    return page_of(items, query.limit, lambda item: item.iri)


@routes.post(f"{_GRANTS}/{{grant}}/tell", scope="catalogs:write")
def tell_instance_grant(call: Call, enterprise: str, grant: str) -> Grant:
    """Sends the whole catalogue to the hub again."""
    _require_own(call, enterprise, grant)
    given_grant = grant_by_id(call.tx, grant, direction="given")
    send_catalogue(federation_of(call.instance), call.tx, given_grant, again=True)
    return given_grant


def _require_own(call: Call, enterprise: str, grant_id: str) -> None:
    """Raises `NotFound` for a grant of another enterprise."""
    grant_by_id(call.tx, grant_id, enterprise_id=enterprise)
