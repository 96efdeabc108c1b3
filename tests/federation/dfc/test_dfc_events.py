"""Platforms tell each other that something has changed; each is heard about its own host only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from commensal.base.clock import ManualClock
from commensal.instance.settings import InstanceSettings
from commensal.testing.shop import Shop
from commensal.trade.catalogs.offers import set_price
from commensal_federation.linked_catalogues.values import Link

from .distant import CONTEXT, Asked, Distant, Said
from .links import linked, products, read, told
from .oidc import Oidc
from .platforms import asked, let, settings_with


@pytest.fixture
def there() -> Iterator[Distant]:
    with Distant() as running:
        yield running


@pytest.fixture
def settings(oidc: Oidc, there: Distant) -> InstanceSettings:
    webhook = {"webhook": f"{there.base}/webhook", "webhook_secret": "of-ours"}
    return settings_with(oidc.issuer, {"id": "there", "issuer": oidc.issuer, "url": f"{there.base}/dfc", **webhook})


@pytest.fixture
def link(shop: Shop, there: Distant, clock: ManualClock) -> Link:
    """A catalogue that was read a while ago."""
    made = linked(shop, there.say("/catalogue", *there.goods(1), *there.goods(2)))
    shop.run_jobs()
    clock.advance(minutes=10)
    there.asked.clear()
    return made


def notify(shop: Shop, token: str, said: Any) -> Any:
    return asked(shop, token, "/api/dfc/events", method="POST", content=json.dumps(said))


def refresh_of(there: Distant, path: str = "/catalogue") -> dict[str, Any]:
    return {"eventType": "refresh", "enterpriseUrlid": f"{there.base}{path}", "scope": "ReadProducts"}


def test_a_notice_has_what_is_linked_read_anew_once(shop: Shop, oidc: Oidc, there: Distant, link: Link) -> None:
    token = oidc.token("there")
    for _ in range(3):
        answer = notify(shop, token, refresh_of(there))
        assert (answer.status_code, answer.json()) == (202, {"links": 1})
    there.say("/catalogue", *there.goods(1, name="Pears"))
    shop.run_jobs()
    assert len(there.asked) == 1
    assert told(shop, link).products == 1


@pytest.mark.parametrize("name", ["the producer", "a product", "the thing itself"])
def test_a_notice_may_name_the_producer_or_a_product(
    shop: Shop, oidc: Oidc, there: Distant, link: Link, name: str
) -> None:
    product = there.goods(1)[0]
    said = {
        "the producer": refresh_of(there, "/enterprises"),
        "a product": {"eventType": "update", "objects": [{"@id": product["@id"], "@type": "dfc-b:SuppliedProduct"}]},
        "the thing itself": {"@context": CONTEXT, **product},
    }[name]
    assert notify(shop, oidc.token("there"), said).status_code == 202
    shop.run_jobs()
    assert len(there.asked) == 1


def test_what_is_taken_back_is_not_sold_until_somebody_wants_it_again(
    shop: Shop, oidc: Oidc, there: Distant, link: Link
) -> None:
    token, product = oidc.token("there"), there.goods(1)[0]["@id"]
    assert notify(shop, token, {"eventType": "revoke", "objects": [{"@id": product}]}).status_code == 202
    assert (told(shop, link).state, told(shop, link).products) == ("active", 1)
    assert notify(shop, token, {**refresh_of(there), "eventType": "revoke"}).status_code == 202
    assert (told(shop, link).state, told(shop, link).products) == ("suspended", 0)
    assert notify(shop, token, refresh_of(there)).status_code == 404
    read(shop, link)
    assert there.asked == []
    assert read(shop, link, resume=True).changed == 2
    assert (told(shop, link).state, len(products(shop, link))) == ("active", 2)


def test_nobody_else_is_heard(shop: Shop, oidc: Oidc, there: Distant, link: Link) -> None:
    said = refresh_of(there)
    assert notify(shop, "", said).status_code == 401
    assert notify(shop, shop.token, said).status_code == 403
    assert notify(shop, oidc.token("ofn-client"), said).status_code == 403  # of another host
    assert notify(shop, oidc.token("there"), {**said, "enterpriseUrlid": "https://ofn.example/"}).status_code == 403
    assert notify(shop, oidc.token("there"), []).status_code == 422
    assert notify(shop, oidc.token("there"), refresh_of(there, "/of-nobody")).status_code == 404
    shop.run_jobs()
    assert there.asked == []


# ------------------------------------------------------------------------------------------ the other direction


def test_a_platform_is_told_of_changes_once_a_minute_and_again_until_it_answers(
    shop: Shop, there: Distant, clock: ManualClock
) -> None:
    def webhook(asked: Asked) -> Said:
        return Said(status=500 if len(there.asked) == 1 else 204)

    there.pages["/webhook"] = webhook
    let(shop, "there", "ReadProducts")
    shop.run_jobs(failing=True)
    shop.run_jobs(minutes=6)
    assert [json.loads(request.body) for request in there.asked] == [said_of(shop, "refresh")] * 2
    assert there.asked[0].headers["authorization"] == "Bearer of-ours"
    for price in (310, 320):
        with shop.instance.store.write() as tx:
            set_price(tx, shop.id, shop.items["carrots"], price)
    shop.run_jobs()
    clock.advance(minutes=1)
    shop.run_jobs()
    assert [json.loads(request.body) for request in there.asked[2:]] == [said_of(shop, "refresh")]
    let(shop, "there")
    clock.advance(minutes=1)
    shop.run_jobs()
    last = json.loads(there.asked[-1].body)
    assert (last["eventType"], [object["@id"] for object in last["objects"]]) == ("revoke", [last["enterpriseUrlid"]])


def test_a_platform_without_the_scope_is_told_nothing(shop: Shop, there: Distant, clock: ManualClock) -> None:
    with shop.instance.store.write() as tx:
        set_price(tx, shop.id, shop.items["carrots"], 310)
    shop.run_jobs()
    clock.advance(minutes=1)
    shop.run_jobs()
    assert there.asked == []


def said_of(shop: Shop, kind: str) -> dict[str, str]:
    iri = f"http://testserver/api/dfc/enterprises/{shop.id}"
    return {"eventType": kind, "enterpriseUrlid": iri, "scope": "ReadProducts"}
