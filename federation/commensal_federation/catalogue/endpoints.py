"""Grants and catalogues across instances, over the JSON API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated

import msgspec

from commensal import Body, Call, Page, Paging, Routes, page_of

from ..grants.questions import grant_by_id, grants_between
from ..messages.catalogue import Grant, ReceivedItem
from ..runtime import federation_of
from .grantor import send_catalogue
from .grants import accept_grant, end_grant, follow, give_grant
from .hubs import MOST_AT_ONCE, PeerHub, fetch_hubs, give_grants, grant_state, hubs_named, peer_to_ask, trading_peers
from .listings import list_all, received_items

routes = Routes("federation_catalogue", where_off=True)
_GRANTS = "/enterprises/{enterprise}/grants"

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Iri = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Percent = Decimal  # msgspec bounds no decimals; the command does


class NewGrant(Body, frozen=True, kw_only=True):
    """`hub` is the IRI of an enterprise of the peer; `category_id` the customer category whose prices it sees.
    `lot_share` is percent of a lot that the peer may hold unsold; `ends_at` when the grant is taken back by itself."""

    peer_id: Id
    hub: Iri
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    category_id: Id | None = None
    resell: bool = False
    lot_share: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None
    ends_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class NewGrants(Body, frozen=True, kw_only=True):
    """`hubs` are names of public hubs of the peer, as its list shows them, or their IRIs; each gets a grant on the same
    terms, or none does. `category_id` is the customer category whose prices they see, `lot_share` percent of a lot that
    the peer may hold unsold, `ends_at` when the grants are taken back by themselves."""

    peer_id: Id
    hubs: Annotated[
        tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=500)], ...],
        msgspec.Meta(min_length=1, max_length=MOST_AT_ONCE),
    ]
    category_id: Id | None = None
    resell: bool = False
    lot_share: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None
    ends_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


@dataclass(frozen=True, kw_only=True)
class GrantingPeer:
    """An instance to whose hubs the enterprise may grant."""

    id: str
    name: str
    url: str


@dataclass(frozen=True, kw_only=True)
class HubToGrant:
    """A public hub of a peer. `grant` is the state of the grant to it: offered, accepted, refused or revoked; empty if
    none was given."""

    hub: PeerHub
    grant: str


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
        federation_of(call.instance),
        call.tx,
        enterprise,
        body.peer_id,
        body.hub,
        body.name,
        category_id=body.category_id,
        resell=body.resell,
        lot_share=body.lot_share,
        ends_at=body.ends_at,
        by=call.actor.person_id,
    )


@routes.get("/enterprises/{enterprise}/peers", scope="grants:read")
def granting_peers(call: Call, enterprise: str) -> Sequence[GrantingPeer]:
    """Lists the instances to whose hubs the enterprise may grant: peers that may read catalogues here."""
    return [GrantingPeer(id=peer.id, name=peer.name, url=peer.base) for peer in trading_peers(call.tx)]


def _fetch_hubs(call: Call, enterprise: str, peer: str) -> Sequence[PeerHub]:
    return fetch_hubs(federation_of(call.instance), peer_to_ask(call.tx, peer))


@routes.get("/enterprises/{enterprise}/peers/{peer}/hubs", scope="grants:read", prepare=_fetch_hubs)
def peer_hubs(call: Call, enterprise: str, peer: str) -> Sequence[HubToGrant]:
    """Lists the public hubs of a peer, asked of it now, with the enterprise's grant to each: a list to tick.

    At most 500, sorted by their name in addresses. 409 if the peer does not answer.
    """
    return [HubToGrant(hub=hub, grant=grant_state(call.tx, enterprise, hub)) for hub in call.prepared]


def _find_hubs(call: Call, enterprise: str, body: NewGrants) -> Sequence[PeerHub]:
    hubs = fetch_hubs(federation_of(call.instance), peer_to_ask(call.tx, body.peer_id))
    return hubs_named(hubs, body.hubs)


@routes.post(f"{_GRANTS}/by-name", scope="grants:write", status=201, prepare=_find_hubs)
def give_instance_grants(call: Call, enterprise: str, body: NewGrants) -> Sequence[Grant]:
    """Lets several hubs of one peer list and sell what the enterprise lists. The people of each have to accept.

    Names are looked up in the peer's own list of public hubs; one that is not exactly one hub's refuses them all.
    """
    return give_grants(
        federation_of(call.instance),
        call.tx,
        enterprise,
        body.peer_id,
        call.prepared,
        category_id=body.category_id,
        resell=body.resell,
        lot_share=body.lot_share,
        ends_at=body.ends_at,
        by=call.actor.person_id,
    )


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
    list_all(federation_of(call.instance), call.tx, followed)
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
