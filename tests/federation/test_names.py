"""Names of a hub's customers: a producer elsewhere learns them if hub, producer's instance and customer agree."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from commensal import Order
from commensal.base.errors import Conflict, Invalid
from commensal.orders.consents import consents_of, set_consents
from commensal.orders.fulfil import hand_order_over
from commensal.orders.lock import locked_order
from commensal.orders.tables import customer_order
from commensal.parts.privacy.export import data_of, subject_by_email
from commensal.parts.privacy.forgetting import forget_person
from commensal_federation.delivery.calling import address_of, fetch
from commensal_federation.delivery.tables import federation_inbox
from commensal_federation.orders.hub_names import person_name
from commensal_federation.orders.producer_names import with_customers
from commensal_federation.orders.questions import orders_of
from commensal_federation.orders.tables import federation_order, federation_order_name
from commensal_federation.peering import change_scopes
from commensal_federation.peers import SCOPES
from commensal_federation.testing import Region

from .trading import Hub, Place, Producer, clock_of, minutes

PEERS = ("ab", "bc")


@pytest.fixture
def item(farm: Producer, hub: Hub) -> str:
    """An item on sale at the hub, which allows names to be passed on."""
    farm.grant(hub)
    item = hub.sell(farm)
    hub.pass_on_names()
    return item


def order_with_consent(hub: Hub, item: str, pieces: int, name: str) -> Order:
    """Places an order of a customer who agrees, and lets the producer receive it."""
    order = hub.order(item, pieces, name, consents=hub.asked(item))
    minutes(hub.region)
    return order


def names_by_line(place: Place) -> list[tuple[int, list[tuple[str, int]]]]:
    """The pieces of each line, and the customers' names with their pieces."""
    with place.read() as tx:
        (order,) = with_customers(tx, orders_of(tx, place.id))
    return [
        (line.quantity, [(customer.name, customer.quantity) for customer in line.customers]) for line in order.lines
    ]


def withdraw_consent(hub: Hub, order: Order) -> None:
    with hub.write() as tx:
        locked = locked_order(tx, order.id, enterprise_id="hub")
        set_consents(tx, hub.instance.hooks, locked, (), "en")
    hub.region.work()
    minutes(hub.region)


def test_what_was_agreed_can_be_taken_back_and_given_again(farm: Producer, hub: Hub, item: str) -> None:
    order = order_with_consent(hub, item, 2, "Ada")
    order_with_consent(hub, item, 1, "Bea")
    withdraw_consent(hub, order)
    assert names_by_line(farm) == [(3, [("Bea", 1)])]
    with hub.write() as tx:
        locked = locked_order(tx, order.id, enterprise_id="hub")
        (question,) = consents_of(tx, hub.instance.hooks, locked, "en")
        assert question.given_at is None
        set_consents(tx, hub.instance.hooks, locked, [question.request], "en")
    farm.region.work()
    minutes(farm.region)
    assert names_by_line(farm) == [(3, [("Ada", 2), ("Bea", 1)])]
    clock_of(farm.region).advance(days=1, hours=1)  # the sale has closed: consent can still be withdrawn, but not given
    minutes(farm.region, 3)
    withdraw_consent(hub, order)
    assert names_by_line(farm) == [(3, [("Bea", 1)])]
    with hub.write() as tx, pytest.raises(Conflict, match="is closed"):
        locked = locked_order(tx, order.id, enterprise_id="hub")
        set_consents(tx, hub.instance.hooks, locked, [question.request], "en")


def test_who_is_forgotten_at_the_hub_is_forgotten_at_the_producer(farm: Producer, hub: Hub, item: str) -> None:
    order = order_with_consent(hub, item, 2, "Ada")
    clock_of(farm.region).advance(days=2, hours=12)
    minutes(farm.region, 3)
    assert names_by_line(farm) == [(2, [("Ada", 2)])]
    with hub.write() as tx:
        hand_order_over(tx, locked_order(tx, order.id, enterprise_id="hub"))
        tx.execute(update(customer_order).values(payment_state="Paid", paid_total=customer_order.c.total))
        ada = subject_by_email(tx, hub.instance.hooks, "ada@example.org")
        assert data_of(tx, hub.instance.hooks, ada)["order_consent"][0]["order_id"] == order.id
        forget_person(tx, hub.instance.hooks, ada, years=10)
    minutes(farm.region)
    assert names_by_line(farm) == [(2, [])]
    with farm.read() as tx:
        assert tx.all(select(federation_order_name)) == []
        messages = tx.all(select(federation_inbox.c.type).order_by(federation_inbox.c.seq.desc()))
    assert messages[0]["type"] == "OrderUpdate", "by a message"


@pytest.mark.parametrize("without", ["setting", "scope"])
def test_without_the_hub_and_the_producers_instance_nobody_is_even_asked(
    farm: Producer, hub: Hub, item: str, without: str
) -> None:
    request = next(iter(hub.asked(item)))
    order = order_with_consent(hub, item, 2, "Canary")
    if without == "setting":
        hub.pass_on_names(False)
    else:
        peer = farm.region.peer("a", "b")
        with farm.write() as tx:
            change_scopes(farm.federation, tx, peer.id, peer.version, set(SCOPES) - {"order.names"})
        farm.region.work()
    assert hub.asked(item) == {}
    with pytest.raises(Invalid) as refused:
        hub.order(item, 1, "Bea", consents=[request])
    assert [problem.code for problem in refused.value.problems] == ["consent_unknown"]
    assert names_status(farm.region, "a", hub) == 404, "at once"
    clock_of(farm.region).advance(days=1)
    minutes(farm.region)
    assert names_by_line(farm) == [(2, [])], "and within a day it knows nothing any more"
    assert order.id


def names_status(region: Region, origin: str, hub: Hub) -> int:
    """Returns the status with which the hub's instance answers a request for the names of its one order."""
    with hub.read() as tx:
        id = tx.one(select(federation_order.c.id).where(federation_order.c.role == "buyer"))["id"]
    answer = fetch(region[origin], address_of(region.peer(origin, hub.at), f"names/{id}"), size=100_000)
    return answer.status


def test_names_are_for_the_orders_own_supplier(farm: Producer, hub: Hub, item: str) -> None:
    order_with_consent(hub, item, 2, "Canary")
    assert names_status(farm.region, "a", hub) == 200
    assert names_status(farm.region, "c", hub) == 404


def test_names_go_when_notes_go(farm: Producer, hub: Hub, item: str) -> None:
    order_with_consent(hub, item, 2, "Ada")
    for _ in range(5):  # a clock that jumps by more than nine days is in doubt, and nothing is forgotten by it
        clock_of(farm.region).advance(days=8)
        minutes(farm.region)
    assert names_by_line(farm) == [(2, [])]
    assert names_status(farm.region, "a", hub) == 404


@pytest.mark.parametrize(
    ("typed", "shown"),
    [("Ada  Ash\n", "Ada Ash"), ("Ada\u202e\x07\x1b[31m", "Ada[31m"), ("A" * 5000, "A" * 80), ("\ufeff\u200b", "")],
)
def test_a_name_is_one_short_line(typed: str, shown: str) -> None:
    assert person_name(typed) == shown
