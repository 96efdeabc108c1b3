"""Platforms notify each other of changes; each may only notify about its own host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from commensal.base.clock import ManualClock
from commensal.catalogs.offers import set_price
from commensal.instance.settings import InstanceSettings
from commensal.testing.shop import Shop
from commensal_federation.linked_catalogues.values import Link

from .distant import CONTEXT, Asked, Distant, Said
from .links import link_now, linked, products, read
from .oidc import Oidc
from .platforms import grant_scopes, request, settings_with


@pytest.fixture
def remote() -> Iterator[Distant]:
    with Distant() as running:
        yield running


@pytest.fixture
def settings(oidc: Oidc, remote: Distant) -> InstanceSettings:
    webhook = {"webhook": f"{remote.base}/webhook", "webhook_secret": "of-ours"}
    return settings_with(oidc.issuer, {"id": "there", "issuer": oidc.issuer, "url": f"{remote.base}/dfc", **webhook})


@pytest.fixture
def link(shop: Shop, remote: Distant, clock: ManualClock) -> Link:
    """A catalogue that was read ten minutes ago."""
    link = linked(shop, remote.say("/catalogue", *remote.goods(1), *remote.goods(2)))
    shop.run_jobs()
    clock.advance(minutes=10)
    remote.asked.clear()
    return link


def notify(shop: Shop, token: str, event: Any) -> Any:
    return request(shop, token, "/api/dfc/events", method="POST", content=json.dumps(event))


def refresh_of(distant: Distant, path: str = "/catalogue") -> dict[str, Any]:
    return {"eventType": "refresh", "enterpriseUrlid": f"{distant.base}{path}", "scope": "ReadProducts"}


def test_a_notice_has_what_is_linked_read_anew_once(shop: Shop, oidc: Oidc, remote: Distant, link: Link) -> None:
    token = oidc.token("there")
    for _ in range(3):
        answer = notify(shop, token, refresh_of(remote))
        assert (answer.status_code, answer.json()) == (202, {"links": 1})
    remote.say("/catalogue", *remote.goods(1, name="Pears"))
    shop.run_jobs()
    assert len(remote.asked) == 1
    assert link_now(shop, link).products == 1


@pytest.mark.parametrize("name", ["the producer", "a product", "the thing itself"])
def test_a_notice_may_name_the_producer_or_a_product(
    shop: Shop, oidc: Oidc, remote: Distant, link: Link, name: str
) -> None:
    product = remote.goods(1)[0]
    event = {
        "the producer": refresh_of(remote, "/enterprises"),
        "a product": {"eventType": "update", "objects": [{"@id": product["@id"], "@type": "dfc-b:SuppliedProduct"}]},
        "the thing itself": {"@context": CONTEXT, **product},
    }[name]
    assert notify(shop, oidc.token("there"), event).status_code == 202
    shop.run_jobs()
    assert len(remote.asked) == 1


def test_what_is_taken_back_is_not_sold_until_somebody_wants_it_again(
    shop: Shop, oidc: Oidc, remote: Distant, link: Link
) -> None:
    token, product = oidc.token("there"), remote.goods(1)[0]["@id"]
    assert notify(shop, token, {"eventType": "revoke", "objects": [{"@id": product}]}).status_code == 202
    assert (link_now(shop, link).state, link_now(shop, link).products) == ("active", 1)
    assert notify(shop, token, {**refresh_of(remote), "eventType": "revoke"}).status_code == 202
    assert (link_now(shop, link).state, link_now(shop, link).products) == ("suspended", 0)
    assert notify(shop, token, refresh_of(remote)).status_code == 404
    read(shop, link)
    assert remote.asked == []
    assert read(shop, link, resume=True).changed == 2
    assert (link_now(shop, link).state, len(products(shop, link))) == ("active", 2)


def test_nobody_else_is_heard(shop: Shop, oidc: Oidc, remote: Distant, link: Link) -> None:
    event = refresh_of(remote)
    assert notify(shop, "", event).status_code == 401
    assert notify(shop, shop.token, event).status_code == 403
    assert notify(shop, oidc.token("ofn-client"), event).status_code == 403  # of another host
    assert notify(shop, oidc.token("there"), {**event, "enterpriseUrlid": "https://ofn.example/"}).status_code == 403
    assert notify(shop, oidc.token("there"), []).status_code == 422
    assert notify(shop, oidc.token("there"), refresh_of(remote, "/of-nobody")).status_code == 404
    shop.run_jobs()
    assert remote.asked == []


# ------------------------------------------------------------------------------------------ the other direction


def test_a_platform_is_told_of_changes_once_a_minute_and_again_until_it_answers(
    shop: Shop, remote: Distant, clock: ManualClock
) -> None:
    def webhook(request: Asked) -> Said:
        return Said(status=500 if len(remote.asked) == 1 else 204)

    remote.pages["/webhook"] = webhook
    grant_scopes(shop, "there", "ReadProducts")
    shop.run_jobs(failing=True)
    shop.run_jobs(minutes=6)
    assert [json.loads(request.body) for request in remote.asked] == [event_of(shop, "refresh")] * 2
    assert remote.asked[0].headers["authorization"] == "Bearer of-ours"
    for price in (310, 320):
        with shop.instance.store.write() as tx:
            set_price(tx, shop.id, shop.items["carrots"], price)
    shop.run_jobs()
    clock.advance(minutes=1)
    shop.run_jobs()
    assert [json.loads(request.body) for request in remote.asked[2:]] == [event_of(shop, "refresh")]
    grant_scopes(shop, "there")
    clock.advance(minutes=1)
    shop.run_jobs()
    last_event = json.loads(remote.asked[-1].body)
    assert (last_event["eventType"], [object["@id"] for object in last_event["objects"]]) == (
        "revoke",
        [last_event["enterpriseUrlid"]],
    )


def test_a_platform_without_the_scope_is_told_nothing(shop: Shop, remote: Distant, clock: ManualClock) -> None:
    with shop.instance.store.write() as tx:
        set_price(tx, shop.id, shop.items["carrots"], 310)
    shop.run_jobs()
    clock.advance(minutes=1)
    shop.run_jobs()
    assert remote.asked == []


def event_of(shop: Shop, kind: str) -> dict[str, str]:
    iri = f"http://testserver/api/dfc/enterprises/{shop.id}"
    return {"eventType": kind, "enterpriseUrlid": iri, "scope": "ReadProducts"}
