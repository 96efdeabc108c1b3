"""Owners, operators and new owners move an enterprise over the API, and others find its new address."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from sqlalchemy import insert, update
from starlette.testclient import TestClient

from commensal.enterprises.grants import grant
from commensal.enterprises.tables import enterprise, enterprise_member
from commensal.enterprises.tokens import make_token
from commensal.parts.accounts.operators import add_operator
from commensal.parts.serving.app import make_app
from commensal.people.actor import OPERATOR, SELF
from commensal.testing.placed import a_shop
from commensal_federation.moving.moves import move_by_id, set_move
from commensal_federation.moving.old_home import take_off_sale
from commensal_federation.testing import Region

from .moves import farm, states
from .trading import Hub, Producer

__all__ = ["farm"]  # fixtures
PEERS = ("ab", "ac", "bc")
BASE = "/api/-/federation"


def client_of(region: Region, at: str, person_id: str, scopes: Collection[str]) -> TestClient:
    instance = region[at].instance
    with instance.store.write() as tx:
        token = make_token(tx, person_id, name="Tests", scopes=frozenset(scopes))
    return TestClient(make_app(instance), headers={"Authorization": f"Bearer {token.secret}"})


def test_an_enterprise_moves_by_three_peoples_consent(farm: Producer, region: Region) -> None:
    owner = client_of(region, "a", "ann-at-a", {"members:write", "enterprise:read"})
    ann = client_of(region, "c", "ann-at-c", {SELF})
    operator_id = add_operator(
        region["c"].instance.store, email="op@example.org", name="Op", password="a long enough one", language="en"
    ).id
    operator = client_of(region, "c", operator_id, {OPERATOR})
    offer = owner.post(f"{BASE}/enterprises/farm/move", json={"peer_id": region.peer("a", "c").id})
    assert (offer.status_code, offer.json()["state"]) == (201, "offered")
    region.work()
    (move,) = operator.get(f"{BASE}/moves").json()["items"]
    assert ann.post(f"{BASE}/moves/{move['id']}/accept").status_code == 409  # the operator has not agreed
    naming = operator.post(f"{BASE}/moves/{move['id']}/owner", json={"person_id": "ann-at-c"})
    assert naming.json()["state"] == "named"
    assert ann.post(f"{BASE}/moves/{move['id']}/accept").json()["state"] == "accepted"
    region.work()
    assert operator.get(f"{BASE}/moves").json()["items"][0]["state"] == "done"
    stranger = TestClient(make_app(region["a"].instance), follow_redirects=False)
    response = stranger.get("/api/dfc/enterprises/farm")
    assert (response.status_code, response.headers["location"]) == (308, "https://c.example/api/dfc/enterprises/farm")


def test_only_who_could_offer_it_calls_it_off(farm: Producer, region: Region) -> None:
    owner = client_of(region, "a", "ann-at-a", {"members:write", "enterprise:read"})
    offer = owner.post(f"{BASE}/enterprises/farm/move", json={"peer_id": region.peer("a", "c").id}).json()
    stranger = TestClient(make_app(region["a"].instance))
    assert stranger.post(f"{BASE}/enterprises/farm/moves/{offer['id']}/cancel").status_code == 401
    cancelled = owner.post(f"{BASE}/enterprises/farm/moves/{offer['id']}/cancel")
    assert cancelled.json()["state"] == "cancelled"


def test_a_recovery_key_is_shown_once_and_moves_the_enterprise(farm: Producer, region: Region) -> None:
    hub = Hub(region, "b")
    farm.grant(hub)
    owner = client_of(region, "a", "ann-at-a", {"members:write"})
    key = owner.post(f"{BASE}/enterprises/farm/recovery-key").json()
    assert key["key"].startswith("did:key:z6Mk")
    region.work()
    new_farm = Producer(region, "c", "farm-anew", on_hand="30")
    with new_farm.write() as tx:
        member = {"enterprise_id": "farm-anew", "person_id": "ann-at-c", "role": "owner", "since": tx.now}
        tx.execute(insert(enterprise_member), member)
    ann = client_of(region, "c", "ann-at-c", {"members:write"})
    body = {"old_iri": farm.iri, "secret": key["key"]}
    refusal = ann.post(f"{BASE}/enterprises/farm-anew/recover", json=body)  # its public half
    assert (refusal.status_code, refusal.json()["errors"][0]["pointer"]) == (422, "/secret")
    assert ann.post(f"{BASE}/enterprises/farm-anew/recover", json={**body, "secret": key["secret"]}).status_code == 201
    region.work()
    assert states(region)["b"] == ["following quarantined"]
    objected = owner.post(f"{BASE}/enterprises/farm/contest", json={"moved_to": new_farm.iri})
    assert objected.status_code == 204
    region.work()
    assert states(region)["b"] == ["following contested"]


def test_the_owner_of_the_hub_that_keeps_it_calls_it_off_also_while_it_is_frozen(
    farm: Producer, region: Region
) -> None:
    store = region["a"].instance.store
    with store.write() as tx:
        a_shop(tx, "hub")
        of_farm = update(enterprise_member).where(enterprise_member.c.enterprise_id == "farm")
        tx.execute(of_farm.values(enterprise_id="hub", role="packer"))
        tx.execute(update(enterprise).where(enterprise.c.id == "farm").values(kept_by="hub"))
    people = {
        role: add_operator(store, email=f"{role}@example.org", name=role, password="a long enough one", language="en")
        for role in ("owner", "manager")
    }
    with store.write() as tx:
        for role, person in people.items():
            row = {"enterprise_id": "hub", "person_id": person.id, "role": role, "since": tx.now}
            tx.execute(insert(enterprise_member), row)
    owner, manager = (
        client_of(region, "a", person.id, {"members:write", "enterprise:read"}) for person in people.values()
    )
    offer = owner.post(f"{BASE}/enterprises/farm/move", json={"peer_id": region.peer("a", "c").id}).json()
    with store.write() as tx:
        frozen = take_off_sale(tx, "farm")
        set_move(tx, move_by_id(tx, offer["id"]), state="frozen", said=frozen.said)
    cancel_url = f"{BASE}/enterprises/farm/moves/{offer['id']}/cancel"
    assert manager.post(cancel_url).status_code == 403
    assert owner.post(cancel_url).json()["state"] == "cancelled"
    assert owner.get("/api/enterprises/farm").status_code == 200


@pytest.mark.parametrize("role", ["packer", "accountant", "manager"])
def test_members_who_could_not_offer_it_do_not_call_it_off(farm: Producer, region: Region, role: str) -> None:
    store = region["a"].instance.store
    owner = client_of(region, "a", "ann-at-a", {"members:write", "enterprise:read"})
    offer = owner.post(f"{BASE}/enterprises/farm/move", json={"peer_id": region.peer("a", "c").id}).json()
    member = add_operator(store, email="m@example.org", name="M", password="a long enough one", language="en").id
    with store.write() as tx:
        row = {"enterprise_id": "farm", "person_id": member, "role": role, "since": tx.now}
        tx.execute(insert(enterprise_member), row)
    at_work = client_of(region, "a", member, {"members:write", "enterprise:read"})
    cancel_url = f"{BASE}/enterprises/farm/moves/{offer['id']}/cancel"
    assert at_work.post(cancel_url).status_code == 403
    assert owner.post(cancel_url).json()["state"] == "cancelled"


def test_who_may_only_read_the_enterprise_does_not_call_it_off(farm: Producer, region: Region) -> None:
    """A hub to which the producer has granted ReadEnterprise holds enterprise:read there."""
    store = region["a"].instance.store
    owner = client_of(region, "a", "ann-at-a", {"members:write", "enterprise:read"})
    offer = owner.post(f"{BASE}/enterprises/farm/move", json={"peer_id": region.peer("a", "c").id}).json()
    of_hub = add_operator(store, email="h@example.org", name="H", password="a long enough one", language="en").id
    with store.write() as tx:
        a_shop(tx, "hub")
        row = {"enterprise_id": "hub", "person_id": of_hub, "role": "owner", "since": tx.now}
        tx.execute(insert(enterprise_member), row)
        grant(tx, "farm", "hub", "ReadEnterprise")
    hub = client_of(region, "a", of_hub, {"members:write", "enterprise:read"})
    assert hub.get("/api/enterprises/farm").status_code == 200
    assert hub.post(f"{BASE}/enterprises/farm/moves/{offer['id']}/cancel").status_code in (403, 404)
