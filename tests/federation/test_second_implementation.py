"""A second implementation, which shares no code with this one, trades with it over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pyld import FrozenDocumentLoader, jsonld

from commensal.base.clock import ManualClock
from commensal.catalogs.items import add_item, remove_item
from commensal.catalogs.offers import set_price
from commensal.parts.serving.work import work_of
from commensal.products.products import create_product
from commensal.storage.jobs.failed import failed_jobs
from commensal.storage.jobs.run import run_due
from commensal.testing.instances import NOON, Instances, Plan
from commensal_federation.catalogue.grants import accept_grant, give_grant
from commensal_federation.delivery import post
from commensal_federation.delivery.alerts import alerts, dismiss_alert
from commensal_federation.delivery.lanes import lane_row
from commensal_federation.delivery.outbox.dead_letters import dead_letters
from commensal_federation.grants.questions import grants_between
from commensal_federation.identity import begin_identity
from commensal_federation.identity.rotation import rotate
from commensal_federation.messages.leases import LeaseRequest
from commensal_federation.peering import accept, invite
from commensal_federation.peers import SCOPES, peer_by_iri
from commensal_federation.runtime import Federation, federation_of
from commensal_federation.testing import Region, Wires

from ..ports import free_ports
from . import second as second_package
from .examples import instance_document
from .moves import farm_of_ann, move
from .restoring import Backup
from .second.hub import Grant, Hub
from .second.instance import CONTEXT, Instance, Peer, Refused, check_document
from .second.producer import Producer as SecondProducer
from .second.signing import Key, check_proof, check_request, hash_of, prove
from .serving import serving
from .trading import Hub as CommensalHub
from .trading import Producer, answer, assert_consistent, clock_of, close, customer_orders, minutes, only_order

VECTORS = Path(__file__).parents[2] / "federation" / "vectors" / "join-and-first-lease.json"


@pytest.fixture
def clock() -> ManualClock:
    """Starts at the present, since connections have time limits by the clock of the machine."""
    return ManualClock(datetime.now(UTC).replace(microsecond=0))


@pytest.fixture
def address() -> str:
    """The address at which the second implementation listens."""
    return f"127.0.0.1:{free_ports(1)[0]}"


@pytest.fixture(scope="module")
def instances(tmp_path_factory: pytest.TempPathFactory) -> Instances:
    return Instances(tmp_path_factory.mktemp("templates"))


@pytest.fixture
def region(tmp_path: Path, instances: Instances, clock: ManualClock, address: str) -> Iterator[Region]:
    """Two instances of Commensal, a and c, that serve on loopback; ``region.work()`` does their jobs."""
    ports = free_ports(2)
    addresses = [*(f"127.0.0.1:{port}" for port in ports), address]
    members = dict[str, Federation]()
    with ExitStack() as stack:
        for name, port in zip("ac", ports, strict=True):
            instance = instances.open(
                tmp_path / name,
                Plan(plugins=("federation",)),
                clock=clock,
                base_url=f"http://127.0.0.1:{port}",
                name=name,
                reaching=tuple(addresses),
            )
            stack.callback(instance.close)
            members[name] = federation_of(instance)
            begin_identity(members[name])
            stack.enter_context(serving(instance, port, jobs=False))
        works = {id(member.instance): work_of(member.instance) for member in members.values()}
        yield Region(Wires(), members, lambda instance: run_due(instance, works[id(instance)]))
        for federation in members.values():
            with federation.instance.store.read() as tx:
                assert [*failed_jobs(tx), *dead_letters(tx, "in"), *dead_letters(tx, "out"), *alerts(tx)] == []


@pytest.fixture
def second(address: str, clock: ManualClock) -> Iterator[Instance]:
    """The second implementation, which has no peers yet."""
    instance = Instance(f"http://{address}", "Second", clock.now)
    with instance.serving():
        yield instance
    assert instance.refusals == []


@pytest.fixture
def hub(second: Instance) -> Hub:
    return Hub(second, "north")


@pytest.fixture
def farm(region: Region) -> Producer:
    """On a, with crates of apples."""
    return Producer(region, "a")


def test_it_imports_nothing_of_commensal() -> None:
    for file in Path(second_package.__file__).parent.glob("*.py"):
        names = [line.split()[1] for line in file.read_text().splitlines() if line.startswith(("import ", "from "))]
        assert not [name for name in names if name.startswith(("commensal", "tests", ".."))], file


def test_it_finds_what_terms_of_messages_mean(region: Region, second: Instance) -> None:
    """The address of the context does not resolve, so each instance serves the terms it names."""
    answer = second.http.get(f"{region['a'].base}/-/federation/context")
    assert answer.headers["content-type"] == "application/ld+json"
    loader = FrozenDocumentLoader({CONTEXT: answer.json()})
    message = {"@context": CONTEXT, "type": "MoveAccept", "enterprise": "https://farm.example/1", "accepted": True}

    assert jsonld.expand(message, {"documentLoader": loader}) == [
        {
            "@type": [f"{CONTEXT}#MoveAccept"],
            f"{CONTEXT}#enterprise": [{"@id": "https://farm.example/1"}],
            f"{CONTEXT}#accepted": [{"@type": "http://www.w3.org/2001/XMLSchema#boolean", "@value": True}],
        }
    ]


def test_it_verifies_the_vectors_and_makes_the_same_proofs() -> None:
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    seeds = {id: bytes.fromhex(seed) for id, seed in vectors["privateKeys"].items()}
    keys = {id: Key(id, Ed25519PrivateKey.from_private_bytes(seed)) for id, seed in seeds.items()}
    public = {id: key.multikey()["publicKeyMultibase"] for id, key in keys.items()}
    last: dict[tuple[str, str], tuple[str, str]] = {}  # the id and the hash of the last message of each lane
    for exchange in vectors["exchanges"]:
        if exchange["url"].endswith("/.well-known/commensal"):
            check_document(json.loads(exchange["answer"]["body"]), exchange["url"])
            continue
        body = exchange["body"].encode()
        request = httpx.Request(exchange["method"], exchange["url"], headers=exchange["headers"], content=body)
        assert check_request(request, public, NOON)[0].startswith(exchange["from"])
        asked_messages = exchange["answer"]["body"].encode() if exchange["url"].endswith("/ask") else b""
        for line in [*body.splitlines(), *asked_messages.splitlines()]:
            message = json.loads(line)
            check_proof(message, public)
            key = keys[message.pop("proof")["verificationMethod"]]
            assert prove(message, key, NOON) == json.loads(line)
            previous = last.get((message["actor"], message["lane"]), ("", ""))
            assert message["id"] == previous[0] or message.get("prev", "") == previous[1]
            last[message["actor"], message["lane"]] = (message["id"], hash_of(line))
    assert {lane for _, lane in last} == {"peering", "catalogue", "order"}


def test_it_asks_to_trade_and_both_are_peers(region: Region, second: Instance) -> None:
    a = region["a"]
    peer = second.request_peering(a.base, sorted(SCOPES))
    accept(a, peer_id(a, second), SCOPES)
    region.work()

    assert peer.agreed
    assert peer.scopes_received == set(SCOPES)
    assert state(a, second) == "accepted"


def test_its_document_has_the_members_of_one_of_commensal(region: Region, second: Instance) -> None:
    own_document = second.http.get(region["a"].iri).json()
    for document in (second.document(), instance_document()):
        assert document.keys() == own_document.keys()
        assert document["keySet"].keys() == own_document["keySet"].keys()


def test_nobody_joins_it_without_its_operator(second: Instance) -> None:
    """The requesting instance cannot consent in the operator's place, whatever nonce it repeats."""
    stranger = Instance("http://127.0.0.1:9", "Stranger", second.now)
    peer = stranger.request_peering(second.base, sorted(SCOPES))
    acceptance = {"type": "PeerAccept", "nonce": peer.nonce_sent, "scopesGiven": sorted(SCOPES)}
    with pytest.raises(Refused, match="We have asked for nothing of that nonce"):
        stranger.send(peer, "PeerAccept", "peering", acceptance)

    assert not second.peers[stranger.iri].agreed
    stranger.http.close()
    second.refusals.clear()


