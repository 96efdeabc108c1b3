"""People and enterprises over HTTP: from signing up to inviting somebody, as a browser and as a program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.enterprises.customers import create_customer
from commensal.instance import Instance, InstanceSettings
from commensal.instance.settings import SecuritySettings
from commensal.parts.accounts.confirmations import FORGOTTEN, mail_reset
from commensal.people.login_throttle import FREE
from commensal.people.passwords import hash_password
from commensal.people.people import Person
from commensal.people.tables import person_session
from commensal.storage.database import Store
from commensal.storage.idempotency import idempotent_answer
from commensal.storage.jobs.registry import Job
from commensal.storage.jobs.tables import job
from commensal.testing.placed import a_shop

from ..mailed import code_in, waiting_mails

GOOD = "une longue phrase"
HASH = hash_password(GOOD)
HERE = {"Sec-Fetch-Site": "same-origin"}  # sent by a browser with a request that the site itself started
Somebody = Callable[..., Person]


def code_in_last_mail(store: Store) -> str:
    with store.write() as tx:
        return code_in(tx, waiting_mails(tx)[-1])


def log_in(client: TestClient, email: str, password: str = GOOD) -> Any:
    return client.post("/api/sessions", json={"email": email, "password": password}, headers=HERE)


def take_up_invitation(client: TestClient, path: str, email: str, role: str) -> None:
    """Invites a person as the logged-in owner, accepts as that person, and logs the owner in again."""
    owner = client.cookies["session"]
    assert client.post(f"{path}/members", json={"email": email, "role": role}, headers=HERE).status_code == 202
    client.cookies.clear()
    log_in(client, email)
    (invitation,) = client.get("/api/me/invitations").json()
    assert client.post(f"/api/me/invitations/{invitation['id']}", headers=HERE).json()["role"] == role
    client.cookies.clear()
    client.cookies.set("session", owner)


@pytest.fixture
def settings(settings: InstanceSettings) -> InstanceSettings:
    """Settings of an instance where everybody may make enterprises."""
    return replace(settings, security=SecuritySettings(new_enterprises="everybody"))


@pytest.fixture
def ada(client: TestClient, somebody: Somebody) -> Person:
    """Ada, logged in."""
    ada = somebody("Ada", password_hash=HASH)
    assert log_in(client, ada.email).status_code == 201
    return ada


# ------------------------------------------------------------------------------------------------ people


def test_somebody_signs_up_logs_in_and_confirms(client: TestClient, store: Store) -> None:
    wish = {"email": "Ada@example.org", "name": "Ada", "password": GOOD, "language": "fr"}
    assert client.get("/api/me").status_code == 401
    signed_up = client.post("/api/people", json=wish)
    assert (signed_up.status_code, signed_up.json()) == (202, {"to": "ada@example.org"})
    code = code_in_last_mail(store)

    logged_in = log_in(client, "ada@example.org")
    cookie = logged_in.headers["set-cookie"]
    assert (logged_in.status_code, "HttpOnly" in cookie, "SameSite=lax" in cookie) == (201, True, True)
    me = client.get("/api/me").json()
    assert (me["name"], me["language"], me["confirmed_at"]) == ("Ada", "fr", None)
    assert not any("password" in field or "hash" in field for field in me)
    assert client.post("/api/enterprises", json={"name": "La Ferme"}, headers=HERE).status_code == 403

    assert client.post("/api/me/confirmation", json={"code": code}, headers=HERE).json()["confirmed_at"]
    assert client.post("/api/enterprises", json={"name": "La Ferme"}, headers=HERE).status_code == 201


def test_signing_up_answers_the_same_for_a_known_address(client: TestClient, store: Store, somebody: Somebody) -> None:
    somebody("Ada")
    answers = [
        client.post("/api/people", json={"email": f"{name}@example.org", "name": "x", "password": GOOD})
        for name in ("ada", "eve")
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    body_for_known, body_for_unknown = ({**answer.json(), "to": ""} for answer in answers)
    assert body_for_known == body_for_unknown
    with store.read() as tx:
        assert tx.value(select(func.count()).select_from(job)) == 2


def test_every_mistake_of_signing_up_is_named(client: TestClient) -> None:
    response = client.post("/api/people", json={"email": "ada", "name": " ", "password": "short"})
    assert response.status_code == 422
    assert {error["pointer"] for error in response.json()["errors"]} == {"/email", "/name", "/password"}


def test_a_failed_log_in_is_counted_and_slows_the_next_one_down(
    client: TestClient, clock: ManualClock, ada: Person
) -> None:
    for email in (ada.email, "nobody@example.org"):
        failures = [log_in(client, email, "something else") for _ in range(FREE)]
        assert {(response.status_code, response.json()["code"]) for response in failures} == {(401, "log_in")}
        assert not any("set-cookie" in response.headers for response in failures)
        too_soon = log_in(client, email, GOOD)
        assert (too_soon.status_code, too_soon.headers["retry-after"]) == (429, "31")
    clock.advance(seconds=31)
    assert log_in(client, ada.email).status_code == 201


def test_a_secret_is_not_kept_for_who_repeats_the_request(client: TestClient, store: Store, ada: Person) -> None:
    body = {"email": ada.email, "password": GOOD}
    headers = {**HERE, "Idempotency-Key": "one"}
    first = client.post("/api/sessions", json=body, headers=headers).json()["secret"]
    assert client.post("/api/sessions", json=body, headers=headers).json()["secret"] != first
    client.post("/api/me/tokens", json={"name": "x", "scopes": ["self"], "password": GOOD}, headers=headers)
    with store.read() as tx:
        assert tx.value(select(func.count()).select_from(idempotent_answer)) == 0


def test_logging_out_ends_the_session_and_takes_the_cookie_back(client: TestClient, ada: Person) -> None:
    secret = client.cookies["session"]
    response = client.delete("/api/me/session", headers=HERE)
    assert (response.status_code, "session" in client.cookies) == (204, False)
    client.cookies.set("session", secret)
    assert client.get("/api/me").status_code == 401


def test_a_session_in_use_stays_alive(client: TestClient, store: Store, clock: ManualClock, ada: Person) -> None:
    clock.advance(days=20)
    assert client.get("/api/me").status_code == 200
    with store.read() as tx:
        assert tx.value(select(person_session.c.seen_at)) == clock.now()
    clock.advance(days=20)
    assert client.get("/api/me").status_code == 200


def test_a_forgotten_password_is_set_anew_by_e_mail(client: TestClient, instance: Instance, ada: Person) -> None:
    assert client.post("/api/forgotten-password", json={"email": ada.email}, headers=HERE).status_code == 202
    with instance.store.read() as tx:
        row = tx.one(select(job.c.id, job.c.payload).where(job.c.kind == FORGOTTEN))
    mail_reset(instance, Job(row["id"], FORGOTTEN, row["payload"], 1))
    code = code_in_last_mail(instance.store)
    response = client.put("/api/forgotten-password", json={"code": code, "password": "short"}, headers=HERE)
    assert response.status_code == 422
    body = {"code": code, "password": "une autre phrase"}
    assert client.put("/api/forgotten-password", json=body, headers=HERE).status_code == 204
    assert client.put("/api/forgotten-password", json=body, headers=HERE).status_code == 422
    assert client.get("/api/me").status_code == 401
    assert log_in(client, ada.email, GOOD).status_code == 401
    assert log_in(client, ada.email, "une autre phrase").status_code == 201


def test_a_password_is_changed_by_who_knows_it(client: TestClient, ada: Person) -> None:
    response = client.put("/api/me/password", json={"old": "x", "new": "une autre phrase"}, headers=HERE)
    assert [error["pointer"] for error in response.json()["errors"]] == ["/old"]
    changed = client.put("/api/me/password", json={"old": GOOD, "new": "une autre phrase"}, headers=HERE)
    assert changed.status_code == 200
    assert client.get("/api/me").status_code == 200


def test_a_token_cannot_make_itself_stronger(client: TestClient, ada: Person) -> None:
    response = client.post("/api/me/tokens", json={"name": "till", "scopes": ["self"], "password": GOOD}, headers=HERE)
    assert response.status_code == 201
    client.cookies.clear()
    token = {"Authorization": f"Bearer {response.json()['secret']}"}
    assert client.get("/api/me", headers=token).status_code == 200
    assert client.get("/api/me/tokens", headers=token).json() == [response.json()["token"]]
    token_request = {"name": "more", "scopes": ["orders:read"], "password": GOOD}
    assert client.post("/api/me/tokens", json=token_request, headers=token).status_code == 403
    passwords = {"old": GOOD, "new": "une autre phrase"}
    assert client.put("/api/me/password", json=passwords, headers=token).status_code == 403
    assert client.delete(f"/api/me/tokens/{response.json()['token']['id']}", headers=token).status_code == 204
    assert client.get("/api/me", headers=token).status_code == 401


def test_people_see_and_end_their_sessions(client: TestClient, ada: Person) -> None:
    client.cookies.clear()
    client.post("/api/sessions", json={"email": ada.email, "password": GOOD, "agent": "other"})
    client.cookies.clear()
    log_in(client, ada.email)
    other = next(session for session in client.get("/api/me/sessions").json() if session["agent"] == "other")
    assert client.delete(f"/api/me/sessions/{other['id']}", headers=HERE).status_code == 204
    assert client.delete("/api/me/sessions", headers=HERE).status_code == 204
    assert len(client.get("/api/me/sessions").json()) == 1


def test_an_operator_locks_somebody_out(client: TestClient, somebody: Somebody) -> None:
    root, eve = somebody("Root", operator=True, password_hash=HASH), somebody("Eve", password_hash=HASH)
    log_in(client, eve.email)
    assert client.get("/api/people").status_code == 403
    client.cookies.clear()
    log_in(client, root.email)
    assert [item["name"] for item in client.get("/api/people?limit=1").json()["items"]] == ["Root"]
    assert client.post(f"/api/people/{eve.id}/disable", headers=HERE).json()["disabled_at"]
    assert log_in(client, eve.email).status_code == 401
    client.cookies.clear()
    log_in(client, root.email)
    assert client.post(f"/api/people/{eve.id}/enable", headers=HERE).json()["disabled_at"] is None


# ------------------------------------------------------------------------------------------------ enterprises


def test_an_enterprise_is_founded_found_and_edited(client: TestClient, ada: Person) -> None:
    response = client.post(
        "/api/enterprises",
        json={"name": "La Ferme", "visibility": "public", "latitude": "46.2", "longitude": 5.2, "is_producer": True},
        headers=HERE,
    )
    assert (response.status_code, response.headers["etag"]) == (201, '"1"')
    ferme = response.json()
    assert (ferme["timezone"], ferme["currency"], ferme["language"]) == ("Europe/Paris", "EUR", "en")
    path = f"/api/enterprises/{ferme['id']}"
    changes = {"city": "Bourg", "descriptions": {"fr": "<p>Bonjour</p>"}}
    changed = client.patch(path, json=changes, headers={**HERE, "If-Match": '"1"'})
    assert (changed.status_code, {name: changed.json()[name] for name in changes}) == (200, changes)
    assert client.get("/api/me/enterprises").json()["items"] == [
        {"enterprise": changed.json(), "role": "owner", "role_name": ""}
    ]

    client.cookies.clear()
    assert client.get("/api/directory?search=bourg&kind=producer").json()["items"] == [changed.json()]
    assert client.get("/api/directory?kind=hub").json() == {"items": [], "next": None}
    assert client.get("/api/directory/la-ferme").json() == changed.json()
    assert client.get(path).status_code == 401
    log_in(client, ada.email)
    assert client.post(f"{path}/archive", headers={**HERE, "If-Match": '"2"'}).status_code == 200
    client.cookies.clear()
    assert client.get("/api/directory/la-ferme").status_code == 404


def test_members_customers_and_grants_over_http(client: TestClient, somebody: Somebody, ada: Person) -> None:
    eve = somebody("Eve", password_hash=HASH)
    names = ("La Ferme", "La Halle")
    ferme, halle = (client.post("/api/enterprises", json={"name": name}, headers=HERE).json()["id"] for name in names)
    path = f"/api/enterprises/{ferme}"

    def send(method: str, path_below: str, json: Any = None, version: int | None = None) -> Any:
        headers = HERE if version is None else {**HERE, "If-Match": f'"{version}"'}
        answer = client.request(method, path + path_below, json=json, headers=headers)
        assert answer.status_code in (200, 201, 204), answer.text
        return answer.json() if answer.content else None

    take_up_invitation(client, path, eve.email, "packer")
    assert send("PUT", f"/members/{eve.id}", {"role": "manager"})["role"] == "manager"
    taking = send("PUT", f"/members/{eve.id}", {"role": "packer", "takes_money": True})
    assert (taking["role"], taking["takes_money"]) == ("packer", True)
    assert send("PUT", f"/members/{eve.id}", {"role": "manager"})["takes_money"] is False
    assert [member["name"] for member in send("GET", "/members")] == ["Ada", "Eve"]
    assert client.delete(f"{path}/members/{ada.id}", headers=HERE).status_code == 409
    assert client.delete(f"/api/me/enterprises/{ferme}", headers=HERE).status_code == 409

    staff = send("POST", "/customer-categories", {"name": "Staff"})
    assert send("PATCH", f"/customer-categories/{staff['id']}", {"name": "Team"}, 1)["version"] == 2
    zoe = send("POST", "/customers", {"email": "zoe@example.org", "name": "Zoé", "categories": [staff["id"]]})
    assert send("GET", "/customers?search=zoe")["items"] == [zoe]
    assert send("GET", f"/customers?category={staff['id']}&limit=1")["next"] == "zoe@example.org"
    assert send("PATCH", f"/customers/{zoe['id']}", {"note": "x", "categories": []}, 1)["categories"] == []
    send("DELETE", f"/customer-categories/{staff['id']}", None, 2)
    assert send("GET", "/customer-categories") == []

    grant = send("PUT", f"/grants/{halle}/WriteOrders")
    assert send("GET", "/grants") == [grant]
    assert client.get(f"/api/enterprises/{halle}/grants-received").json() == [grant]
    send("DELETE", f"/grants/{halle}/WriteOrders")
    assert send("GET", "/grants") == []
    assert send("GET", "/plugins") == []
    assert client.post(f"{path}/plugins/unheard-of", json={}, headers=HERE).status_code == 404


def test_a_manager_lets_nobody_in_and_a_stranger_sees_nothing(
    client: TestClient, somebody: Somebody, ada: Person
) -> None:
    eve, zoe = somebody("Eve", password_hash=HASH), somebody("Zoe", password_hash=HASH)
    ferme = client.post("/api/enterprises", json={"name": "La Ferme"}, headers=HERE).json()["id"]
    path = f"/api/enterprises/{ferme}"
    take_up_invitation(client, path, eve.email, "manager")
    for actor, expected in ((eve, 403), (zoe, 404)):
        client.cookies.clear()
        log_in(client, actor.email)
        responses = [
            client.post(f"{path}/members", json={"email": zoe.email, "role": "owner"}, headers=HERE),
            client.put(f"{path}/members/{actor.id}", json={"role": "owner"}, headers=HERE),
            client.put(f"{path}/grants/{ferme}/WriteOrders", headers=HERE),
            client.post(f"{path}/archive", headers={**HERE, "If-Match": '"1"'}),
        ]
        assert {response.status_code for response in responses} == {expected}


# ------------------------------------------------------------------------------------------------ households


def test_two_people_share_a_customer_over_the_api(
    client: TestClient, ada: Person, store: Store, somebody: Somebody
) -> None:
    bob = somebody("Bob", password_hash=HASH)
    with store.write() as tx:
        a_shop(tx)
        record = create_customer(tx, "shop", email=ada.email, name="Ada").id
    invitation = {"customer_id": record, "email": bob.email, "password": "wrong password"}
    assert client.post("/api/me/households", json=invitation, headers=HERE).status_code == 422
    invited = client.post("/api/me/households", json={**invitation, "password": GOOD}, headers=HERE)
    assert (invited.status_code, invited.json()) == (202, {"to": bob.email})
    client.cookies.clear()
    log_in(client, bob.email)
    (to_bob,) = client.get("/api/me/household-invitations").json()
    assert (to_bob["founder"], to_bob["enterprise_name"]) == ("Ada", "shop")
    (home,) = client.post(f"/api/me/household-invitations/{to_bob['id']}", headers=HERE).json()
    assert (home["customer_id"], home["is_founder"], [each["name"] for each in home["people"]]) == (
        record,
        False,
        ["Bob"],
    )
    leave = f"/api/me/households/{record}/people"
    assert client.delete(f"{leave}/{ada.id}", headers=HERE).status_code == 404
    assert client.delete(f"{leave}/{bob.id}", headers=HERE).status_code == 204
    assert client.get("/api/me/households").json() == []
