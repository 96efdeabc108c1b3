"""Attack 36: nothing that a peer or a stranger sends makes memory or tables grow beyond a bound.

Each bound is flooded, and flooded once more without it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from commensal.storage.jobs.tables import job
from commensal_federation.authority.tables import federation_move
from commensal_federation.catalogue import copies, grants
from commensal_federation.catalogue.tables import federation_copy, federation_item
from commensal_federation.delivery import handlers as delivery_handlers
from commensal_federation.delivery import post
from commensal_federation.delivery.alerts import alert
from commensal_federation.delivery.inbox import dispatch, inbox
from commensal_federation.delivery.lanes import enqueue_pull, lane_row
from commensal_federation.delivery.outbox import breaker
from commensal_federation.delivery.sync import sweeping
from commensal_federation.delivery.sync.refreshing import enqueue_refresh
from commensal_federation.delivery.tables import federation_alert, federation_inbox, federation_outbox
from commensal_federation.dfc.vocabulary import DfcEnterprise
from commensal_federation.grants.tables import federation_grant
from commensal_federation.handlers import TYPES
from commensal_federation.messages import Refuse
from commensal_federation.messages.catalogue import GrantOffer
from commensal_federation.messages.moving import MoveOffer
from commensal_federation.messages.order_update import OrderUpdate
from commensal_federation.messages.peering import StateRequest
from commensal_federation.messages.proposals import SaleProposal
from commensal_federation.messages.types import Reading, Received
from commensal_federation.moving import new_home
from commensal_federation.notices.tables import federation_notice
from commensal_federation.orders import supplier
from commensal_federation.orders.tables import federation_order
from commensal_federation.peering import requests, waiting
from commensal_federation.peers import limits as rate_windows
from commensal_federation.peers.changing import change_peer
from commensal_federation.peers.tables import federation_nonce, federation_peer
from commensal_federation.proposals import receiving
from commensal_federation.proposals.tables import federation_sale
from commensal_federation.serving import answer
from commensal_federation.testing import Region

from .trading import Hub, Producer, clock_of

FEW = 3  # the bound that these tests set


def do_nothing(*_: Any, **__: Any) -> None:
    """Replaces a bound, to show what grows without it."""


@dataclass
class Stage:
    """Instance b with a hostile peer a: a has granted stock to b's hub, and b's farm to a's hub."""

    region: Region
    forger: Any
    patch: pytest.MonkeyPatch

    @property
    def b(self) -> Any:
        return self.region["b"]

    @property
    def a_at_b(self) -> Any:
        return self.region.peer("b", "a")

    def limit(self, **limits: int) -> None:
        with self.b.instance.store.write() as tx:
            change_peer(tx, self.a_at_b.id, limits=limits)

    def count(self, table: Any, *conditions: Any) -> int:
        with self.b.instance.store.read() as tx:
            count: int = tx.value(select(func.count()).select_from(table).where(*conditions))
            return count

    def handle(self, body: Any, number: int) -> None:
        """Handles a message's body as the inbox does."""
        handlers = {binding.type.body: binding.handler for binding in self.b.messages.values()}
        with suppress(Refuse), self.b.instance.store.write() as tx:
            handlers[type(body)].handle(self.b, tx, _received(self.a_at_b, body, number, clock_of(self.region).now()))


def _received(peer: Any, body: Any, number: int, now: Any) -> Any:
    return Received(
        id=f"https://a.example/-/federation/messages/{number}",
        type="",
        peer=peer,
        on_behalf_of=None,
        in_reply_to=None,
        lane="order",
        epoch=1,
        seq=number + 1,
        published=now,
        expires=None,
        body=body,
        document={},
    )