def test_nobody_takes_the_place_of_a_peer(region: Region, second: Instance) -> None:
    befriend(region, second, "a")
    pinned = second.peers[region["a"].iri]
    impostor = Instance(region["a"].base, "A", second.now)
    with pytest.raises(Refused, match="its root key is another one"):
        impostor.request_peering(second.base, sorted(SCOPES))

    assert second.peers[region["a"].iri] is pinned
    impostor.http.close()
    second.refusals.clear()


def test_it_is_asked_to_trade_and_both_are_peers(region: Region, second: Instance) -> None:
    a = region["a"]
    invite(a, second.base, SCOPES)
    region.work()
    (peer,) = second.peers.values()
    second.accept_peering(peer, sorted(SCOPES))

    assert peer.scopes_received == set(SCOPES)
    assert state(a, second) == "accepted"


def test_it_follows_a_catalogue(region: Region, second: Instance, hub: Hub, farm: Producer) -> None:
    grant = grant_apples(farm, hub)

    (item,) = grant.items.values()
    assert (item.name, item.price, item.currency_unit, item.takes) == ("Apples", "20", "dfc-m:Euro", Decimal(1))

    with farm.write() as tx:
        set_price(tx, farm.id, farm.item, 2150)
    region.work()
    (item,) = grant.items.values()
    assert item.price == "21.5"


