"""A platform, played by a test: it has a token of its issuer, and speaks HTTP."""

from __future__ import annotations

from typing import Any

from commensal.instance.settings import LimitSettings, OutboundSettings, Settings
from commensal.testing.shop import Shop

V2 = 'application/ld+json; profile="dfc-v2"'


def settings_with(issuer: str, *platforms: dict[str, Any]) -> Settings:
    """An instance on loopback that trusts this issuer, and knows the platforms "ofn" and "litefarm"."""
    known = [
        {"id": "ofn", "client": "ofn-client", "issuer": issuer, "name": "Open Food Network",
         "url": "https://ofn.example", "email": "orders@ofn.example"},
        {"id": "litefarm", "issuer": issuer},
    ]  # fmt: skip
    plugins = {
        "enabled": ["federation"],
        "federation": {"oidc_issuers": [{"issuer": issuer}], "platforms": known},
    }
    return Settings(
        name="Test", base_url="http://testserver", language="en", plugins=plugins,
        limits=LimitSettings(reads=100_000, writes=100_000, logins=100_000),
        outbound=OutboundSettings(allow=("127.0.0.1",)),
    )  # fmt: skip


def let(shop: Shop, platform: str, *scopes: str, **more: Any) -> None:
    """The shop's owner grants exactly these scopes."""
    shop.ask("PUT", f"/-/federation/platforms/{platform}", {"scopes": scopes, **more})


def asked(shop: Shop, token: str, path: str, *, accept: str = "*/*", method: str = "GET", **more: Any) -> Any:
    """The answer to who brings this token; none for a stranger."""
    headers = {"Accept": accept, **more.pop("headers", {})}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return shop.client.request(method, path, headers=headers, **more)
