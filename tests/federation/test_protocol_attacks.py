"""Attacks on what is traded: 29 to 33, 35, 37, 39 and 40 of the list.

Each is followed by a canary: without the defence it would succeed.
"""

from __future__ import annotations

import ast
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

import commensal_federation
from commensal import StockLot, insert_once, products_by_id
from commensal.base.clock import ManualClock
from commensal.trade.products import content
from commensal.trade.stock.lending import settle_lent
from commensal_federation.catalogue.copies import store_items
from commensal_federation.delivery.inbox import inbox, receiving
from commensal_federation.delivery.outbox import breaker, push_results
from commensal_federation.delivery.outbox.push_results import judge
from commensal_federation.delivery.tables import federation_outbox
from commensal_federation.delivery.values import Receipt
from commensal_federation.dfc.findings import UnreadableDocument
from commensal_federation.dfc.iris import lot_iri
from commensal_federation.handlers import TYPES
from commensal_federation.leases import handlers as lease_handlers
from commensal_federation.leases import holder
from commensal_federation.leases.lendable import lendable_lot
from commensal_federation.leases.row import lease_by_id
from commensal_federation.messages import Refuse, Wait
from commensal_federation.messages.bodies.leases import LeaseGrant, LeaseRequest
from commensal_federation.messages.bodies.orders import InstanceOrder, OrderAnswer, OrderUpdate, SaidLine
from commensal_federation.messages.lots import CONTEXT
from commensal_federation.messages.types import Reading, Received, Writing
from commensal_federation.orders import answers as order_answers
from commensal_federation.orders import supplier
from commensal_federation.orders.questions import orders_of
from commensal_federation.orders.supplier import take_order
from commensal_federation.peering import requests
from commensal_federation.peering.requests import receive_request
from commensal_federation.peers.changing import change_peer
from commensal_federation.peers.values import Peer
from commensal_federation.signing import Unreadable
from commensal_federation.transport import Answer

from .conftest import NewRegion
from .trading import Hub, Place, Producer, clock_of, minutes

Say = Callable[..., str]


def nothing(*_: Any, **__: Any) -> None:
    """What is left of a check that is taken out."""


@pytest.fixture
def farm(new_region: NewRegion) -> Producer:
    region = new_region("a", "b")
    region.befriend("a", "b")
    return Producer(region, "a")


@pytest.fixture
def hub(farm: Producer) -> Hub:
    hub = Hub(farm.region, "b")
    farm.grant(hub)
    return hub


# ------------------------------------------------------------------------------------------------ 29: poison graphs


def clique(nodes: int) -> list[dict[str, Any]]:
    """Blank nodes that all know all others: canonicalising them as RDF takes factorial time."""
    names = [f"_:b{number}" for number in range(nodes)]
    return [{"@id": name, "dfc-b:knows": [{"@id": other} for other in names if other != name]} for name in names]


def test_29_a_poison_graph_costs_no_more_than_its_bytes(forger: Any) -> None:
    poison = {"@context": "https://w3id.org/dfc/ontology/context/context_1.16.0.json", "@graph": clique(40)}
    body = forger.signed(type="CatalogueUpsert", lane="catalogue", object=poison)
    begun = time.process_time()
    assert forger.status(body)[0] == 422
    assert time.process_time() - begun < 1, "PyLD needs five seconds for seven nodes, and for ever for ten"


def canonicalisers(sources: Iterable[Path]) -> list[str]:
    """Files that canonicalise RDF. JSON-LD is only ever expanded, by contexts of our own."""
    found = []
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "jsonld" and node.attr
            brought = isinstance(node, ast.Import) and {alias.name for alias in node.names}
            if called in ("normalize", "to_rdf") or (brought and brought & {"rdflib", "pyoxigraph"}):
                found.append(path.name)
    return found


def test_29_nothing_here_canonicalises_rdf(tmp_path: Path) -> None:
    package = Path(commensal_federation.__file__).parent
    assert canonicalisers(package.rglob("*.py")) == []
    planted = tmp_path / "proof_of_rdf.py"
    planted.write_text("from pyld import jsonld\njsonld.normalize({})\n", encoding="utf-8")
    assert canonicalisers([planted]) == ["proof_of_rdf.py"]


# ------------------------------------------------------------------------------------------------ 30: scripts