def test_it_leases_orders_and_is_confirmed(region: Region, hub: Hub, farm: Producer) -> None:
    grant = grant_apples(farm, hub)
    (item,) = grant.items.values()

    assert hub.lease(grant, item, 4) >= 4
    order = hub.order(grant, {item.iri: 4})
    region.work()
    assert only_order(farm).lines[0].quantity == 4

    hub.order(grant, {item.iri: 4}, "Complete")
    region.work()
    assert order.answers == {item.iri: ("confirmed", 4)}


def test_it_is_shortened_and_gives_the_rest_back(region: Region, hub: Hub, farm: Producer) -> None:
    grant = grant_apples(farm, hub)
    (item,) = grant.items.values()
    hub.lease(grant, item, 4)
    order = hub.order(grant, {item.iri: 4}, "Complete")
    region.work()

    answer(farm, 3)
    assert order.answers == {item.iri: ("shortened", 3)}
    hub.accept_answer(grant)
    region.work()

    assert only_order(farm).lines[0].quantity == 3
    (lease,) = farm.leases()
    assert lease.granted - lease.returned == 3
    assert farm.lot.on_hand == 99
    assert_consistent(region)


def test_it_takes_up_with_an_instance_that_was_restored(
    region: Region, hub: Hub, farm: Producer, tmp_path: Path
) -> None:
    """The restored instance learns from it what it has forgotten, and begins a new epoch."""
    grant = grant_apples(farm, hub)
    (item,) = grant.items.values()
    backup = Backup(farm, tmp_path)
    granted_units = hub.lease(grant, item, 4)
    hub.order(grant, {item.iri: 4})
    region.work()
    backup.restore()
    minutes(region, 3)

    (lease,) = farm.leases()
    assert lease.granted == granted_units
    assert only_order(farm).lines[0].quantity == 4
    assert count_received(hub, "EpochStart") == 1
    assert hub.lease(grant, item, 2) >= 2
    order = hub.order(grant, {item.iri: 6}, "Complete")
    region.work()
    assert order.answers == {item.iri: ("confirmed", 6)}
    assert_consistent(region)


def test_it_gives_back_what_others_need(region: Region, hub: Hub) -> None:
    farm = Producer(region, "a", on_hand="10")
    grant = grant_apples(farm, hub)
    (item,) = grant.items.values()
    hub.lease(grant, item, 6)
    hub.order(grant, {item.iri: 1})
    hub.report(grant, grant.leases[item.lot])
    region.befriend("a", "c")
    other_hub = CommensalHub(region, "c")
    farm.grant(other_hub)
    other_hub.sell(farm)
    region.work()

    lease_request = LeaseRequest(lot=item.lot, unit="Piece", least=Decimal(8), hoped=Decimal(8))
    with other_hub.write() as tx:
        post(region["c"], tx, region.peer("c", "a").id, "LeaseRequest", lease_request)
    region.work()

    assert count_received(hub, "LeaseRecall") == 1
    assert {lease.granted - lease.returned for lease in farm.leases()} == {Decimal(2), Decimal(8)}
    assert_consistent(region)


