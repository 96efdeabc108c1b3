"""Placing an order costs the same number of SQL statements, at most 15, for one line and for thirty.

PostgreSQL gets them, with BEGIN, savepoints and COMMIT, in fewer messages; only those are counted whose answer is
awaited.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert

from commensal import Address
from commensal.base.entry_points import plugin_entry_points
from commensal.enterprises.tables import enterprise_plugin
from commensal.instance import Instance, InstanceSettings
from commensal.orders.cart import fill_cart, open_cart
from commensal.orders.place import place_order
from commensal.orders.values import Order, Wish
from commensal.people.people import add_person, new_person
from commensal.storage.database import Store
from commensal.testing.placed import a_lot, a_shop, an_item
from commensal_delivery.slots import add_slot as add_round
from commensal_delivery.zones import DeliverySettings
from commensal_pickup.places import add_place
from commensal_pickup.slots import add_slot

MOST = 15
MESSAGES = 8  # from BEGIN to the commit; with one message for each statement they would be 19
MESSAGES_OF_GUEST = 7  # whose customer and open orders are asked for on the way
ZONES = {"zones": [{"id": "tours", "name": "Tours", "postcodes": ["37*"], "price": 150}]}
_FRAME = ("PRAGMA",)  # BEGIN and COMMIT are not seen here either


@pytest.fixture
def settings(settings: InstanceSettings) -> InstanceSettings:
    """All bundled plugins are enabled."""
    return InstanceSettings(
        name="Test",
        base_url=settings.base_url,
        limits=settings.limits,
        plugins={"enabled": list(plugin_entry_points())},
    )


def count_statements(store: Store, place: Callable[[], object]) -> int:
    """Counts the statements that the database gets while `place` runs."""
    statements: list[str] = []

    def note_statement(*args: object) -> None:
        if not str(args[2]).startswith(_FRAME):
            statements.append(str(args[2]))

    event.listen(store.engine, "before_cursor_execute", note_statement)
    place()
    event.remove(store.engine, "before_cursor_execute", note_statement)
    return len(statements)


def count_messages(store: Store, trace: Path, place: Callable[[], None]) -> int:
    """Counts how often PostgreSQL is awaited while `place` runs, as its own library records it."""
    with store.read() as tx:
        driver: Any = tx.connection.connection.driver_connection
    with trace.open("w") as file:
        driver.pgconn.trace(file.fileno())
        place()
        driver.pgconn.untrace()
    sent = [line.split("\t")[3].strip() for line in trace.read_text().splitlines() if line.split("\t")[1] == "F"]
    return len([message for message in sent if message in ("Query", "Sync")])


@pytest.mark.parametrize(("lines", "shipping_plugin"), [(1, "pickup"), (3, "pickup"), (30, "pickup"), (30, "delivery")])
def test_an_order_from_a_cart_with_a_fee_costs_fifteen_statements_whatever_its_lines(
    instance: Instance, tmp_path: Path, lines: int, shipping_plugin: str
) -> None:
    store, clock = instance.store, instance.clock
    with store.write() as tx:
        a_shop(tx)
        for plugin in instance.hooks.plugins():
            plugin_settings = ZONES if plugin == "delivery" else {}
            tx.execute(
                insert(enterprise_plugin).values(
                    enterprise_id="shop", plugin=plugin, settings=plugin_settings, version=1
                )
            )
        place = add_place(tx, "shop", name="Halle", city="Bourg", price=150, vat_rate=Decimal(20))
        begins_at = clock.now() + timedelta(days=2, hours=5)
        times: Any = {"begins_at": begins_at, "ends_at": begins_at + timedelta(hours=2)}
        slots = {
            "pickup": add_slot(tx, "shop", "shop-session", place_id=place.id, **times).id,
            "delivery": add_round(tx, DeliverySettings(), "shop", "shop-session", **times).id,
        }
        items = {an_item(tx, a_lot(tx, on_hand="99"), name=f"n{number}"): 1 for number in range(lines)}
        ada = add_person(
            tx, new_person(email="ada@example.org", name="Ada", password="correct horse", language="fr"), confirmed=True
        )
        assert ada is not None

    def order(
        count_while: Callable[[Callable[[], None]], int], email: str = "ada@example.org", person_id: str | None = ada.id
    ) -> Order:
        with store.write() as tx:
            cart = open_cart(tx, "shop-session", language="fr", person_id=person_id)
            fill_cart(tx, cart, items)
        wish = Wish(
            items=items,
            name="Ada",
            email=email,
            shipping=f"{shipping_plugin}:{slots[shipping_plugin]}",
            payment_method="cash:cash",
            address=Address(street="2 rue Colbert", postcode="37000", city="Tours"),
        )
        orders: list[Order] = []

        def place_it() -> None:
            with store.write() as tx:
                placed = place_order(
                    tx, instance.hooks, "shop-session", wish, person_id=person_id, cart_id=cart, client_address="::1"
                )
                orders.append(placed)

        counts.append(count_while(place_it))
        return orders[0]

    counts: list[int] = []
    first_order, second_order = order(partial(count_statements, store)), order(partial(count_statements, store))
    assert (first_order.number, second_order.number) == (1, 2)
    assert first_order.adjustments_total == 150
    assert counts[0] <= MOST, "a new customer"
    assert counts[1] == counts[0] - 1, "who is known needs no row of their own"
    if store.engine.dialect.name == "postgresql":
        for _ in range(6):  # until all repeated statements are prepared
            order(partial(count_statements, store))
        order(partial(count_messages, store, tmp_path / "trace"))
        assert counts[-1] <= MESSAGES
        for number in range(8):
            order(partial(count_statements, store), email=f"{number}@example.org", person_id=None)
        order(partial(count_messages, store, tmp_path / "trace"), email="guest@example.org", person_id=None)
        assert counts[-1] <= MESSAGES_OF_GUEST
