"""Sales over HTTP: a coordinator plans one and runs it, and shoppers find it."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.catalogs.offers import set_price
from commensal.enterprises.tables import customer, enterprise_member
from commensal.people.actor import ENTERPRISE_SCOPES
from commensal.people.tables import api_token, person
from commensal.products.tables import product_vat
from commensal.storage.database import Store

HUB = "/api/enterprises/hub"
DAY = timedelta(days=1)


class Coordinator:
    """A client with the hub's token. `send` returns the JSON of a successful answer."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def ask(self, method: str, path: str, json: Any = None, *, version: int | None = None) -> Any:
        headers = {"Authorization": "Bearer cml_hub", "Accept-Language": "en"}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return self.client.request(method, path, json=json, headers=headers)

    def send(self, method: str, path: str, json: Any = None, **kwargs: Any) -> Any:
        answer = self.ask(method, path, json, **kwargs)
        assert answer.status_code in (200, 201, 204), answer.text
        return answer.json() if answer.content else None

    def refusal(self, method: str, path: str, json: Any = None, **kwargs: Any) -> tuple[int, list[str]]:
        answer = self.ask(method, path, json, **kwargs)
        body = answer.json()
        return answer.status_code, sorted(error["pointer"] for error in body["errors"]) or [body["code"]]


@pytest.fixture
def hub(client: TestClient, store: Store, village: Any) -> Coordinator:
    with store.write() as tx:
        person_values = {"email": "p@example.org", "name": "P", "phone": "", "language": "fr", "is_operator": False}
        created = {"created_at": tx.now}
        tx.execute(insert(person).values(id="p", version=1, confirmed_at=tx.now, **person_values, **created))
        tx.execute(insert(enterprise_member).values(enterprise_id="hub", person_id="p", role="manager", since=tx.now))
        secret, scopes = hashlib.sha256(b"cml_hub").hexdigest(), sorted(ENTERPRISE_SCOPES)
        tx.execute(insert(api_token).values(id="t", hash=secret, person_id="p", name="", scopes=scopes, **created))
    return Coordinator(client)