def test_it_follows_a_producer_that_moves(region: Region, second: Instance, hub: Hub) -> None:
    farm = farm_of_ann(region)
    region.befriend("a", "c")
    grant = grant_apples(farm, hub)
    befriend(region, second, "c")
    (item,) = grant.items.values()
    hub.lease(grant, item, 4)
    hub.order(grant, {item.iri: 4})
    region.work()

    new_farm = move(farm)
    grant = hub.follow(hub.moves[farm.iri])
    region.work()
    (item,) = grant.items.values()
    hub.lease(grant, item, 2)
    order = hub.order(grant, {item.iri: 6}, "Complete")
    region.work()

    assert item.iri.startswith(region["c"].base)
    assert only_order(new_farm).lines[0].quantity == 6
    assert order.answers == {item.iri: ("confirmed", 6)}
    assert_consistent(region)


def test_it_fetches_what_it_was_not_sent(region: Region, hub: Hub, farm: Producer) -> None:
    grant = grant_apples(farm, hub)
    hub.instance.online = False
    with farm.write() as tx:
        set_price(tx, farm.id, farm.item, 2150)
    region.work()
    hub.instance.online = True
    hub.instance.catch_up(hub.instance.peers[grant.home], "catalogue")

    (item,) = grant.items.values()
    assert item.price == "21.5"


def test_commensal_fetches_what_it_was_not_sent(region: Region, hub: Hub, farm: Producer) -> None:
    grant = grant_apples(farm, hub)
    (item,) = grant.items.values()
    hub.lease(grant, item, 4)
    hub.instance.online = False
    hub.order(grant, {item.iri: 3})
    hub.instance.online = True
    hub.order(grant, {item.iri: 4})
    region.work()

    assert only_order(farm).rev == 2
    assert only_order(farm).lines[0].quantity == 4


def test_both_sum_up_the_catalogue_alike(region: Region, hub: Hub, farm: Producer) -> None:
    withdrawn_item = another_item(farm)
    grant = grant_apples(farm, hub)
    assert len(grant.offered()) == 2
    with farm.write() as tx:
        remove_item(tx, farm.id, withdrawn_item)
    pass_a_day(region)
    assert count_received(hub, "StateDigest") == 1
    assert count_sent(hub, grant, "StateRequest") == 0

    (item,) = grant.offered()
    grant.items.clear()
    pass_a_day(region)
    assert count_sent(hub, grant, "StateRequest") == 1
    assert grant.offered() == [item]


def test_both_go_on_under_new_keys(region: Region, hub: Hub, farm: Producer) -> None:
    grant = grant_apples(farm, hub)
    (item,) = grant.items.values()
    hub.instance.change_key()
    region.work()
    with farm.write() as tx:
        rotate(farm.federation, tx, at_once=True)
    minutes(region)

    assert count_received(hub, "KeyUpdate") == 1
    assert hub.lease(grant, item, 4) >= 4
    hub.order(grant, {item.iri: 4})
    hub.hand_over(grant, item, 1)
    region.work()
    (lease,) = farm.leases()
    assert lease.sold == 1


def test_what_is_proven_and_refused_has_used_its_number(region: Region, hub: Hub, farm: Producer) -> None:
    grant = grant_apples(farm, hub)
    farm_instance = hub.instance.peers[grant.home]
    with pytest.raises(Refused, match="422"):
        hub.instance.send(farm_instance, "LeaseRequest", "order", {"type": "LeaseRequest"})
    with pytest.raises(Refused, match="422"):
        hub.instance.send(farm_instance, "Poem", "order", {"type": "Poem"})
    (item,) = grant.items.values()
    assert hub.lease(grant, item, 4) >= 4
    region.work()

    assert cursor(farm, hub, "order") == 3
    assert [message["object"]["kept"] for message in hub.instance.received if message["type"] == "Problem"] == [
        False,
        False,
    ]


def test_what_is_not_proven_is_fetched_once_and_passed_over(region: Region, hub: Hub, farm: Producer) -> None:
    grant = grant_apples(farm, hub)
    (item,) = grant.items.values()
    hub.instance.key, true_key = Key(hub.instance.key.id, Ed25519PrivateKey.generate()), hub.instance.key
    hub.instance.online = False
    hub.order(grant, {item.iri: 3})
    hub.instance.online, hub.instance.key = True, true_key
    hub.lease(grant, item, 4)
    hub.order(grant, {item.iri: 4})
    region.work()

    assert cursor(farm, hub, "order") == 3
    assert only_order(farm).rev == 2
    with farm.write() as tx:
        dismiss_alert(tx, peer_id(farm.federation, hub.instance), "lost")  # raises if no person was alerted


