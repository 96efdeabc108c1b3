"""Attacks 29 to 33, 35, 37, 39 and 40 of the list, on what is traded.

Each is followed by a canary: the attack succeeds without the defence.
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
from commensal import StockLot, insert_once
from commensal.base import fields as field_values
from commensal.base.clock import ManualClock
from commensal.parts.copies.lending import settle_lent
from commensal.products import products_by_id
from commensal_federation.catalogue.copies import store_items
from commensal_federation.delivery.inbox import inbox, receiving
from commensal_federation.delivery.outbox import breaker
from commensal_federation.delivery.outbox.breaker import judge
from commensal_federation.delivery.tables import federation_outbox
from commensal_federation.delivery.values import Receipt
from commensal_federation.dfc.findings import UnreadableDocument
from commensal_federation.dfc.iris import lot_iri
from commensal_federation.handlers import TYPES
from commensal_federation.leases import handlers as lease_handlers
from commensal_federation.leases import holder
from commensal_federation.leases.recalling import lendable_lot
from commensal_federation.leases.row import lease_by_id
from commensal_federation.messages import Refuse, Wait
from commensal_federation.messages.bodies.orders import InstanceOrder
from commensal_federation.messages.leases import CONTEXT, LeaseGrant, LeaseRequest
from commensal_federation.messages.order_answer import OrderAnswer
from commensal_federation.messages.order_update import OrderUpdate, UpdateLine
from commensal_federation.messages.types import Reading, Received, Writing
from commensal_federation.orders import answers as order_answers
from commensal_federation.orders import supplier
from commensal_federation.orders.questions import orders_of
from commensal_federation.orders.supplier import take_order
from commensal_federation.peering import requests
from commensal_federation.peering.requests import receive_request
from commensal_federation.peers.changing import change_peer
from commensal_federation.peers.peers import Peer
from commensal_federation.signing import Unreadable
from commensal_federation.transport import Answer

from .conftest import NewRegion
from .trading import Hub, Place, Producer, clock_of, minutes

Say = Callable[..., str]


def do_nothing(*_: Any, **__: Any) -> None:
    """Replaces a check, to show that the attack succeeds without it."""


@pytest.fixture
def farm(new_region: NewRegion) -> Producer:
    return Producer(new_region("a", "b", friends=("ab",)), "a")


@pytest.fixture
def hub(farm: Producer) -> Hub:
    hub = Hub(farm.region, "b")
    farm.grant(hub)
    return hub


# ------------------------------------------------------------------------------------------------ 29: poison graphs


def clique(nodes: int) -> list[dict[str, Any]]:
    """Blank nodes that all know each other: to canonicalise them as RDF takes factorial time."""
    names = [f"_:b{number}" for number in range(nodes)]
    return [{"@id": name, "dfc-b:knows": [{"@id": other} for other in names if other != name]} for name in names]


def test_29_a_poison_graph_costs_no_more_than_its_bytes(forger: Any) -> None:
    poison = {"@context": "https://w3id.org/dfc/ontology/context/context_1.16.0.json", "@graph": clique(40)}
    body = forger.signed(type="CatalogueUpsert", lane="catalogue", object=poison)
    started = time.process_time()
    assert forger.status(body)[0] == 422
    assert time.process_time() - started < 1, "PyLD needs five seconds for seven nodes, and for ever for ten"


def canonicalisers(sources: Iterable[Path]) -> list[str]:
    """Names the files that canonicalise RDF. JSON-LD is only expanded, with our own contexts."""
    files = []
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            attribute = isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "jsonld" and node.attr
            imported = isinstance(node, ast.Import) and {alias.name for alias in node.names}
            if attribute in ("normalize", "to_rdf") or (imported and imported & {"rdflib", "pyoxigraph"}):
                files.append(path.name)
    return files


def test_29_nothing_here_canonicalises_rdf(tmp_path: Path) -> None:
    package = Path(commensal_federation.__file__).parent
    assert canonicalisers(package.rglob("*.py")) == []
    bad_file = tmp_path / "proof_of_rdf.py"
    bad_file.write_text("from pyld import jsonld\njsonld.normalize({})\n", encoding="utf-8")
    assert canonicalisers([bad_file]) == ["proof_of_rdf.py"]


# ------------------------------------------------------------------------------------------------ 30: scripts


def test_30_a_script_in_a_description_is_not_kept(farm: Producer, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are text, which every template escapes; descriptions are HTML and are cleaned on receipt."""
    script = "<script>alert(1)</script>"

    def stored_description(rev: int) -> str:
        upsert = last_sent(farm, "CatalogueUpsert")
        (item,) = upsert.items
        bad_item = replace(
            item, rev=rev, statement="", product=replace(item.product, description=f"<p onclick='x'>Ripe</p>{script}")
        )
        with hub.write() as tx:
            store_items(hub.federation, tx, peer_of(farm, at="b"), replace(upsert, items=(bad_item,)))
            (product,) = products_by_id(tx, [listing.product_id for listing in hub.received(farm)]).values()
        return product.description

    assert stored_description(2) == "<p>Ripe</p>"
    monkeypatch.setattr(field_values, "clean_html", lambda text: text)
    assert script in stored_description(3)


