"""Places and slots of pickup over the API, and who may change them."""

from __future__ import annotations

import pytest
from sqlalchemy import insert
from starlette.testclient import TestClient

from commensal.enterprises.tables import enterprise_member
from commensal.people.people import Person, add_person, new_person
from commensal.people.sessions import begin_session
from commensal.storage.database import Store

from .hall import SESSION, Hall

PLUGINS = ("pickup",)


@pytest.fixture
def hall(store: Store) -> Hall:
    return Hall(store)


@pytest.fixture
def manager(hall: Hall, client: TestClient) -> TestClient:
    """A client of the API, logged in as a manager of the shop."""
    client.cookies.set("session", log_in(hall.store, "manager"))
    client.headers["Origin"] = "http://testserver"
    return client


def log_in(store: Store, role: str) -> str:
    new_member = new_person(email=f"{role}@example.org", name=role, password="a long enough password", language="fr")
    with store.write() as tx:
        person = add_person(tx, new_member, confirmed=True)
        assert isinstance(person, Person)
        row = {"enterprise_id": "shop", "person_id": person.id, "role": role, "since": tx.now}
        tx.execute(insert(enterprise_member).values(row))
        return begin_session(tx, person).secret


def test_places_and_slots_over_the_api(hall: Hall, manager: TestClient) -> None:
    base = "/api/-/pickup/enterprises/shop"
    response = manager.post(f"{base}/places", json={"name": "Foyer rural", "price": 0, "vat_rate": None})
    assert response.status_code == 201, response.text
    place = response.json()
    assert place["timezone"] == "Europe/Paris"
    patched = manager.patch(f"{base}/places/{place['id']}", json={"note": "Portail vert"}, headers={"If-Match": '"1"'})
    assert (patched.json()["note"], patched.headers["etag"]) == ("Portail vert", '"2"')
    times = {"begins_at": "2026-06-06T15:00:00Z", "ends_at": "2026-06-06T16:00:00Z"}
    slots = f"{base}/sale-sessions/{SESSION}/slots"
    slot = manager.post(slots, json={"place_id": place["id"], "capacity": 5, **times}).json()
    assert len(manager.get(slots).json()) == 2
    shrunk = manager.patch(f"{base}/slots/{slot['id']}", json={"capacity": 4}, headers={"If-Match": '"1"'})
    assert shrunk.json()["capacity"] == 4
    assert manager.delete(f"{base}/slots/{slot['id']}", headers={"If-Match": '"2"'}).status_code == 204
    assert manager.delete(f"{base}/places/{place['id']}", headers={"If-Match": '"2"'}).status_code == 204
    assert [place["id"] for place in manager.get(f"{base}/places").json()["items"]] == [hall.place.id]


def test_strangers_see_nothing_of_it(hall: Hall, client: TestClient) -> None:
    assert client.get("/api/-/pickup/enterprises/shop/places").status_code == 401
    assert client.post("/api/-/pickup/enterprises/shop/places", json={"name": "x"}).status_code == 401


def test_a_packer_reads_but_does_not_change(hall: Hall, client: TestClient) -> None:
    client.cookies.set("session", log_in(hall.store, "packer"))
    client.headers["Origin"] = "http://testserver"
    assert client.get("/api/-/pickup/enterprises/shop/places").status_code == 200
    assert client.post("/api/-/pickup/enterprises/shop/places", json={"name": "x"}).status_code == 403