def test_30_a_script_in_a_description_is_not_kept(farm: Producer, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are text, which every template escapes; descriptions are HTML, and cleaned when they come in."""
    script = "<script>alert(1)</script>"

    def kept(rev: int) -> str:
        told = sent_of(farm, "CatalogueUpsert")
        (item,) = told.items
        spoiled = replace(item, rev=rev, product=replace(item.product, description=f"<p onclick='x'>Ripe</p>{script}"))
        with hub.write() as tx:
            store_items(hub.federation, tx, peer_of(farm, at="b"), replace(told, items=(spoiled,)))
            (product,) = products_by_id(tx, [listing.product_id for listing in hub.received(farm)]).values()
        return product.description

    assert kept(2) == "<p>Ripe</p>"
    monkeypatch.setattr(content, "clean_html", lambda text: text)
    assert script in kept(3)


def sent_of(place: Place, type: str) -> Any:
    """The body of the last message of this type that the place's instance has sent."""
    box = federation_outbox.c
    with place.read() as tx:
        wanted = select(box.body).where(box.type == type).order_by(box.epoch.desc(), box.seq.desc())
        said = json.loads(tx.value(wanted.limit(1)))
    return TYPES[type].read(said["object"], Reading("https://b.example", "https://a.example"))


def peer_of(place: Place, *, at: str) -> Peer:
    """The other instance, as it stands at this one."""
    return place.region.peer(at, "a" if at == "b" else "b")


# ------------------------------------------------------------------------------------------------ 31, 32: numbers


class Forgetful:
    """A store that knows no message again: whatever comes is a row of its own."""

    def __init__(self) -> None:
        self.count = 0

    def insert_once(self, tx: Any, table: Any, row: dict[str, Any]) -> bool:
        self.count += 1
        return insert_once(tx, table, {**row, "id": f"{row['id']}?{self.count}", "seq": row["seq"] + 1000 * self.count})


def test_31_without_lasting_uniqueness_a_message_would_count_twice(
    forger: Any, notes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = forger.signed("one")
    assert forger.status(body)[0] == 202
    first = json.loads(body)
    other = forger.signed("two", id=first["id"], seq=first["seq"], prev=None)
    assert forger.status(body) == (200, "known")
    assert forger.status(other) == (409, "id")
    assert notes.at(forger.region["b"]) == ["one"]
    monkeypatch.setattr(inbox, "insert_once", Forgetful().insert_once)
    forger.status(body)
    forger.status(other)
    assert notes.at(forger.region["b"]) == ["one", "one", "two"]


def test_32_without_the_pull_a_gap_would_stay(
    forger: Any, notes: Any, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    region = forger.region
    say("a", "b", "lost on the way")
    region.wires.before = lambda origin, request: Answer(503) if request.url.endswith("/inbox") else None
    region.work("a")
    region.wires.before = lambda origin, request: None
    with region["a"].instance.store.read() as tx:
        (row,) = tx.all(select(federation_outbox.c.body).where(federation_outbox.c.type == "OrderNote"))
    lost = json.loads(row["body"])
    with monkeypatch.context() as without:
        without.setattr(inbox, "promise_pull", nothing)
        assert forger.status(forger.signed("after", seq=lost["seq"] + 1, prev=None))[0] == 202
        region.work("b")
        assert notes.at(region["b"]) == ["after"]
    assert forger.status(forger.signed("later", seq=lost["seq"] + 2, prev=None))[0] == 202
    region.work("b")
    assert notes.at(region["b"]) == ["after", "later", "lost on the way"]


def test_32_without_the_announcement_a_peers_numbers_could_begin_anew(
    forger: Any, notes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = forger.signed("early", epoch=forger.region.peer("b", "a").epoch_seen + 1, seq=1)
    assert forger.status(early) == (425, "epoch")
    monkeypatch.setattr(inbox.Intake, "_begin_epoch", nothing)
    assert forger.status(early)[0] == 202


# ------------------------------------------------------------------------------------------------ 33, 35: orders


def the_order(farm: Producer, hub: Hub, **changed: Any) -> OrderUpdate:
    """What the hub would say: two crates, in the revision and at the price in which they were offered."""
    (item,) = sent_of(farm, "CatalogueUpsert").items
    line = SaidLine(
        item_iri=item.item.iri, offer_iri=item.offer.iri, rev=item.rev, name="Apples", price=item.offer.price.amount,
        quantity=2,
    )  # fmt: skip
    names = {"price": "price", "quantity": "quantity", "rev_of_line": "rev"}
    of_line = {name: changed.pop(said) for said, name in names.items() if said in changed}
    base = "https://b.example/api/dfc"
    whole = OrderUpdate(
        iri=f"{base}/orders/1", buyer=hub.iri, supplier=farm.iri, session_iri=f"{base}/sale_sessions/1",
        session_name="Thursday", closes_at=clock_of(farm.region).now() + timedelta(days=1), begins_at=None,
        currency="EUR", state="Held", rev=1, lines=(replace(line, **of_line),),
    )  # fmt: skip
    return replace(whole, **changed)


def hear(farm: Producer, said: OrderUpdate) -> None:
    with farm.write() as tx:
        take_order(farm.federation, tx, peer_of(farm, at="a"), said)


def states(farm: Producer) -> list[tuple[str, int]]:
    with farm.read() as tx:
        return [(order.state, order.rev) for order in orders_of(tx, farm.id)]


def test_33_an_order_that_was_cancelled_before_it_came_stays_so(
    farm: Producer, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The phantom cancel: the cancellation overtakes the order, which must not come to life when it arrives."""
    hear(farm, the_order(farm, hub, state="Cancelled", rev=2))
    hear(farm, the_order(farm, hub))
    hear(farm, the_order(farm, hub, state="Cancelled", rev=2))
    assert states(farm) == [("Cancelled", 2)]
    with pytest.raises(Refuse, match="cannot come back"):
        hear(farm, the_order(farm, hub, state="Complete", rev=3))
    monkeypatch.setattr(supplier, "_refuse_turning_back", nothing)
    hear(farm, the_order(farm, hub, state="Complete", rev=3))
    assert states(farm) == [("Complete", 3)]


def test_33_an_order_that_is_complete_cannot_be_held_again(
    farm: Producer, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hear(farm, the_order(farm, hub, state="Complete"))
    hear(farm, the_order(farm, hub, state="Complete"))  # said twice
    with pytest.raises(Refuse, match="cannot grow"):
        hear(farm, the_order(farm, hub, rev=2))
    assert states(farm) == [("Complete", 1)]
    monkeypatch.setattr(supplier, "_refuse_turning_back", nothing)
    hear(farm, the_order(farm, hub, rev=2))
    assert states(farm) == [("Held", 2)]


def test_33_an_answer_to_an_order_that_was_never_placed_is_refused(
    farm: Producer, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_answer = OrderAnswer(iri="https://b.example/api/dfc/orders/none", answer=1, rev=1, lines=())
    taken: list[str] = []
    with hub.write() as tx:
        with pytest.raises(Refuse, match="no such order"):
            order_answers.take_answer(hub.federation, tx, peer_of(farm, at="b"), order_answer)
        monkeypatch.setattr(order_answers, "order_by_iri", lambda tx, iri: _blank(hub))
        monkeypatch.setattr(order_answers, "update_order", lambda *_, **__: taken.append("kept"))
        order_answers.take_answer(hub.federation, tx, peer_of(farm, at="b"), order_answer)
    assert taken == ["kept"]


def _blank(hub: Hub) -> InstanceOrder:
    """An order of which nothing is known: what whoever does not look it up would work with."""
    plain = dict.fromkeys((field.name for field in fields(InstanceOrder)), "")
    peer = hub.region.peer("b", "a")
    return InstanceOrder(**{**plain, "role": "buyer", "peer_id": peer.id, "answer": 0, "rev": 0, "lines": ()})  # type: ignore[arg-type]


def test_33_a_grant_that_overtakes_a_forced_return_waits_for_it(
    farm: Producer, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Confirm before Reserve: counts of an epoch that has not begun here would be added to those of the old one."""
    item = hub.sell(farm)
    hub.order(item, 3)
    free, (lease,) = hub.lot(farm).free, hub.leases()
    early = LeaseGrant(
        lot=f"https://a.example/api/dfc/stocks/{farm.product.lot_id}", unit="Piece", epoch=2,
        granted=lease.granted + 50, until=clock_of(farm.region).now(), beyond=Decimal(0),
    )  # fmt: skip
    with pytest.raises(Wait), hub.write() as tx:
        holder.take_grant(hub.federation, tx, peer_of(farm, at="b"), early)
    assert hub.lot(farm).free == free
    with hub.write() as tx:
        holder.take_grant(hub.federation, tx, peer_of(farm, at="b"), replace(early, epoch=1))  # its epoch unread
    assert hub.lot(farm).free == free + 50


IMPOSSIBLE = {
    "below zero": ({"quantity": -1}, "_refuse_quantity"),
    "huge": ({"quantity": 10**7}, "_refuse_quantity"),
    "cheaper than it was offered": ({"price": 1}, "_refuse_other_price"),
    "dearer than it was offered": ({"price": 99_999}, "_refuse_other_price"),
    "in another currency": ({"currency": "CHF"}, "_refuse_other_currency"),
}


@pytest.mark.parametrize(("changed", "defence"), IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_35_an_order_that_cannot_be_is_refused(
    farm: Producer, hub: Hub, changed: dict[str, Any], defence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Refuse):
        hear(farm, the_order(farm, hub, **changed))
    assert states(farm) == []
    monkeypatch.setattr(supplier, defence, nothing)
    try:
        hear(farm, the_order(farm, hub, **changed))
    except IntegrityError:
        assert changed["quantity"] < 0, "the database would have refused that, too"
    else:
        assert states(farm) == [("Held", 1)]


def test_35_a_hub_has_one_order_for_a_sale(farm: Producer, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hear(farm, the_order(farm, hub))
    second = the_order(farm, hub, iri="https://b.example/api/dfc/orders/2")
    with pytest.raises(Refuse, match="another order"):
        hear(farm, second)
    monkeypatch.setattr(supplier, "order_between", nothing)
    with pytest.raises(IntegrityError):  # the database would have refused that, too
        hear(farm, second)


@pytest.mark.parametrize("rev", [0, 2, 999_999])
def test_35_a_price_of_a_revision_that_never_was_is_refused(
    farm: Producer, hub: Hub, rev: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the look at the revision, a hub could order at any price that there will ever be."""
    with pytest.raises(Refuse, match="in that revision"):
        hear(farm, the_order(farm, hub, rev_of_line=rev))
    assert states(farm) == []
    offered = vars(supplier)["_offered_price"]
    monkeypatch.setattr(supplier, "_offered_price", lambda tx, grant, item_id, rev: offered(tx, grant, item_id, 1))
    hear(farm, the_order(farm, hub, rev_of_line=rev))
    assert states(farm) == [("Held", 1)]


@pytest.mark.parametrize("quantity", ["1.5", "NaN", "", "9" * 30])
def test_35_a_quantity_that_is_no_number_of_pieces_is_not_read(farm: Producer, hub: Hub, quantity: str) -> None:
    """Neither in orders nor in leases: so no handler sees it."""
    order = json.dumps(TYPES["OrderUpdate"].write(the_order(farm, hub), Writing("https://b.example", "")))
    forged = json.loads(order.replace('"2"', json.dumps(quantity)))
    with pytest.raises((Unreadable, UnreadableDocument)):
        TYPES["OrderUpdate"].read(forged, Reading("https://a.example", "https://b.example"))
    asked = {"dfc-b:hasUnit": {"@id": "dfc-m:Piece"}, "dfc-b:value": quantity}
    document = {"@context": CONTEXT, "@type": ["dfc-b:TheoriticalStock", "LeaseRequest"], "@id": "x", "least": quantity}
    if quantity not in ("1.5",):  # of what is weighed, that is a quantity
        with pytest.raises(Unreadable):
            read_lease({**document, "dfc-b:hasQuantity": asked})


def read_lease(document: dict[str, Any]) -> Any:
    return TYPES["LeaseRequest"].read(document, Reading("https://a.example", "https://b.example"))


def test_35_a_lease_in_another_unit_is_refused(farm: Producer, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kilogram for a piece would be a thousand pieces."""

    def ask(unit: str) -> None:
        request = LeaseRequest(
            lot=lot_iri("https://a.example", farm.product.lot_id), unit=unit, least=Decimal(1), hoped=Decimal(1)
        )
        with farm.write() as tx:
            lease_handlers.handle_lease_request(farm.federation, tx, _heard(farm, request))

    with pytest.raises(Refuse, match="counted in Piece"):
        ask("Kilogram")
    assert farm.lot.lent == 0
    in_kilograms = partial(_in_kilograms, lendable_lot)
    monkeypatch.setattr(lease_handlers, "lendable_lot", in_kilograms)
    ask("Kilogram")
    assert farm.lot.lent == 1


def _in_kilograms(look: Callable[..., StockLot], *given: Any) -> StockLot:
    return replace(look(*given), unit="Kilogram")


def _heard(farm: Producer, body: Any) -> Received:
    return Received(
        id="https://b.example/-/federation/messages/1", type="LeaseRequest", peer=peer_of(farm, at="a"),
        on_behalf_of=None, in_reply_to=None, lane="order", epoch=1, seq=1, published=clock_of(farm.region).now(),
        expires=None, body=body, document={},
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------ 37: who may


def test_37_without_scopes_a_peer_could_do_anything(forger: Any, notes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    b = forger.region["b"]
    with b.instance.store.write() as tx:
        change_peer(tx, forger.region.peer("b", "a").id, scopes_given=["catalogue.read"])
    assert forger.status(forger.signed("mine")) == (403, "scope")
    usual = b.messages["OrderNote"]
    monkeypatch.setitem(b.messages, "OrderNote", replace(usual, type=replace(usual.type, scope=None)))
    assert forger.status(forger.signed("mine"))[0] == 202


def test_37_without_its_limits_a_flood_of_requests_would_all_be_read(
    new_region: NewRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    region = new_region("a", "b")
    read: list[int] = []

    def reading(federation: Any, body: bytes) -> Any:
        read.append(1)
        raise Unreadable("no", "not read further")

    monkeypatch.setattr(requests, "_read", reading)
    for number in range(200):
        receive_request(region["b"], b"{}", f"192.0.2.{number % 20}")
    assert len(read) <= requests.MOST_OF_ALL
    read.clear()
    monkeypatch.setattr(requests, "MOST_OF_ADDRESS", 10**9)
    monkeypatch.setattr(requests, "MOST_OF_ALL", 10**9)
    for number in range(200):
        receive_request(region["b"], b"{}", f"192.0.2.{number % 20}")
    assert len(read) == 200


# ------------------------------------------------------------------------------------------------ 39: time and leases


def test_39_if_time_gave_units_back_they_would_be_sold_twice(farm: Producer, hub: Hub) -> None:
    """The reference measured nine units too many; here are as many as the hub holds."""
    item = hub.sell(farm)
    hub.order(item, 45)
    farm.region.cut("a", "b")
    clock_of(farm.region).advance(days=30)
    minutes(farm.region, 2)
    assert farm.lot.free + 45 <= 100, "what the hub has sold is not sold here as well"
    (lease,) = farm.leases()
    with farm.write() as tx:
        held = lease_by_id(tx, lease.id)
        assert settle_lent(tx, farm.product.lot_id, back=held.outstanding)
    assert farm.lot.free + 45 > 100


# ------------------------------------------------------------------------------------------------ 40: our own failures


def test_40_if_calls_of_a_peer_closed_its_breaker_it_would_look_healthy(
    forger: Any, say: Say, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    region = forger.region
    region.wires.before = lambda origin, request: Answer(503) if origin.endswith("b.example") else None
    say("b", "a", "hello")
    for _ in range(12):
        region.work("b")
        clock.advance(minutes=30)
    assert region.peer("b", "a").breaker == "open"
    assert forger.send(forger.signed()).status == 202
    assert region.peer("b", "a").breaker == "open"
    monkeypatch.setattr(receiving, "probe_soon", breaker.note_success)
    assert forger.send(forger.signed()).status == 202
    assert region.peer("b", "a").breaker == "closed"


def test_40_if_a_refusal_counted_as_delivered_the_message_would_be_lost(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = Answer(202, (), b'{"messages":[{"status":422,"code":"no"}]}')
    verdict = judge(answer, ["one"], "", clock.now())
    assert (verdict.delivered, [refusal.id for refusal in verdict.refused]) == ([], ["one"])

    class Lenient(Receipt):
        @property
        def taken(self) -> bool:
            return self.status < 500

    monkeypatch.setattr(push_results, "Receipt", Lenient)
    assert judge(answer, ["one"], "", clock.now()).delivered == ["one"]