def last_sent(place: Place, type: str) -> Any:
    """Returns the body of the last message of this type sent by the enterprise's instance."""
    box = federation_outbox.c
    with place.read() as tx:
        query = select(box.body).where(box.type == type).order_by(box.epoch.desc(), box.seq.desc())
        message = json.loads(tx.value(query.limit(1)))
    return TYPES[type].read(message["object"], Reading("https://b.example", "https://a.example"))


def peer_of(place: Place, *, at: str) -> Peer:
    """Returns the other instance as a peer of this one."""
    return place.region.peer(at, "a" if at == "b" else "b")


# ------------------------------------------------------------------------------------------------ 31, 32: numbers


class Forgetful:
    """A store that recognises no message: each is stored as a new row."""

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
    second = forger.signed("two", id=first["id"], seq=first["seq"], prev=None)
    assert forger.status(body) == (200, "known")
    assert forger.status(second) == (409, "id")
    assert notes.at(forger.region["b"]) == ["one"]
    monkeypatch.setattr(inbox, "insert_once", Forgetful().insert_once)
    forger.status(body)
    forger.status(second)
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
        without.setattr(inbox, "enqueue_pull", do_nothing)
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
    monkeypatch.setattr(inbox.Inbox, "_begin_epoch", do_nothing)
    assert forger.status(early)[0] == 202


# ------------------------------------------------------------------------------------------------ 33, 35: orders


def order_update(farm: Producer, hub: Hub, **changed: Any) -> OrderUpdate:
    """Returns an update of two crates at the revision and price of the offer, with `changed` applied."""
    (item,) = last_sent(farm, "CatalogueUpsert").items
    line = UpdateLine(
        item_iri=item.item.iri,
        offer_iri=item.offer.iri,
        rev=item.rev,
        name="Apples",
        price=item.offer.price.amount,
        quantity=2,
    )
    names = {"price": "price", "quantity": "quantity", "rev_of_line": "rev"}
    line_changes = {name: changed.pop(short_name) for short_name, name in names.items() if short_name in changed}
    base = "https://b.example/api/dfc"
    update = OrderUpdate(
        iri=f"{base}/orders/1",
        buyer=hub.iri,
        supplier=farm.iri,
        session_iri=f"{base}/sale_sessions/1",
        session_name="Thursday",
        closes_at=clock_of(farm.region).now() + timedelta(days=1),
        begins_at=None,
        currency="EUR",
        state="Held",
        rev=1,
        lines=(replace(line, **line_changes),),
    )
    return replace(update, **changed)


def receive_order(farm: Producer, update: OrderUpdate) -> None:
    with farm.write() as tx:
        take_order(farm.federation, tx, peer_of(farm, at="a"), update)


def order_states(farm: Producer) -> list[tuple[str, int]]:
    with farm.read() as tx:
        return [(order.state, order.rev) for order in orders_of(tx, farm.id)]


