"""Two instances that know each other only as DFC platforms, not as peers: one reads the other's catalogue and orders
there, over real HTTP, with tokens of an OpenID Connect server.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from commensal import Conflict, insert_rows
from commensal.base.clock import ManualClock
from commensal.catalogs.items import add_item, hide_items, items_of
from commensal.catalogs.offers import set_price
from commensal.orders.lock import locked_order
from commensal.parts.order_corrections.substitutes import shorten_order
from commensal.products.products import create_product
from commensal.sale_sessions.tables import session_item
from commensal.stock.lots import lots_by_id
from commensal_federation.linked_catalogues.refreshing import refresh
from commensal_federation.linked_catalogues.values import Refreshed
from commensal_federation.peers.peers import peers
from commensal_federation.runtime import federation_of, use_transport
from commensal_federation.transport import Answer, Request, Transport, Unreachable

from .farm import Farm
from .oidc import SECRET
from .ordering import Buying, an_instance


@pytest.fixture
def hub(farm: Farm, tmp_path: Path, sqlite_template: Path, clock: ManualClock) -> Iterator[Buying]:
    """The hub sells what the farm lists, as a client of the issuer that the farm trusts."""
    instance = an_instance(tmp_path, sqlite_template, clock, "http://hub.example", "127.0.0.1")
    hub = Buying(instance, clock)
    federation = federation_of(farm.instance)
    (issuer,) = federation.settings.oidc_issuers
    hub.link(
        f"{federation.base}/api/dfc/enterprises/farm/catalog_items",
        auth="oidc",
        issuer=issuer.issuer,
        client_id="hub-client",
        secret=SECRET,
        dfc_version="2.0",
    )
    yield hub
    instance.close()


def test_a_hub_imports_and_orders_from_an_instance_that_is_no_peer(farm: Farm, hub: Buying) -> None:
    assert sorted(hub.items) == ["Apples", "Honey"]
    hub.order({"Apples": 4, "Honey": 1})
    hub.order({"Apples": 2}, "Bea")
    hub.minutes()
    (order,) = farm.orders
    assert (order.state, order.name, order.email) == ("Held", "The hub", "hub@example.org")
    assert {line.name: line.quantity for line in order.lines} == {"Apples": 6, "Honey": 1}
    assert farm.free == 34
    hub.order({"Apples": 3}, "Cem")
    hub.minutes()
    hub.close()
    (order,) = farm.orders
    assert {line.name: line.quantity for line in order.lines} == {"Apples": 9, "Honey": 1}
    assert hub.backorder.said_state == "Complete"
    assert {line.answer for line in hub.backorder.lines} == {"confirmed"}
    assert hub.pieces() == [("Ada", 5), ("Bea", 2), ("Cem", 3)]
    hub.sound()
    with hub.instance.store.read() as tx:
        assert not peers(tx)


@pytest.fixture
def jam(farm: Farm) -> str:
    """37 jars of jam, which the farm sells alone and in boxes of twelve, and 100 kg of potatoes in bags of 2,500 g.
    Returns the id of the jam's lot."""
    kind: dict[str, Any] = {"enterprise_id": "farm", "product_type": "fruit", "vat_rate": Decimal("5.5")}
    with farm.instance.store.write() as tx:
        box = create_product(tx, name="Jam box", quantity=Decimal(12), unit="Piece", on_hand=Decimal(37), **kind)
        jar = create_product(tx, name="Jam", quantity=Decimal(1), unit="Piece", lot_id=box.lot_id, **kind)
        bag = create_product(tx, name="Potatoes", quantity=Decimal(2500), unit="Gram", on_hand=Decimal(100_000), **kind)
        for product, price in ((jar, 300), (box, 3300), (bag, 500)):
            item = add_item(tx, "farm", "farm-catalog", product.id)
            set_price(tx, "farm", item.id, price)
            insert_rows(tx, session_item, [{"session_id": "farm-session", "item_id": item.id}])
    return jar.lot_id