@pytest.fixture
def stage(region: Region, notes: Any, forger: Any, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(region, forger, monkeypatch)


Flood = Callable[[Stage], int]


@dataclass(frozen=True)
class Bound:
    """Floods one bound. `flood` repeats the attack ten times or more and returns the count, `most` is the largest count
    allowed, and `off` removes the bound.
    """

    flood: Flood
    most: int
    off: Callable[[Stage], None]


# ------------------------------------------------------------------------------------------------ of requests


def _nonces(stage: Stage) -> int:
    stage.limit(messages=FEW)
    for number in range(10):
        stage.forger.send(stage.forger.signed(str(number)))
    return stage.count(federation_nonce, federation_nonce.c.key_id.startswith(stage.region["a"].iri)) - _before(stage)


def _before(stage: Stage) -> int:
    """Nonces of the messages with which a became a peer."""
    return 1


def _windows(stage: Stage) -> int:
    windows = rate_windows.Windows()
    for number in range(50):
        windows.add(f"refused {number}", clock_of(stage.region).now())
    return len(windows._counts)


def _requests(stage: Stage) -> int:
    """Requests of strangers, each of another name, with complete documents."""
    body = stage.forger.signed()
    for number in range(10):
        request = _stranger(number)
        stage.patch.setattr(requests, "_read", lambda *_, known=request: known)
        stage.patch.setattr(requests, "_confirm", lambda _, request: request)  # its own document says the same
        requests.receive_request(stage.b, body, f"192.0.2.{number}")
    return stage.count(federation_peer, federation_peer.c.state == "requested")


def _stranger(number: int) -> Any:
    class Document:
        iri, name = f"https://s{number}.example/.well-known/commensal", "S"

    class Request:
        document, text = Document, "{}"

        class body:
            document, nonce, scopes_given, scopes_wanted = "{}", "n", (), ()

        class envelope:
            id, body, published = f"https://s{number}.example/1", b"{}", datetime(2026, 6, 1, tzinfo=UTC)

    return Request


# ------------------------------------------------------------------------------------------------ of the inbox, outbox


def _waiting(stage: Stage) -> int:
    stage.limit(kept_rows=FEW)
    for _ in range(10):
        stage.forger.send(stage.forger.signed("wait:never"))
    return stage.count(federation_inbox, federation_inbox.c.state == "parked")


def _dead(stage: Stage) -> int:
    stage.limit(kept_rows=FEW)
    for _ in range(10):
        stage.forger.send(stage.forger.signed("refuse"))
    return stage.count(federation_inbox, federation_inbox.c.state == "dead")


def _problems(stage: Stage) -> int:
    """The type is unknown here, and each message gets a Problem in answer."""
    stage.limit(kept_rows=FEW)
    for _ in range(10):
        stage.forger.send(stage.forger.signed(type="Forecast"))
    return stage.count(federation_outbox, federation_outbox.c.type == "Problem")


def _kept_size(stage: Stage) -> int:
    stage.limit(kept_size=12_000)
    for _ in range(10):
        stage.forger.send(stage.forger.signed("x" * 4000))
    with stage.b.instance.store.read() as tx:
        row = lane_row(tx, stage.a_at_b.id, "order", "in")
        stored = tx.value(
            select(func.coalesce(func.sum(func.length(federation_inbox.c.body)), 0)).where(
                federation_inbox.c.lane == "order"
            )
        )
        assert row is None or row["size"] == stored
    return int(stored)


def _tries(stage: Stage) -> int:
    """Counts how often a waiting message is tried again because another arrives."""
    stage.limit(messages=40)
    attempts: list[int] = []
    actual = dispatch._try

    def count_attempt(*args: Any, **kwargs: Any) -> bool:
        attempts.append(1)
        return actual(*args, **kwargs)

    stage.patch.setattr(dispatch, "_try", count_attempt)
    waiting = [stage.forger.signed("wait:never", seq=10 + number, prev=None) for number in range(10)]
    stage.forger.send(*waiting)
    for number in range(20):
        stage.forger.send(stage.forger.signed(f"one more {number}", seq=100 + number, prev=None))
    return len(attempts)


def _outbox(stage: Stage) -> int:
    """Messages about the catalogue for a peer that is away for years."""
    stage.region.cut("a", "b")
    with stage.b.instance.store.write() as tx:
        for number in range(10):
            note = stage.b.messages["CatalogueNote"].type.body(str(number))
            post(stage.b, tx, stage.a_at_b.id, "CatalogueNote", note)
            if number < 7:
                backdate = update(federation_outbox).where(federation_outbox.c.state == "waiting")
                tx.execute(backdate, {"created_at": tx.now - timedelta(days=8)})
        sweeping.forget_old(tx)
    return stage.count(federation_outbox, federation_outbox.c.state == "waiting")


def _answers(stage: Stage) -> int:
    """Short questions for long answers."""
    answers: list[int] = []
    shelf = type("Room", (), {"send": lambda *_: answers.append(1)})
    stage.patch.setattr(delivery_handlers, "MIRRORED", {"shelf": shelf})
    for number in range(10):
        stage.handle(StateRequest("shelf", ""), number)
    return len(answers)


def _alerts(stage: Stage) -> int:
    for number in range(10):
        with stage.b.instance.store.write() as tx:
            alert(tx, stage.a_at_b.id, "equivocation", str(number))
    return stage.count(federation_alert)


def _notices(stage: Stage) -> int:
    """Items that no hub can list, each of which its people could be mailed about."""
    return _catalogue(stage, federation_notice)


def _jobs(stage: Stage) -> int:
    with stage.b.instance.store.write() as tx:
        count_before = tx.value(select(func.count()).select_from(job))
        for _ in range(10):
            enqueue_pull(tx, stage.a_at_b.id, "order")
            enqueue_refresh(tx, stage.a_at_b)
        return int(tx.value(select(func.count()).select_from(job))) - int(count_before)


def _breakers(stage: Stage) -> int:
    """CVE-2026-69132: the state of breakers is a row of an accepted peer, and there are no others."""
    count_before = stage.count(federation_peer)
    for _ in range(10):
        with stage.b.instance.store.write() as tx:
            breaker.note_failure(tx, stage.a_at_b)
    return stage.count(federation_peer) - count_before


# ------------------------------------------------------------------------------------------------ of what is traded


def _grants(stage: Stage) -> int:
    Hub(stage.region, "b")
    stage.limit(kept_things=FEW)
    for number in range(10):
        stage.handle(
            GrantOffer(
                grantor=DfcEnterprise(iri=f"https://a.example/api/dfc/enterprises/{number}", name="F"),
                hub="https://b.example/api/dfc/enterprises/hub",
                currency="EUR",
                language="en",
                timezone="Europe/Paris",
                resell=False,
                includes_vat=True,
            ),
            number,
        )
    return stage.count(federation_grant)


def _items(stage: Stage) -> int:
    return _catalogue(stage, federation_item)


def _copies(stage: Stage) -> int:
    return _catalogue(stage, federation_copy)


def _catalogue(stage: Stage, table: Any) -> int:
    farm, hub = Producer(stage.region, "a"), Hub(stage.region, "b")
    farm.grant(hub)
    (body,) = [
        json.loads(line)
        for _, request, _ in stage.region.wires.passed
        for line in request.body.split(b"\n")
        if b'"type":"CatalogueUpsert"' in line
    ]
    upsert = TYPES["CatalogueUpsert"].read(body["object"], Reading("https://b.example", "https://a.example"))
    stage.limit(kept_things=FEW)
    for number in range(10):
        (sent,) = upsert.items
        upserted = replace(sent, statement="")  # which is of the one item that was sent
        item = replace(upserted.item, iri=f"https://a.example/api/dfc/catalog_items/i{number}")
        flooding_item = replace(
            upserted, item=item, offer=replace(upserted.offer, iri=f"{upserted.offer.iri}{number}", item=item.iri)
        )
        if table is federation_copy:
            product = replace(upserted.product, iri=f"https://a.example/api/dfc/supplied_products/p{number}")
            flooding_item = replace(flooding_item, product=product, item=replace(item, product=product.iri))
        elif table is federation_notice:
            flooding_item = replace(flooding_item, product=replace(upserted.product, quantity=None))
        stage.handle(replace(upsert, items=(flooding_item,)), number)
    conditions = {
        federation_copy: (federation_copy.c.kind == "product",),
        federation_notice: (federation_notice.c.kind == "item_left_out",),
    }.get(table, ())
    return stage.count(table, *conditions)


def _orders(stage: Stage) -> int:
    farm, hub = Producer(stage.region, "b"), Hub(stage.region, "a")
    farm.grant(hub)
    stage.limit(kept_things=FEW)
    for number in range(10):
        base = "https://a.example/api/dfc"
        order_update = OrderUpdate(
            iri=f"{base}/orders/{number}",
            buyer=hub.iri,
            supplier=farm.iri,
            session_iri=f"{base}/sale_sessions/{number}",
            session_name="S",
            closes_at=None,
            begins_at=None,
            currency="EUR",
            state="Held",
            rev=1,
            lines=(),
        )
        stage.handle(order_update, number)
    return stage.count(federation_order)


def _sales(stage: Stage) -> int:
    farm, hub = Producer(stage.region, "a"), Hub(stage.region, "b")
    farm.grant(hub)
    stage.limit(kept_things=FEW)
    now = clock_of(stage.region).now()
    for number in range(10):
        sale_proposal = SaleProposal(
            iri=f"https://a.example/api/dfc/coordinations/{number}",
            producer=farm.iri,
            hub=hub.iri,
            name="S",
            opens_at=now,
            closes_at=now + timedelta(days=1),
            begins_at=now + timedelta(days=2),
            ends_at=now + timedelta(days=3),
            rev=1,
            withdrawn=False,
        )
        stage.handle(sale_proposal, number)
    return stage.count(federation_sale)


def _moves(stage: Stage) -> int:
    stage.limit(kept_things=FEW)
    for number in range(10):
        move_offer = MoveOffer(
            enterprise=f"https://a.example/api/dfc/enterprises/{number}", name="F", epoch=2, products=1
        )
        stage.handle(move_offer, number)
    return stage.count(federation_move)


def _set_bound(module: Any, name: str, value: Any) -> Callable[[Stage], None]:
    return lambda stage: stage.patch.setattr(module, name, value)


BOUNDS = {
    "nonces": Bound(_nonces, FEW, _set_bound(answer, "count_sent", do_nothing)),
    "windows": Bound(_windows, FEW, _set_bound(rate_windows, "_MOST", 10**9)),
    "requests of strangers": Bound(_requests, FEW, _set_bound(waiting, "MOST", 10**9)),
    "parked messages": Bound(_waiting, FEW, _set_bound(inbox, "has_room", lambda *_: True)),
    "dead letters": Bound(_dead, FEW, _set_bound(inbox, "has_room", lambda *_: True)),
    "refusals that are told": Bound(_problems, FEW, _set_bound(dispatch, "has_room_to_tell", lambda *_: True)),
    "bytes of the inbox": Bound(_kept_size, 12_000, lambda stage: stage.patch.setattr(stage, "limit", do_nothing)),
    "tries of what is parked": Bound(_tries, 40, _set_bound(dispatch, "_may_try", lambda *_: True)),
    "the outbox": Bound(_outbox, FEW, _set_bound(sweeping, "WAITING_CATALOGUE", timedelta(days=999))),
    "asks for the state": Bound(_answers, FEW, _set_bound(delivery_handlers, "_REQUESTS", 10**9)),
    "alerts": Bound(_alerts, 1, do_nothing),
    "notices": Bound(_notices, 1, do_nothing),
    "jobs": Bound(_jobs, 2, do_nothing),
    "breakers": Bound(_breakers, 0, do_nothing),
    "grants": Bound(_grants, FEW, _set_bound(grants, "refuse_over_quota", do_nothing)),
    "items": Bound(_items, FEW, _set_bound(copies, "refuse_over_quota", do_nothing)),
    "copies": Bound(_copies, FEW, _set_bound(copies, "refuse_over_quota", do_nothing)),
    "orders": Bound(_orders, FEW, _set_bound(supplier, "refuse_over_quota", do_nothing)),
    "proposals of sales": Bound(_sales, FEW, _set_bound(receiving, "refuse_over_quota", do_nothing)),
    "moves": Bound(_moves, FEW, _set_bound(new_home, "refuse_over_quota", do_nothing)),
}
BY_SHAPE = {"alerts", "notices", "jobs", "breakers"}  # their bound is the key of a row, so there is nothing to remove


@pytest.mark.parametrize("name", BOUNDS)
def test_what_a_peer_can_make_grow_stays_within_its_bound(stage: Stage, name: str) -> None:
    for module, name_of_bound in (
        (waiting, "MOST"),
        (delivery_handlers, "_REQUESTS"),
        *([(rate_windows, "_MOST")] * (name == "windows")),
    ):
        stage.patch.setattr(module, name_of_bound, FEW)
    assert BOUNDS[name].flood(stage) <= BOUNDS[name].most


@pytest.mark.parametrize("name", sorted(set(BOUNDS) - BY_SHAPE))
def test_without_its_bound_it_would_grow(stage: Stage, name: str) -> None:
    BOUNDS[name].off(stage)
    assert BOUNDS[name].flood(stage) > BOUNDS[name].most
