"""What the JSON API promises on every route: scopes, problems, idempotency, versions, limits, origins."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate
from sqlalchemy import insert, select, update
from starlette.testclient import TestClient

from commensal.api.endpoint import Call, Paging, Routes
from commensal.base.clock import ManualClock
from commensal.base.ids import SeededIds
from commensal.enterprises.tables import enterprise, enterprise_member
from commensal.hooks import specifications
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.instance.settings import LimitSettings
from commensal.parts.endpoints import core_endpoints
from commensal.parts.serving import app as application
from commensal.parts.serving.app import make_app
from commensal.parts.setup.begin import USUAL
from commensal.people.actor import ENTERPRISE_SCOPES, OPERATOR, PUBLIC, SELF
from commensal.people.tables import api_token, person
from commensal.storage.database import Store
from commensal.storage.idempotency import idempotent_answer
from commensal.storage.jobs.tables import job
from commensal.testing.placed import a_lot, a_shop, an_item


def a_person(store: Store, name: str, *, scopes: list[str] | None = None, role: str | None = None) -> dict[str, str]:
    """A person with a token; returns the header that carries it. `role` makes them a member of the shop."""
    token_scopes = scopes or sorted({SELF, *ENTERPRISE_SCOPES})
    with store.write() as tx:
        values = {"phone": "", "language": "en", "is_operator": False, "created_at": tx.now, "version": 1}
        email = f"{name}@example.org"
        tx.execute(insert(person).values(id=name, email=email, name=name, confirmed_at=tx.now, **values))
        hashed = hashlib.sha256(f"cml_{name}".encode()).hexdigest()
        tx.execute(
            insert(api_token).values(
                id=f"token-{name}", hash=hashed, person_id=name, name="test", scopes=token_scopes, created_at=tx.now
            )
        )
        if role:
            tx.execute(insert(enterprise_member).values(enterprise_id="shop", person_id=name, role=role, since=tx.now))
    return {"Authorization": f"Bearer cml_{name}"}


@pytest.fixture
def item(store: Store) -> str:
    with store.write() as tx:
        a_shop(tx)
        return an_item(tx, a_lot(tx, on_hand="10"))


def order_body(item: str, pieces: int = 1, **kwargs: Any) -> dict[str, Any]:
    return {"items": {item: pieces}, "name": "Ada", "email": "ada@example.org", **kwargs}


PLACE = "/api/sale-sessions/shop-session/orders"


# ------------------------------------------------------------------------------------------------ scopes


def test_every_route_is_closed_to_who_lacks_its_scope(client: TestClient, store: Store, item: str) -> None:
    """Requests every route anonymously, as a person without scopes, and as a stranger with all scopes."""
    without_scopes, stranger = a_person(store, "weak", scopes=["none"]), a_person(store, "stranger")
    counts = Counter[str]()
    for endpoint in core_endpoints():
        if endpoint.scope == PUBLIC:
            continue
        path = "/api" + endpoint.path.replace("{enterprise}", "shop").replace("{", "").replace("}", "")
        headers = {"If-Match": '"1"', "Idempotency-Key": "k", "Content-Type": endpoint.takes.replace("*", "png")}
        body = b"{}"
        assert client.request(endpoint.method, path, headers=headers, content=body).status_code in (401, 422), path
        as_weak = client.request(endpoint.method, path, headers={**headers, **without_scopes}, content=body)
        assert as_weak.status_code in (403, 422), (endpoint.method, path, as_weak.text)
        if endpoint.scope in ENTERPRISE_SCOPES:
            as_stranger = client.request(endpoint.method, path, headers={**headers, **stranger}, content=body)
            assert as_stranger.status_code in (404, 422), (endpoint.method, path, as_stranger.text)
        counts[endpoint.scope] += 1
    assert set(counts) <= ENTERPRISE_SCOPES | {SELF, OPERATOR}
    assert sum(counts.values()) > 60


def test_every_enterprise_scope_is_asked_for_below_an_enterprise() -> None:
    for endpoint in core_endpoints():
        assert (endpoint.scope in ENTERPRISE_SCOPES) == endpoint.path.startswith("/enterprises/{enterprise}"), (
            endpoint.path
        )


def test_a_packer_may_pack_and_not_change(client: TestClient, store: Store, item: str) -> None:
    packer = a_person(store, "packer", role="packer")
    order = client.post(PLACE, json=order_body(item), headers={"Idempotency-Key": "1"}).json()["order"]
    path = f"/api/enterprises/shop/orders/{order['id']}"
    assert client.get(path, headers=packer).status_code == 200
    assert client.post(f"{path}/ready", headers={**packer, "If-Match": '"1"'}).status_code == 200
    response = client.patch(path, json={"note": "x"}, headers={**packer, "If-Match": '"2"'})
    assert (response.status_code, response.json()["code"]) == (403, "scope")


# ------------------------------------------------------------------------------------------------ problems


def test_what_is_wrong_is_said_in_the_readers_language_as_a_problem_document(client: TestClient, item: str) -> None:
    response = client.post(
        PLACE, json=order_body(item, 11), headers={"Idempotency-Key": "1", "Accept-Language": "fr-FR"}
    )
    assert response.status_code == 409
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert (body["status"], body["code"], body["type"]) == (409, "sold_out", "urn:commensal:problem:sold_out")
    assert body["detail"] == "Il n’en reste pas assez."
    (error,) = body["errors"]
    assert "Pommes" in error["detail"]
    assert "10" in error["detail"]


def test_who_sends_a_word_that_is_not_known_is_told_those_that_are(client: TestClient) -> None:
    response = client.get("/api/directory", params={"kind": "farm"})
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert error["pointer"] == "kind"
    assert "expected one of '', 'producer', 'hub', got 'farm'" in error["detail"]


def test_every_mistake_of_a_body_is_named_with_its_pointer(client: TestClient, item: str) -> None:
    body = {"items": {item: "two"}, "name": 7, "email": "x" * 300, "total": 1.5, "surprise": True}
    response = client.post(PLACE, json=body, headers={"Idempotency-Key": "1"})
    assert response.status_code == 422
    assert {error["pointer"] for error in response.json()["errors"]} == {
        "",
        f"/items/{item}",
        "/name",
        "/email",
        "/total",
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"items": NaN}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"name": "\\u0000"}',
        b'{"items": {"x": 99999999999999999999999999}, "name": "a", "email": "b"}',
    ],
)
def test_nonsense_is_refused_and_never_an_error_of_ours(client: TestClient, item: str, body: bytes) -> None:
    headers = {"Idempotency-Key": "1", "Content-Type": "application/json"}
    response = client.post(PLACE, content=body, headers=headers)
    assert (response.status_code, response.json()["status"]) == (422, 422)


def test_a_packed_body_is_not_unpacked(client: TestClient, item: str) -> None:
    """A compression bomb is a kilobyte long; compressed bodies are refused altogether."""
    headers = {"Idempotency-Key": "1", "Content-Type": "application/json", "Content-Encoding": "gzip"}
    response = client.post(PLACE, content=gzip.compress(b" " * 1_000_000), headers=headers)
    assert (response.status_code, response.json()["code"]) == (422, "content_encoding")


def test_a_body_of_another_type_or_too_large_is_refused(client: TestClient, item: str) -> None:
    headers = {"Idempotency-Key": "1"}
    assert client.post(PLACE, content=b"a=1", headers={**headers, "Content-Type": "text/plain"}).status_code == 415
    large = json.dumps(order_body(item, note="x" * 1_100_000))
    assert client.post(PLACE, content=large, headers={**headers, "Content-Type": "application/json"}).status_code == 413


def test_a_large_body_is_told_its_first_mistake_only(client: TestClient, item: str) -> None:
    """A small body is told at most fifty."""
    for size, count in ((200, 50), (20_000, 1)):
        body = {"items": {f"item-{number}": "two" for number in range(size)}, "name": "Ada", "email": "a@example.org"}
        response = client.post(PLACE, json=body, headers={"Idempotency-Key": "1"})
        assert (response.status_code, len(response.json()["errors"])) == (422, count)


def test_an_action_that_needs_no_body_may_come_without_one(client: TestClient, store: Store, item: str) -> None:
    """With PUT and PATCH an empty body is more likely a mistake: it would empty a cart."""
    owner = a_person(store, "olga", role="owner")
    order = client.post(PLACE, json=order_body(item), headers={"Idempotency-Key": "1"}).json()["order"]
    cancel = f"/api/enterprises/shop/orders/{order['id']}/cancel"
    cancelled = client.post(cancel, headers={**owner, "If-Match": f'"{order["version"]}"'})
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "Cancelled")
    revive = f"/api/enterprises/shop/orders/{order['id']}/revive"
    stale = client.post(revive, headers={**owner, "If-Match": f'"{order["version"]}"'})
    revived = client.post(revive, headers={**owner, "If-Match": f'"{cancelled.json()["version"]}"'})
    assert (stale.status_code, revived.status_code, revived.json()["state"]) == (412, 200, "Held")
    assert client.put("/api/me/sale-sessions/shop-session/cart", headers=owner).status_code == 415
    assert client.post(PLACE, headers={"Idempotency-Key": "2"}).status_code == 415


def test_an_answer_of_status_204_has_no_content(clock: ManualClock) -> None:
    """RFC 9110, section 15.3.5: clients read content after it as the next answer. Declaring content is an error."""

    def end(call: Call, thing: str) -> Paging:
        """Ends a thing."""
        return Paging()

    with pytest.raises(ValueError, match="204"):
        Routes("things").delete("/things/{thing}", scope=SELF)(end)
    settings = InstanceSettings(name="Test", plugins={"enabled": list(USUAL)})
    hooks = load_plugins(settings, clock=clock)
    added = [endpoint for answer in hooks.each(specifications.endpoints) for endpoint in answer.value or ()]
    empty = [endpoint for endpoint in (*core_endpoints(), *added) if endpoint.status == 204]
    assert [endpoint.path for endpoint in empty if endpoint.answer is not type(None)] == []
    assert len(empty) > 20


def test_a_cart_takes_what_the_shop_lists_and_nothing_else(client: TestClient, store: Store, item: str) -> None:
    ada, path = a_person(store, "ada"), "/api/me/sale-sessions/shop-session/cart"
    for unknown in ("nothing", "a" * 64):
        response = client.put(path, json={"items": {item: 1, unknown: 1}}, headers=ada)
        assert response.status_code == 422, response.text
        assert [error["pointer"] for error in response.json()["errors"]] == [f"/items/{unknown}"]
    assert client.put(path, json={"items": {item: 1}}, headers=ada).json() == {"items": {item: 1}}


def test_at_a_hidden_shop_a_stranger_has_no_cart(client: TestClient, store: Store, item: str) -> None:
    ada, path = a_person(store, "ada"), "/api/me/sale-sessions/shop-session/cart"
    with store.write() as tx:
        tx.execute(update(enterprise).values(visibility="hidden"))
    assert client.put(path, json={"items": {item: 1}}, headers=ada).status_code == 404
    assert client.get(path, headers=ada).status_code == 404


@pytest.mark.parametrize("id", ["nobody", "%00", "..%2f..", "é", "x" * 300, "'; DROP TABLE person; --"])
def test_an_id_that_is_nobodys_is_not_found(client: TestClient, item: str, id: str) -> None:
    assert client.get(f"/api/sale-sessions/{id}").status_code == 404


def test_what_is_not_in_the_api_is_a_problem_too(client: TestClient) -> None:
    response = client.get("/api/nowhere")
    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")


# ------------------------------------------------------------------------------------------------ idempotency


def test_the_same_key_and_body_give_the_stored_answer_and_act_once(client: TestClient, item: str) -> None:
    headers = {"Idempotency-Key": "one"}
    first = client.post(PLACE, json=order_body(item), headers=headers)
    response = client.post(PLACE, json=order_body(item), headers=headers)
    assert first.status_code == response.status_code == 201
    assert first.content == response.content
    assert client.get("/api/sale-sessions/shop-session/offers").json()["items"][0]["left"] == 9


def test_the_secret_of_a_guests_order_is_kept_for_who_repeats_the_request_alone(
    client: TestClient, store: Store, item: str
) -> None:
    """A backup of the database does not open anybody's order."""
    key = "0f8fad5b-d9cb-469f-a165-70867728950e"
    first = client.post(PLACE, json=order_body(item), headers={"Idempotency-Key": key})
    with store.read() as tx:
        (row,) = tx.all(select(idempotent_answer))
    assert first.json()["secret"] not in str(row)
    assert key not in str(row), "the key would reveal the secret"
    assert first.json()["order"]["id"] not in row["body"], "what it says of its customer is not in clear either"
    response = client.post(PLACE, json=order_body(item), headers={"Idempotency-Key": key})
    assert response.content == first.content
    assert client.get(f"/api/guest-orders/{response.json()['secret']}").status_code == 200