def cursor(farm: Producer, hub: Hub, lane: str) -> int:
    """Returns the number up to which the farm's instance has received or skipped the messages of a lane."""
    with farm.read() as tx:
        row = lane_row(tx, peer_id(farm.federation, hub.instance), lane, "in")
    assert row is not None
    return int(row["seq"])


def test_its_own_goods_are_sold_by_a_hub_of_commensal(region: Region, second: Instance) -> None:
    pears: Any = SecondProducer(second, "pears")  # with an IRI, which is all that a hub here needs of a producer
    hub = CommensalHub(region, "a")
    befriend(region, second, "a")
    home = second.peers[region["a"].iri]
    pears.grant(home, hub.iri)
    with hub.write() as tx:
        (grant,) = grants_between(tx, enterprise_id=hub.id, direction="received", state="offered")
        accept_grant(hub.federation, tx, grant.id)
    hub.trust()
    region.work()
    item = hub.sell(pears)
    pears.change_price("11")
    assert [goods.price for goods in hub.received(pears)] == [1100]
    pears.say_digest(hub.iri)
    region.work()
    assert count_sent_to(home, "CatalogueUpsert") == 2  # so the digests agree

    hub.order(item, 4)
    minutes(region, 2)
    ((order_iri, order),) = pears.orders.items()
    assert (order.pieces, order.price, order.state) == (4, "11", "Held")
    close(region)
    assert pears.orders[order_iri].state == "Complete"
    pears.answer(home, order_iri, 3)
    region.work()

    assert [line.quantity for customers in customer_orders(hub) for line in customers.lines] == [3]
    minutes(region, 2)
    (lent_lease,) = pears.lent.values()
    assert lent_lease.granted - lent_lease.returned == 3
    assert_consistent(region)


def another_item(farm: Producer) -> str:
    with farm.write() as tx:
        product = create_product(
            tx,
            enterprise_id=farm.id,
            name="Pears",
            product_type="fruit",
            quantity=Decimal(1),
            unit="Piece",
            vat_rate=Decimal("5.5"),
            on_hand=Decimal(10),
        )
        item: str = add_item(tx, farm.id, f"{farm.id}-catalog", product.id).id
        set_price(tx, farm.id, item, 300)
    return item


def count_received(hub: Hub, type: str) -> int:
    return [message["type"] for message in hub.instance.received].count(type)


def count_sent(hub: Hub, grant: Grant, type: str) -> int:
    return count_sent_to(hub.instance.peers[grant.home], type)


def count_sent_to(peer: Peer, type: str) -> int:
    lanes = peer.sent.values()
    return [json.loads(message)["type"] for lane in lanes for message in lane.messages].count(type)


def pass_a_day(region: Region) -> None:
    clock_of(region).advance(days=1)
    minutes(region)


def grant_apples(farm: Producer, hub: Hub) -> Grant:
    """Makes the second implementation a peer of the farm's instance, and grants its hub the farm's apples."""
    farm.region.work()
    second = hub.instance
    befriend(farm.region, second, farm.at)
    with farm.write() as tx:
        give_grant(farm.federation, tx, farm.id, peer_id(farm.federation, second), hub.iri, "Hub")
    farm.region.work()
    (grant,) = hub.grants.values()
    hub.accept(grant)
    farm.region.work()
    return grant


def befriend(region: Region, second: Instance, name: str) -> None:
    second.request_peering(region[name].base, sorted(SCOPES))
    accept(region[name], peer_id(region[name], second), SCOPES)
    region.work()


def peer_id(at: Federation, second: Instance) -> str:
    with at.instance.store.read() as tx:
        peer = peer_by_iri(tx, second.iri)
    assert peer is not None
    return peer.id


def state(at: Federation, second: Instance) -> str:
    with at.instance.store.read() as tx:
        peer = peer_by_iri(tx, second.iri)
    assert peer is not None
    return peer.state