def plan_sale(hub: Coordinator, clock: ManualClock, **kwargs: Any) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Plans an open sale with a session at the hub; returns its path, the sale and the session."""
    body = {
        "name": "Semaine 23",
        "opens_at": clock.now().isoformat(),
        "closes_at": (clock.now() + 2 * DAY).isoformat(),
        "suppliers": [{"enterprise_id": "farm"}, {"enterprise_id": "dairy"}],
        **kwargs,
    }
    sale = hub.send("POST", f"{HUB}/coordinations", body)
    path = f"{HUB}/coordinations/{sale['id']}"
    distribution = {"begins_at": (clock.now() + 3 * DAY).isoformat(), "ends_at": (clock.now() + 4 * DAY).isoformat()}
    session = hub.send("POST", f"{path}/sessions", {"shop_id": "hub", "catalog_id": "hub-catalog", **distribution})
    return path, sale, session


def test_a_sale_is_planned_changed_cloned_and_cancelled(hub: Coordinator, clock: ManualClock) -> None:
    path, sale, _ = plan_sale(hub, clock, rhythm="FREQ=WEEKLY;BYDAY=TH")
    assert hub.send("GET", path) == sale
    assert hub.ask("GET", path).headers["etag"] == '"1"'
    closes_at = (clock.now() + 3 * DAY).isoformat()
    changed = hub.send("PATCH", path, {"closes_at": closes_at, "rhythm": None}, version=1)
    assert (changed["rhythm"], changed["version"], changed["name"]) == (None, 2, "Semaine 23")
    assert hub.send("GET", f"{path}/sessions")[0]["closes_at"] == changed["closes_at"]
    assert hub.refusal("PATCH", path, {"name": "x"}, version=1) == (412, ["stale"])
    assert hub.refusal("PATCH", path, {"name": "x"})[0] == 428
    copy = hub.send("POST", f"{path}/clones", {"opens_at": (clock.now() + 7 * DAY).isoformat()})
    assert copy["suppliers"] == sale["suppliers"]
    assert hub.send("POST", f"{path}/cancel", {"series": True}, version=2)["cancelled_at"] is not None
    assert [item["id"] for item in hub.send("GET", f"{HUB}/coordinations?limit=1")["items"]] == [copy["id"]]


def test_a_distribution_moves_also_with_orders(hub: Coordinator, clock: ManualClock) -> None:
    path, _, session = plan_sale(hub, clock)
    at = f"{path}/sessions/{session['id']}/distribution"
    later = {"begins_at": (clock.now() + 5 * DAY).isoformat(), "reason": "Le four est en panne."}
    moved = hub.send("POST", at, later, version=1)
    assert (moved["orders"], moved["without_email"], moved["suppliers"]) == (0, [], [])
    assert moved["session"]["planned_begins_at"] == session["begins_at"], "the next sale keeps its day"
    assert hub.refusal("POST", at, later, version=1) == (412, ["stale"])
    too_early = {"begins_at": (clock.now() + DAY).isoformat()}
    assert hub.refusal("POST", at, too_early, version=2) == (422, ["/begins_at"])
    moved_back = hub.send("POST", at, {"begins_at": session["begins_at"]}, version=2)["session"]
    assert moved_back == {**session, "version": 3}


def test_every_mistake_is_named(hub: Coordinator, clock: ManualClock) -> None:
    past = (clock.now() - DAY).isoformat()
    body: dict[str, Any] = {"name": " ", "opens_at": past, "closes_at": past, "rhythm": "FREQ=HOURLY"}
    body |= {"suppliers": [{"enterprise_id": "x"}]}
    assert hub.refusal("POST", f"{HUB}/coordinations", body) == (
        422,
        ["/closes_at", "/closes_at", "/name", "/rhythm", "/suppliers/0/enterprise_id"],
    )
    without_zone = {"name": "x", "opens_at": "2026-06-04T18:00:00", "closes_at": past}
    assert hub.refusal("POST", f"{HUB}/coordinations", without_zone)[0] == 422  # whose 18:00?


def test_items_go_on_sale_and_off_and_suppliers_come_and_go(hub: Coordinator, clock: ManualClock) -> None:
    path, _, session = plan_sale(hub, clock)
    items = f"{path}/sessions/{session['id']}/items"
    assert hub.send("POST", items, {}) == {"count": 6}
    assert hub.refusal("POST", items, {"items": ["hub-stranger-00006"]}) == (422, ["/items/0"])
    page = hub.send("GET", f"{items}?limit=4")
    assert len(hub.send("GET", f"{items}?limit=4&after={page['next']}")["items"]) == 2
    item_id = page["items"][0]["item_id"]
    hub.send("DELETE", f"{items}/{item_id}")
    assert hub.refusal("DELETE", f"{items}/{item_id}")[0] == 404
    early = (clock.now() + DAY).isoformat()
    assert hub.send("PUT", f"{path}/suppliers/farm", {"closes_at": early}, version=1)["suppliers"][1]["closes_at"]
    assert len(hub.send("DELETE", f"{path}/suppliers/dairy", version=2)["suppliers"]) == 1
    assert {item["supplier_id"] for item in hub.send("GET", items)["items"]} == {"farm"}


def test_a_session_belongs_to_its_sale(hub: Coordinator, clock: ManualClock) -> None:
    path, _, session = plan_sale(hub, clock)
    other, _, _ = plan_sale(hub, clock)
    assert hub.refusal("GET", f"{other}/sessions/{session['id']}")[0] == 404
    assert hub.refusal("DELETE", f"{other}/sessions/{session['id']}", version=1)[0] == 404
    assert hub.refusal("POST", f"{other}/sessions/{session['id']}/items", {})[0] == 404
    session_path = f"{path}/sessions/{session['id']}"
    notes = {"note": "Apportez vos sacs.", "notes": {"en": "Bring your bags."}}
    changed = hub.send("PATCH", session_path, notes, version=1)
    assert (changed["version"], {name: changed[name] for name in notes}) == (2, notes)
    too_long = {"notes": {"en": "x" * 2001}}
    assert hub.refusal("PATCH", session_path, too_long, version=2)[0] == 422
    assert hub.refusal("PATCH", session_path, {"notes": {"en-GB": "x"}}, version=2) == (422, ["/notes"])
    assert len(hub.send("GET", f"{HUB}/sale-sessions")["items"]) == 2
    hub.send("DELETE", session_path, version=2)
    assert len(hub.send("GET", f"{HUB}/sale-sessions")["items"]) == 1


def test_anybody_finds_a_sale_with_its_offers(
    hub: Coordinator, store: Store, client: TestClient, clock: ManualClock
) -> None:
    path, _, session = plan_sale(hub, clock)
    hub.send("POST", f"{path}/sessions/{session['id']}/items", {"items": ["hub-farm-00000", "hub-farm-00001"]})
    with store.write() as tx:
        for item, price in (("hub-farm-00000", 250), ("hub-farm-00001", 300)):
            set_price(tx, "hub", item, price)
            rate_values = {"product_id": f"{item}-product", "valid_from": "2014-01-01"}
            tx.execute(insert(product_vat).values(rate=Decimal("5.5"), **rate_values))
    body = client.get("/api/sale-sessions?openness=open&limit=1").json()
    assert [(item["session"]["id"], item["shop"]["slug"]) for item in body["items"]] == [(session["id"], "hub")]
    assert client.get(f"/api/sale-sessions?after={body['next']}").json() == {"items": [], "next": None}
    assert client.get("/api/sale-sessions?openness=shut").status_code == 422
    assert client.get(f"/api/sale-sessions/{session['id']}").json() == body["items"][0]
    page = client.get(f"/api/sale-sessions/{session['id']}/offers?limit=1").json()
    second = client.get(f"/api/sale-sessions/{session['id']}/offers?after={page['next']}").json()
    assert [item_offer["price"] for item_offer in page["items"] + second["items"]] == [250, 300]


def test_a_hidden_shop_is_there_for_its_members_and_customers_only(
    hub: Coordinator, store: Store, village: Any, client: TestClient, clock: ManualClock
) -> None:
    village.enterprise("club", visibility="hidden")
    village.grant("club", "hub", "WriteOrders")
    path, _, _ = plan_sale(hub, clock)
    distribution = {"begins_at": (clock.now() + 3 * DAY).isoformat(), "ends_at": (clock.now() + 4 * DAY).isoformat()}
    session = hub.send("POST", f"{path}/sessions", {"shop_id": "club", "catalog_id": "club-catalog", **distribution})
    address = f"/api/sale-sessions/{session['id']}"
    assert client.get(address).status_code == client.get(f"{address}/offers").status_code == 404
    assert hub.refusal("GET", address)[0] == 404
    with store.write() as tx:
        customer_values = {
            "email": "p@example.org",
            "name": "P",
            "phone": "",
            "note": "",
            "created_at": tx.now,
            "version": 1,
        }
        tx.execute(insert(customer).values(id="c", enterprise_id="club", person_id="p", **customer_values))
    assert hub.send("GET", address)["shop"]["name"] == "club"