def test_the_same_key_with_another_body_is_refused(client: TestClient, item: str) -> None:
    headers = {"Idempotency-Key": "one"}
    client.post(PLACE, json=order_body(item), headers=headers)
    response = client.post(PLACE, json=order_body(item, 2), headers=headers)
    assert (response.status_code, response.json()["code"]) == (409, "idempotency_key_used")


def test_keys_of_two_people_never_meet(client: TestClient, store: Store, item: str) -> None:
    ada, bob = a_person(store, "ada"), a_person(store, "bob")
    for headers in (ada, bob):
        response = client.post(PLACE, json=order_body(item), headers={**headers, "Idempotency-Key": "one"})
        assert response.status_code == 201
    assert client.get("/api/sale-sessions/shop-session/offers").json()["items"][0]["left"] == 8


def test_orders_need_a_key(client: TestClient, item: str) -> None:
    response = client.post(PLACE, json=order_body(item))
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "Idempotency-Key")


def test_twenty_requests_with_one_key_at_once_are_one_order(client: TestClient, item: str) -> None:
    answers: list[tuple[int, bytes]] = []

    def place() -> None:
        response = client.post(PLACE, json=order_body(item), headers={"Idempotency-Key": "one"})
        answers.append((response.status_code, response.content))

    threads = [threading.Thread(target=place) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 20
    assert len(set(answers)) == 1
    assert answers[0][0] == 201
    assert client.get("/api/sale-sessions/shop-session/offers").json()["items"][0]["left"] == 9


def test_a_refusal_is_not_kept_so_the_same_request_may_succeed_later(
    client: TestClient, store: Store, item: str
) -> None:
    manager = a_person(store, "manager", role="manager")
    headers = {"Idempotency-Key": "one"}
    assert client.post(PLACE, json=order_body(item, 11), headers=headers).status_code == 409
    lot = client.get("/api/enterprises/shop/lots", headers=manager).json()["items"][0]
    client.post(f"/api/enterprises/shop/lots/{lot['id']}/receipts", json={"quantity": "5"}, headers=manager)
    assert client.post(PLACE, json=order_body(item, 11), headers=headers).status_code == 201


# ------------------------------------------------------------------------------------------------ versions


def test_an_edit_names_the_version_it_has_seen(client: TestClient, store: Store, item: str) -> None:
    ada = a_person(store, "ada")
    order = client.post(PLACE, json=order_body(item), headers={**ada, "Idempotency-Key": "1"}).json()["order"]
    path = f"/api/me/orders/{order['id']}"
    response = client.get(path, headers=ada)
    assert response.headers["etag"] == '"1"'
    assert client.patch(path, json={"note": "x"}, headers=ada).status_code == 428
    changed = client.patch(path, json={"note": "x"}, headers={**ada, "If-Match": '"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    stale = client.patch(path, json={"note": "y"}, headers={**ada, "If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    assert client.get(path, headers=ada).json()["note"] == "x"
    assert client.patch(path, json={"note": "y"}, headers={**ada, "If-Match": "*"}).status_code == 422


# ------------------------------------------------------------------------------------------------ limits, origins


@pytest.fixture
def strict(instance: Instance) -> Iterator[TestClient]:
    limits = LimitSettings(reads=3, writes=2, logins=1)
    settings = InstanceSettings(name="Test", base_url="https://testserver", language="en", limits=limits)
    strict_instance = Instance(instance.folder, settings, instance.store, instance.hooks, instance.clock, instance.ids)
    with TestClient(make_app(strict_instance), base_url="https://testserver") as client:
        yield client


def test_who_asks_too_often_is_told_how_long_to_wait(strict: TestClient) -> None:
    assert [strict.get("/api/sale-sessions").status_code for _ in range(4)] == [200, 200, 200, 429]
    response = strict.get("/api/sale-sessions")
    assert 1 <= int(response.headers["retry-after"]) <= 61
    assert response.json()["code"] == "too_many"


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({"Sec-Fetch-Site": "same-origin", "Cookie": "session=x"}, True),
        ({"Sec-Fetch-Site": "none", "Cookie": "session=x"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Cookie": "session=x"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "http://testserver", "Cookie": "session=x"}, True),
        ({"Origin": "http://evil.example", "Cookie": "session=x"}, False),
        ({"Origin": "null"}, False),
        ({"Cookie": "session=x"}, False),
        ({}, True),
        ({"Authorization": "Bearer nothing", "Origin": "http://evil.example"}, True),
    ],
)
def test_a_request_that_another_site_started_is_refused(
    client: TestClient, item: str, headers: dict[str, str], passes: bool
) -> None:
    response = client.post("/api/sale-sessions/shop-session/quote", json={"items": {item: 1}}, headers=headers)
    assert (response.status_code != 403) == passes


def test_every_answer_carries_its_guards(client: TestClient, strict: TestClient) -> None:
    headers = client.get("/api/sale-sessions").headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers
    assert "max-age" in strict.get("/api/sale-sessions").headers["strict-transport-security"]


# ------------------------------------------------------------------------------------------------ its description


def test_the_api_describes_itself_in_valid_openapi(client: TestClient) -> None:
    document = client.get("/api/openapi.json").json()
    validate(document)
    operations = [(path, method) for path, methods in document["paths"].items() for method in methods]
    assert len(operations) == len(core_endpoints())


@pytest.mark.bundled
def test_the_description_is_made_once_and_asked_for_by_its_tag(
    client: TestClient, strict: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def describe(*args: Any, **kwargs: Any) -> dict[str, str]:
        calls.append("once")
        return {"openapi": "3.1.0"}

    monkeypatch.setattr(application, "openapi", describe)
    first = client.get("/api/openapi.json")
    assert first.json() == client.get("/api/openapi.json").json()
    assert calls == ["once"]
    response = client.get("/api/openapi.json", headers={"If-None-Match": first.headers["etag"]})
    assert (response.status_code, response.content) == (304, b"")
    assert client.get("/api/openapi.json", headers={"If-None-Match": '"another"'}).status_code == 200
    assert [strict.get("/api/openapi.json").status_code for _ in range(4)][-1] == 429


def test_an_instance_with_all_plugins_describes_itself_though_some_name_things_alike(
    store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path
) -> None:
    settings = InstanceSettings(name="Test", plugins={"enabled": list(USUAL)})
    instance = Instance(tmp_path, settings, store, load_plugins(settings, clock=clock), clock, ids)
    with TestClient(make_app(instance)) as client:
        document = client.get("/api/openapi.json").json()
    validate(document)
    names = [name for name in document["components"]["schemas"] if name.endswith(".NewSlot")]
    assert len(names) == len(set(names)) == 2  # of pickup, and of delivery


def test_every_operation_has_a_name_of_its_own_and_says_what_it_does(client: TestClient) -> None:
    document = client.get("/api/openapi.json").json()
    operations = [method for methods in document["paths"].values() for method in methods.values()]
    names = Counter(operation["operationId"] for operation in operations)
    assert [name for name, count in names.items() if count > 1] == []
    assert all(len(operation["summary"]) > 8 for operation in operations)


def test_everything_that_can_be_sent_has_a_limit(client: TestClient) -> None:
    """Walks the schemas of all requests: texts have a length, numbers a range, lists and maps a size."""
    document = client.get("/api/openapi.json").json()
    schemas = document["components"]["schemas"]
    loose: list[str] = []

    def walk(schema: dict[str, Any], where: str) -> None:
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            if name not in names_seen:
                names_seen.add(name)
                walk(schemas[name], name)
            return
        kind = schema.get("type")
        fixed = "enum" in schema or "const" in schema or "format" in schema or "pattern" in schema
        if kind == "string" and not fixed and "maxLength" not in schema:
            loose.append(where)
        if kind in ("integer", "number") and not ("maximum" in schema or "exclusiveMaximum" in schema):
            loose.append(where)
        if kind == "array" and "maxItems" not in schema:
            loose.append(where)
        if kind == "object" and "properties" not in schema and "maxProperties" not in schema:
            loose.append(where)
        for name, inner in schema.get("properties", {}).items():
            walk(inner, f"{where}.{name}")
        for inner in (*schema.get("anyOf", ()), schema.get("items"), schema.get("additionalProperties")):
            if isinstance(inner, dict):
                walk(inner, where)

    names_seen: set[str] = set()
    for methods in document["paths"].values():
        for operation in methods.values():
            for parameter in operation["parameters"]:
                if parameter["in"] == "query":
                    walk(parameter["schema"], f"{operation['operationId']}?{parameter['name']}")
            for content in operation.get("requestBody", {}).get("content", {}).values():
                walk(content["schema"], operation["operationId"])
    assert loose == []


# ------------------------------------------------------------------------------------------------ languages


@pytest.mark.parametrize(
    ("shop_language", "headers", "body", "expected"),
    [
        ("en", {}, {}, "en"),
        ("fr", {}, {}, "fr"),
        ("fr", {"Accept-Language": "en-GB, fr;q=0.5"}, {}, "en"),
        ("fr", {"Accept-Language": "de"}, {}, "de"),
        ("fr", {"Accept-Language": "nl"}, {}, "fr"),
        ("fr", {"Accept-Language": "fr"}, {"language": "en"}, "en"),
    ],
)
def test_a_guest_is_written_to_in_the_language_of_the_request_else_of_the_shop(
    client: TestClient,
    store: Store,
    item: str,
    shop_language: str,
    headers: dict[str, str],
    body: dict[str, Any],
    expected: str,
) -> None:
    with store.write() as tx:
        tx.execute(update(enterprise).values(language=shop_language))
    # The test client would send no Accept-Language either; "*" asks for nothing in particular.
    request_headers = {"Idempotency-Key": "1", "Accept-Language": "*", **headers}
    assert client.post(PLACE, json=order_body(item, **body), headers=request_headers).status_code == 201
    with store.read() as tx:
        mail = tx.one(select(job.c.payload).where(job.c.kind == "mail"))["payload"]
    assert (mail["kind"], mail["language"]) == ("order_placed", expected)


def test_a_customer_whose_order_the_hub_takes_is_written_to_in_the_shop_s_language(
    client: TestClient, store: Store, item: str
) -> None:
    owner = a_person(store, "owner", role="owner")
    path = "/api/enterprises/shop/sale-sessions/shop-session/orders"
    headers = {**owner, "Idempotency-Key": "1", "Accept-Language": "en"}
    assert client.post(path, json=order_body(item), headers=headers).json()["language"] == "fr"
