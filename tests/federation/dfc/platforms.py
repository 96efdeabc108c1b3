"""A platform played by a test, with a token of its issuer, over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from commensal.catalogs.items import item_by_id
from commensal.instance.settings import InstanceSettings, LimitSettings, OutboundSettings
from commensal.testing.shop import Shop

V2 = 'application/ld+json; profile="dfc-v2"'


def settings_with(issuer: str, *platforms: dict[str, Any]) -> InstanceSettings:
    """An instance on loopback that trusts this issuer, and knows the platforms "ofn" and "litefarm", and two
    accounts of the first."""
    known_platforms = [
        {
            "id": "ofn",
            "client": "ofn-client",
            "issuer": issuer,
            "name": "Open Food Network",
            "url": "https://ofn.example",
            "email": "orders@ofn.example",
        },
        {"id": "litefarm", "issuer": issuer},
        {"id": "ofn-hub-x", "client": "ofn-client", "account": "x@hub.example", "issuer": issuer},
        {"id": "ofn-hub-z", "client": "ofn-client", "account": "7f3c", "issuer": issuer},
        *platforms,
    ]
    plugins = {
        "enabled": ["federation"],
        "federation": {"oidc_issuers": [{"issuer": issuer}], "platforms": known_platforms},
    }
    return InstanceSettings(
        name="Test",
        base_url="http://testserver",
        language="en",
        plugins=plugins,
        limits=LimitSettings(reads=100_000, writes=100_000, logins=100_000),
        outbound=OutboundSettings(allow=("127.0.0.1",)),
    )


def grant_scopes(shop: Shop, platform: str, *scopes: str, **kwargs: Any) -> None:
    """The shop's owner grants the platform exactly these scopes."""
    shop.ask("PUT", f"/-/federation/platforms/{platform}", {"scopes": scopes, **kwargs})


def request(shop: Shop, token: str, path: str, *, accept: str = "*/*", method: str = "GET", **kwargs: Any) -> Any:
    """Returns the answer to a request with this token, or without one if it is empty."""
    headers = {"Accept": accept, **kwargs.pop("headers", {})}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return shop.client.request(method, path, headers=headers, **kwargs)


def offer_of(shop: Shop, name: str) -> str:
    """Returns the IRI of the offer of one of the shop's goods."""
    with shop.instance.store.read() as tx:
        (offer,) = item_by_id(tx, shop.id, shop.items[name]).offers
    return f"http://testserver/api/dfc/offers/{offer.id}"


def an_order(
    shop: Shop, goods: Mapping[str, int], *, state: str = "Held", iri: str = "https://ofn.example/orders/1"
) -> dict[str, Any]:
    """The document that a platform sends after reading the shop's catalogue."""
    lines = [
        {
            "@id": f"{iri}/lines/{position}",
            "@type": "dfc-b:OrderLine",
            "dfc-b:partOf": iri,
            "dfc-b:concerns": offer_of(shop, name),
            "dfc-b:quantity": pieces,
        }
        for position, (name, pieces) in enumerate(goods.items())
    ]
    order = {
        "@id": iri,
        "@type": "dfc-b:Order",
        "dfc-b:hasOrderStatus": f"dfc-v:{state}",
        "dfc-b:belongsTo": f"http://testserver/api/dfc/sale_sessions/{shop.session_id}",
        "dfc-b:orderedBy": "https://ofn.example/enterprises/7",
        "dfc-b:hasPart": [line["@id"] for line in lines],
    }
    return {"@context": "https://w3id.org/dfc/ontology/context/context_1.16.0.json", "@graph": [order, *lines]}