def free(farm: Farm, lot_id: str) -> int:
    with farm.instance.store.read() as tx:
        return int(lots_by_id(tx, [lot_id])[lot_id].free)


def test_boxes_and_bags_are_ordered_amended_and_taken_off_sale(farm: Farm, jam: str, hub: Buying) -> None:
    """What was confirmed of jars stays when boxes of the same jars run out. An emptied catalogue takes all off sale,
    and no order back."""
    hub.order({"Jam box": 2, "Jam": 5, "Potatoes": 3})
    hub.minutes()
    (order,) = farm.orders
    assert {line.name: line.quantity for line in order.lines} == {"Jam box": 2, "Jam": 5, "Potatoes": 3}
    assert free(farm, jam) == 8
    hub.order({"Jam box": 1}, "Bea")
    hub.minutes()
    assert hub.pieces() == [("Ada", 10), ("Bea", 0)]
    assert free(farm, jam) == 8
    with farm.instance.store.write() as tx:
        hide_items(tx, "farm", [item.id for item in items_of(tx, "farm", "farm-catalog")])
    assert refresh(federation_of(hub.instance), hub.backorder.link_id) == Refreshed(gone=5)
    with pytest.raises(Conflict):
        hub.order({"Potatoes": 1}, "Cem")
    hub.close()
    assert hub.pieces() == [("Ada", 10), ("Bea", 0)]
    assert {line.name: line.coming for line in hub.backorder.lines if line.pieces} == {
        "Jam box": 2,
        "Jam": 5,
        "Potatoes": 3,
    }
    hub.sound()


class Losing:
    """A line that breaks while the first order is answered."""

    def __init__(self, line: Transport) -> None:
        self._line, self._lost = line, False

    def send(self, request: Request, *, seconds: float, size: int) -> Answer:
        answer = self._line.send(request, seconds=seconds, size=size)
        if request.method == "POST" and request.url.endswith("/orders") and not self._lost:
            self._lost = True
            raise Unreachable("the line broke")
        return answer

    def wait(self, seconds: float) -> None:
        self._line.wait(seconds)


def test_an_answer_of_another_instance_that_is_lost_orders_once(farm: Farm, hub: Buying) -> None:
    hub.order({"Apples": 4})
    use_transport(hub.instance, Losing(federation_of(hub.instance).transport))
    hub.minutes()
    assert hub.progress == "failing"
    assert len(farm.orders) == 1
    hub.minutes(3)
    assert len(farm.orders) == 1
    assert hub.progress == "told"
    assert farm.free == 36


def test_what_others_bought_meanwhile_is_taken_off_and_what_the_producer_takes_off_later_too(
    farm: Farm, hub: Buying
) -> None:
    hub.order({"Apples": 30})
    farm.sell(20)
    hub.minutes()
    assert hub.pieces() == [("Ada", 20)]
    (line,) = hub.backorder.lines
    assert (line.answer, line.confirmed) == ("shortened", 20)
    assert line.reason == "Il ne reste que 20 pièces de Apples.", "in the producer's language"
    hub.close()
    (farm_order,) = [order for order in farm.orders if order.name == "The hub"]
    with farm.instance.store.write() as tx:
        order = locked_order(tx, farm_order.id, enterprise_id="farm")
        shorten_order(tx, farm.instance.hooks, order, {order.lines[0].id: 5})
    hub.run(hours=1)
    assert hub.pieces() == [("Ada", 15)]
    hub.sound()


def test_where_nothing_is_left_customers_get_nothing_and_may_order_again_later(farm: Farm, hub: Buying) -> None:
    hub.order({"Apples": 3})
    farm.sell(40)
    hub.minutes()
    assert hub.pieces() == [("Ada", 0)]
    assert (hub.backorder.iri, hub.progress) == ("", "told")
    hub.order({"Honey": 2}, "Bea")
    hub.minutes()
    assert [{line.name: line.quantity for line in order.lines} for order in farm.orders if order.name == "The hub"] == [
        {"Honey": 2}
    ]
    hub.sound()