def test_33_an_order_that_was_cancelled_before_it_came_stays_so(
    farm: Producer, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The phantom cancel: the cancellation overtakes the order, which must not be revived when it arrives."""
    receive_order(farm, order_update(farm, hub, state="Cancelled", rev=2))
    receive_order(farm, order_update(farm, hub))
    receive_order(farm, order_update(farm, hub, state="Cancelled", rev=2))
    assert order_states(farm) == [("Cancelled", 2)]
    with pytest.raises(Refuse, match="cannot come back"):
        receive_order(farm, order_update(farm, hub, state="Complete", rev=3))
    monkeypatch.setattr(supplier, "_refuse_turning_back", do_nothing)
    receive_order(farm, order_update(farm, hub, state="Complete", rev=3))
    assert order_states(farm) == [("Complete", 3)]


def test_33_an_order_that_is_complete_cannot_be_held_again(
    farm: Producer, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive_order(farm, order_update(farm, hub, state="Complete"))
    receive_order(farm, order_update(farm, hub, state="Complete"))  # a second time
    with pytest.raises(Refuse, match="cannot grow"):
        receive_order(farm, order_update(farm, hub, rev=2))
    assert order_states(farm) == [("Complete", 1)]
    monkeypatch.setattr(supplier, "_refuse_turning_back", do_nothing)
    receive_order(farm, order_update(farm, hub, rev=2))
    assert order_states(farm) == [("Held", 2)]


def test_33_an_answer_to_an_order_that_was_never_placed_is_refused(
    farm: Producer, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_answer = OrderAnswer(iri="https://b.example/api/dfc/orders/none", answer=1, rev=1, lines=())
    updates: list[str] = []
    with hub.write() as tx:
        with pytest.raises(Refuse, match="no such order"):
            order_answers.take_answer(hub.federation, tx, peer_of(farm, at="b"), order_answer)
        monkeypatch.setattr(order_answers, "order_by_iri", lambda tx, iri: _blank(hub))
        monkeypatch.setattr(order_answers, "update_order", lambda *_, **__: updates.append("kept"))
        order_answers.take_answer(hub.federation, tx, peer_of(farm, at="b"), order_answer)
    assert updates == ["kept"]


def _blank(hub: Hub) -> InstanceOrder:
    """An order with blank fields: what a handler would use that does not look the order up."""
    blanks = dict.fromkeys((field.name for field in fields(InstanceOrder)), "")
    peer = hub.region.peer("b", "a")
    return InstanceOrder(**{**blanks, "role": "buyer", "peer_id": peer.id, "answer": 0, "rev": 0, "lines": ()})  # type: ignore[arg-type]


def test_33_a_grant_that_overtakes_a_forced_return_waits_for_it(
    farm: Producer, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Confirm before Reserve: counts of an epoch not yet begun here would be added to those of the old epoch."""
    item = hub.sell(farm)
    hub.order(item, 3)
    free, (lease,) = hub.lot(farm).free, hub.leases()
    early = LeaseGrant(
        lot=f"https://a.example/api/dfc/stocks/{farm.product.lot_id}",
        unit="Piece",
        epoch=2,
        granted=lease.granted + 50,
        until=clock_of(farm.region).now(),
        beyond=Decimal(0),
    )
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
        receive_order(farm, order_update(farm, hub, **changed))
    assert order_states(farm) == []
    monkeypatch.setattr(supplier, defence, do_nothing)
    try:
        receive_order(farm, order_update(farm, hub, **changed))
    except IntegrityError:
        assert changed["quantity"] < 0, "the database would have refused that, too"
    else:
        assert order_states(farm) == [("Held", 1)]


def test_35_a_hub_has_one_order_for_a_sale(farm: Producer, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    receive_order(farm, order_update(farm, hub))
    second_order = order_update(farm, hub, iri="https://b.example/api/dfc/orders/2")
    with pytest.raises(Refuse, match="another order"):
        receive_order(farm, second_order)
    monkeypatch.setattr(supplier, "order_between", do_nothing)
    with pytest.raises(IntegrityError):  # the database would refuse it too
        receive_order(farm, second_order)


@pytest.mark.parametrize("rev", [0, 2, 999_999])
def test_35_a_price_of_a_revision_that_never_was_is_refused(
    farm: Producer, hub: Hub, rev: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the revision were not checked, a hub could order at any future price."""
    with pytest.raises(Refuse, match="in that revision"):
        receive_order(farm, order_update(farm, hub, rev_of_line=rev))
    assert order_states(farm) == []
    offered = vars(supplier)["_offered"]
    monkeypatch.setattr(supplier, "_offered", lambda tx, grant, item_id, rev: offered(tx, grant, item_id, 1))
    receive_order(farm, order_update(farm, hub, rev_of_line=rev))
    assert order_states(farm) == [("Held", 1)]


@pytest.mark.parametrize("quantity", ["1.5", "NaN", "", "9" * 30])
def test_35_a_quantity_that_is_no_number_of_pieces_is_not_read(farm: Producer, hub: Hub, quantity: str) -> None:
    """This holds for orders and leases, so no handler sees such a quantity."""
    order = json.dumps(TYPES["OrderUpdate"].write(order_update(farm, hub), Writing("https://b.example", "")))
    forged_order = json.loads(order.replace('"2"', json.dumps(quantity)))
    with pytest.raises((Unreadable, UnreadableDocument)):
        TYPES["OrderUpdate"].read(forged_order, Reading("https://a.example", "https://b.example"))
    quantity_in_pieces = {"dfc-b:hasUnit": {"@id": "dfc-m:Piece"}, "dfc-b:value": quantity}
    document = {"@context": CONTEXT, "@type": ["dfc-b:TheoriticalStock", "LeaseRequest"], "@id": "x", "least": quantity}
    if quantity not in ("1.5",):  # fractions are allowed for goods that are weighed
        with pytest.raises(Unreadable):
            read_lease({**document, "dfc-b:hasQuantity": quantity_in_pieces})


def read_lease(document: dict[str, Any]) -> Any:
    return TYPES["LeaseRequest"].read(document, Reading("https://a.example", "https://b.example"))


def test_35_a_lease_in_another_unit_is_refused(farm: Producer, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kilogram taken for a piece would be a thousand pieces."""

    def request_lease(unit: str) -> None:
        request = LeaseRequest(
            lot=lot_iri("https://a.example", farm.product.lot_id), unit=unit, least=Decimal(1), hoped=Decimal(1)
        )
        with farm.write() as tx:
            lease_handlers.handle_lease_request(farm.federation, tx, _received(farm, request))

    with pytest.raises(Refuse, match="counted in Piece"):
        request_lease("Kilogram")
    assert farm.lot.lent == 0
    in_kilograms = partial(_in_kilograms, lendable_lot)
    monkeypatch.setattr(lease_handlers, "lendable_lot", in_kilograms)
    request_lease("Kilogram")
    assert farm.lot.lent == 1


def _in_kilograms(original: Callable[..., StockLot], *args: Any) -> StockLot:
    return replace(original(*args), unit="Kilogram")


def _received(farm: Producer, body: Any) -> Received[Any]:
    return Received(
        id="https://b.example/-/federation/messages/1",
        type="LeaseRequest",
        peer=peer_of(farm, at="a"),
        on_behalf_of=None,
        in_reply_to=None,
        lane="order",
        epoch=1,
        seq=1,
        published=clock_of(farm.region).now(),
        expires=None,
        body=body,
        document={},
    )


# ------------------------------------------------------------------------------------------------ 37: who may


def test_37_without_scopes_a_peer_could_do_anything(forger: Any, notes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    b = forger.region["b"]
    with b.instance.store.write() as tx:
        change_peer(tx, forger.region.peer("b", "a").id, scopes_given=["catalogue.read"])
    assert forger.status(forger.signed("mine")) == (403, "scope")
    binding = b.messages["OrderNote"]
    monkeypatch.setitem(b.messages, "OrderNote", replace(binding, type=replace(binding.type, scope=None)))
    assert forger.status(forger.signed("mine"))[0] == 202


def test_37_without_its_limits_a_flood_of_requests_would_all_be_read(
    new_region: NewRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    region = new_region("a", "b")
    requests_read: list[int] = []

    def read_request(federation: Any, body: bytes) -> Any:
        requests_read.append(1)
        raise Unreadable("no", "not read further")

    monkeypatch.setattr(requests, "_read", read_request)
    for number in range(200):
        receive_request(region["b"], b"{}", f"192.0.2.{number % 20}")
    assert len(requests_read) == 20 * requests.MOST_OF_ADDRESS
    requests_read.clear()
    monkeypatch.setattr(requests, "MOST_OF_ADDRESS", 10**9)
    for number in range(200):
        receive_request(region["b"], b"{}", f"192.0.2.{number % 20}")
    assert len(requests_read) == 200


# ------------------------------------------------------------------------------------------------ 39: time and leases


def test_39_if_time_gave_units_back_they_would_be_sold_twice(farm: Producer, hub: Hub) -> None:
    """The reference implementation measured nine units too many; here it is as many as the hub holds."""
    item = hub.sell(farm)
    hub.order(item, 45)
    farm.region.cut("a", "b")
    clock_of(farm.region).advance(days=30)
    minutes(farm.region, 2)
    assert farm.lot.free + 45 <= 100, "what the hub has sold is not sold here as well"
    (lease,) = farm.leases()
    with farm.write() as tx:
        lent = lease_by_id(tx, lease.id)
        assert settle_lent(tx, farm.product.lot_id, back=lent.outstanding)
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
    monkeypatch.setattr(receiving, "retry_soon", breaker.note_success)
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

    monkeypatch.setattr(breaker, "Receipt", Lenient)
    assert judge(answer, ["one"], "", clock.now()).delivered == ["one"]
