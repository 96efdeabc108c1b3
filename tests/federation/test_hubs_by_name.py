"""Operators compare fingerprints before they agree, and producers grant to hubs by name, without carrying ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from typer.testing import CliRunner, Result

from commensal.base.errors import Conflict, Invalid
from commensal.enterprises.tables import enterprise_member
from commensal.enterprises.tokens import make_token
from commensal.instance import Instance
from commensal.parts.accounts.operators import add_operator
from commensal.parts.cli import app
from commensal.parts.serving.work import work_of
from commensal.people.actor import OPERATOR
from commensal.storage.jobs.run import run_due
from commensal.testing.instances import Instances, Plan
from commensal.testing.placed import a_shop
from commensal_federation.catalogue import commands, hubs
from commensal_federation.catalogue.hubs import PeerHub, fetch_hubs, hubs_named
from commensal_federation.grants.questions import grants_between
from commensal_federation.identity import begin_identity
from commensal_federation.peering import suspend
from commensal_federation.runtime import federation_of
from commensal_federation.testing import Region
from commensal_federation.transport import Answer

from ..ports import free_ports
from .serving import serving
from .trading import Hub, Producer, folder_at, region_of_peers

API = "/api/-/federation"
SCOPES = ["catalogue.read", "order.place", "stock.lease"]


class Desk:
    """An instance that serves on loopback, and its operator, who also runs the producer `farm` if there is one."""

    def __init__(self, instance: Instance, url: str) -> None:
        self.instance, self.url = instance, url
        person = add_operator(
            instance.store, email="ann@example.org", name="Ann", password="a long enough one", language="en"
        )
        self.person_id = person.id
        with instance.store.write() as tx:
            secret = make_token(
                tx, person.id, name="desk", scopes=frozenset({OPERATOR, "grants:read", "grants:write"})
            ).secret
        self.client = httpx.Client(base_url=url + API, headers={"Authorization": f"Bearer {secret}"})

    def post(self, path: str, **body: Any) -> httpx.Response:
        return self.client.post(path, json=body)

    def work(self) -> None:
        works = work_of(self.instance)
        while run_due(self.instance, works):
            pass


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[tuple[Desk, Desk]]:
    """Two instances that speak HTTP; their jobs run when a test says so."""
    ports = free_ports(2)
    reaching = tuple(f"127.0.0.1:{port}" for port in ports)
    instances = Instances(tmp_path)
    with ExitStack() as stack:
        desks = []
        for name, port in zip("ab", ports, strict=True):
            url = f"http://127.0.0.1:{port}"
            plan = Plan(plugins=("federation",))
            instance = instances.open(tmp_path / name, plan, base_url=url, name=name, reaching=reaching)
            stack.callback(instance.close)
            begin_identity(federation_of(instance))
            stack.enter_context(serving(instance, port, jobs=False))
            desks.append(Desk(instance, url))
            stack.callback(desks[-1].client.close)
        yield desks[0], desks[1]


def test_two_operators_agree_and_a_producer_ticks_hubs_by_name_over_http(desks: tuple[Desk, Desk]) -> None:
    a, b = desks
    preview = a.post("/peers/look", url=b.url).json()
    assert preview == {"url": b.url, "name": "b", "fingerprint": b.client.get("/keys").json()["fingerprint"]}
    assert a.client.get("/peers").json()["items"] == [], "who only looks stores nothing"
    refusal = a.post("/peers", url=b.url, scopes=SCOPES, fingerprint="12345 " * 8)
    assert (refusal.status_code, refusal.json()["code"]) == (409, "peer_fingerprint")
    assert a.post("/peers", url=b.url, scopes=SCOPES, fingerprint=preview["fingerprint"]).status_code == 201
    a.work()

    (asks,) = b.client.get("/peers").json()["items"]
    accept = f"/peers/{asks['id']}/accept"
    assert b.post(accept, scopes=SCOPES).status_code == 422, "nobody agrees without having compared"
    assert b.post(accept, scopes=SCOPES, fingerprint=" " * 40).status_code == 422
    refusal = b.post(accept, scopes=SCOPES, fingerprint="12345 " * 8)
    assert (refusal.status_code, refusal.json()["code"]) == (409, "peer_fingerprint")
    assert b.client.get(f"/peers/{asks['id']}").json()["state"] == "requested"
    heard = a.client.get("/keys").json()["fingerprint"]
    assert b.post(accept, scopes=SCOPES, fingerprint=heard).json()["state"] == "accepted"
    b.work()

    with a.instance.store.write() as tx:
        a_shop(tx, "farm", is_producer=True, name="The farm")
        tx.execute(
            enterprise_member.insert().values(enterprise_id="farm", person_id=a.person_id, role="owner", since=tx.now)
        )
    with b.instance.store.write() as tx:
        a_shop(tx, "paniers", name="Les Paniers", city="Crest")
        a_shop(tx, "ruche", name="La Ruche")
        a_shop(tx, "secret", name="Hidden hub", visibility="hidden")
        a_shop(tx, "orchard", name="An orchard", is_hub=False, is_producer=True)
    (peer,) = a.client.get("/enterprises/farm/peers").json()
    assert (peer["name"], peer["url"]) == ("b", b.url)
    hubs_url = f"/enterprises/farm/peers/{peer['id']}/hubs"
    assert [(row["hub"]["name"], row["hub"]["city"], row["grant"]) for row in a.client.get(hubs_url).json()] == [
        ("Les Paniers", "Crest", ""),
        ("La Ruche", "", ""),
    ]

    by_name = "/enterprises/farm/grants/by-name"
    refused = a.post(by_name, peer_id=peer["id"], hubs=["Les Paniers", "La Riche"])
    assert (refused.status_code, [error["pointer"] for error in refused.json()["errors"]]) == (422, ["/hubs/1"])
    assert a.client.get("/enterprises/farm/grants").json()["items"] == [], "all or none"
    granted = a.post(by_name, peer_id=peer["id"], hubs=["les  paniers", "La Ruche"], resell=True)
    assert [(grant["other_name"], grant["resell"]) for grant in granted.json()] == [
        ("Les Paniers", True),
        ("La Ruche", True),
    ]
    a.work()
    assert {row["grant"] for row in a.client.get(hubs_url).json()} == {"offered"}
    with b.instance.store.read() as tx:
        offered = grants_between(tx, direction="received", state="offered")
    assert sorted(grant.enterprise_id for grant in offered) == ["paniers", "ruche"]

    mistyped = f"{b.url}/api/dfc/enterprises/panier"
    grant = a.post("/enterprises/farm/grants", peer_id=peer["id"], hub=mistyped, name="Les Paniers").json()
    a.work()
    b.work()
    states = {
        row["id"]: (row["state"], row["reason"]) for row in a.client.get("/enterprises/farm/grants").json()["items"]
    }
    assert states[grant["id"]] == ("refused", "There is no such enterprise here.")


# ------------------------------------------------------------------------------------------------ a peer's list


@pytest.fixture
def region(new_region: Callable[..., Region]) -> Region:
    return region_of_peers(new_region, "ab")


def test_what_a_peer_lists_is_bounded_and_only_its_own(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    base = region["b"].base
    good = {"id": f"{base}/api/dfc/enterprises/hub", "name": "Hub", "city": "Crest"}
    lines = [
        {**good, "id": "https://c.example/api/dfc/enterprises/hub"},
        {**good, "id": f"{base}/api/dfc/offers/hub"},
        {**good, "name": 7},
        {**good, "name": " "},
        {"id": good["id"]},
        [],
        {**good, "name": "n" * 5000},
        good,
    ]
    body = b"{\n" + b"\n".join(msgspec.json.encode(line) for line in lines) + b"\n" + msgspec.json.encode(good) * 3
    region.wires.before = lambda origin, request: Answer(200, [], body) if request.url.endswith("/hubs") else None
    read = fetch_hubs(region["a"], region.peer("a", "b"))
    assert [(len(hub.name), hub.iri) for hub in read] == [(200, good["id"]), (3, good["id"])]
    many = b"\n".join([msgspec.json.encode(good)] * (hubs.MOST + 5))
    region.wires.before = lambda origin, request: Answer(200, [], many)
    assert len(fetch_hubs(region["a"], region.peer("a", "b"))) == hubs.MOST


def test_of_an_older_release_people_read_what_it_lacks_and_the_way_round(
    region: Region, farm: Producer, hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(commands, "federation_of", lambda _: region["a"])
    folder = folder_at(region, "a", tmp_path / "at-a")
    region.wires.before = lambda origin, request: Answer(404, [], b"") if request.url.endswith("/hubs") else None

    def run(*words: str) -> Result:
        return CliRunner().invoke(app, ["federation", "grant", *words, "--instance", str(folder)])

    said = "runs a release that does not say what hubs it has. Ask its operator to upgrade it to 0.2.0 or a newer one"
    assert said in str(run("hubs").exception)
    given = run("give", "farm", hub.iri, "--name", "Hub", "--peer", region["b"].base)
    assert "offered" in given.output, given.exception


def test_whoever_is_no_peer_at_present_sees_no_hubs(region: Region) -> None:
    with region["b"].instance.store.write() as tx:
        suspend(tx, region.peer("b", "a").id)
    with pytest.raises(Conflict, match="answered 403"):
        fetch_hubs(region["a"], region.peer("a", "b"))
    region.cut("a", "b")
    with pytest.raises(Conflict, match="cannot be reached"):
        fetch_hubs(region["a"], region.peer("a", "b"))


def test_two_hubs_of_one_name_are_told_apart_by_their_addresses() -> None:
    twins = [PeerHub(iri=f"https://b.example/{number}", name="Hub", city="") for number in (1, 2)]
    with pytest.raises(Invalid, match="Several hubs there are called"):
        hubs_named(twins, ["hub"])
    assert hubs_named(twins, [twins[1].iri, twins[1].iri]) == [twins[1]]


def test_a_command_grants_to_hubs_by_name(
    region: Region, farm: Producer, hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(commands, "federation_of", lambda _: region["a"])
    folder = folder_at(region, "a", tmp_path / "at-a")

    def run(*words: str) -> Result:
        return CliRunner().invoke(app, ["federation", "grant", *words, "--instance", str(folder)])

    assert hub.iri in run("hubs").output
    assert "There is no public hub hob there." in str(run("give", "farm", "hob").exception)
    assert "Name one of the instances" in str(run("give", "farm", "hub", "--peer", "nobody").exception)
    output = run("give", "farm", "hub", "--peer", region["b"].base)
    assert "offered" in output.output
    with farm.read() as tx:
        grants = grants_between(tx, enterprise_id="farm")
    assert [(grant.other_iri, grant.other_name, grant.state) for grant in grants] == [(hub.iri, "hub", "offered")]


def test_a_command_that_does_not_know_whose_hubs_are_meant_says_how_to_name_an_instance(
    new_region: Callable[..., Region], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    region = region_of_peers(new_region, "ab", "ac")
    monkeypatch.setattr(commands, "federation_of", lambda _: region["a"])
    folder = folder_at(region, "a", tmp_path / "at-a")
    for words, way in ((("give", "farm", "hub"), "grant give … --peer NAME"), (("hubs",), "grant hubs NAME")):
        result = CliRunner().invoke(app, ["federation", "grant", *words, "--instance", str(folder)])
        assert f"as in `{way}`: Instance B (https://b.example), Instance C (https://c.example)." in str(
            result.exception
        )
