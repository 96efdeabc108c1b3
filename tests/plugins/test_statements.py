"""Placing an order costs the same number of SQL statements, at most 15, for one line and for thirty.

PostgreSQL gets them, with BEGIN, savepoints and COMMIT, in fewer messages: those count whose answer is waited for.
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
from commensal.hooks.loading import plugin_entry_points
from commensal.instance import Instance, InstanceSettings
from commensal.storage.database import Store
from commensal.testing.goods import a_lot, an_item
from commensal.testing.placed import a_shop
from commensal.trade.enterprises.tables import enterprise_plugin
from commensal.trade.orders.cart import fill_cart, open_cart
from commensal.trade.orders.place import place_order
from commensal.trade.orders.values import Order, Wish
from commensal.trade.people.people import add_person, new_person
from commensal_delivery.slots import add_slot as add_round
from commensal_delivery.zones import DeliverySettings
from commensal_pickup.places import add_place
from commensal_pickup.slots import add_slot

MOST = 15
MESSAGES = 10  # from the look whether the line stands to the commit; one for each, they would be 19
ZONES = {"zones": [{"id": "tours", "name": "Tours", "postcodes": ["37*"], "price": 150}]}
_FRAME = ("PRAGMA",)  # BEGIN and COMMIT are not seen here either


@pytest.fixture
def settings(settings: InstanceSettings) -> InstanceSettings:
    """All plugins that are shipped are on."""
    return InstanceSettings(
        name="Test",
        base_url=settings.base_url,
        limits=settings.limits,
        plugins={"enabled": list(plugin_entry_points())},
    )


def in_statements(store: Store, place: Callable[[], None]) -> int:
    """How many the database is asked while `place` runs."""
    seen: list[str] = []

    def note(*given: object) -> None:
        if not str(given[2]).startswith(_FRAME):
            seen.append(str(given[2]))

    event.listen(store.engine, "before_cursor_execute", note)
    place()
    event.remove(store.engine, "before_cursor_execute", note)
    return len(seen)


def in_messages(store: Store, trace: Path, place: Callable[[], None]) -> int:
    """How often PostgreSQL is waited for while `place` runs, as its own library notes it."""
    with store.read() as tx:
        driver: Any = tx.connection.connection.driver_connection
    with trace.open("w") as file:
        driver.pgconn.trace(file.fileno())
        place()
        driver.pgconn.untrace()
    sent = [line.split("\t")[3].strip() for line in trace.read_text().splitlines() if line.split("\t")[1] == "F"]
    return len([message for message in sent if message in ("Query", "Sync")])


@pytest.mark.parametrize(("lines", "way"), [(1, "pickup"), (3, "pickup"), (30, "pickup"), (30, "delivery")])
def test_an_order_from_a_cart_with_a_fee_costs_fifteen_statements_whatever_its_lines(
    instance: Instance, tmp_path: Path, lines: int, way: str
) -> None:
    store, clock = instance.store, instance.clock
    with store.write() as tx:
        a_shop(tx)
        for plugin in instance.hooks.plugins():
            kept = ZONES if plugin == "delivery" else {}
            tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin=plugin, settings=kept, version=1))
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

    def order(measured: Callable[[Callable[[], None]], int]) -> Order:
        with store.write() as tx:
            cart = open_cart(tx, "shop-session", language="fr", person_id=ada.id)
            fill_cart(tx, cart, items)
        wish = Wish(
            items=items, name="Ada", email="ada@example.org", shipping=f"{way}:{slots[way]}",
            payment_method="cash:cash", address=Address(street="2 rue Colbert", postcode="37000", city="Tours"),
        )  # fmt: skip
        placed: list[Order] = []

        def place_it() -> None:
            with store.write() as tx:
                placed.append(place_order(tx, instance.hooks, "shop-session", wish, person_id=ada.id, cart_id=cart))

        asked.append(measured(place_it))
        return placed[0]

    asked: list[int] = []
    first, second = order(partial(in_statements, store)), order(partial(in_statements, store))
    assert (first.number, second.number) == (1, 2)
    assert first.adjustments_total == 150
    assert asked[0] <= MOST, "a new customer"
    assert asked[1] == asked[0] - 1, "who is known needs no row of their own"
    if store.engine.dialect.name == "postgresql":
        for _ in range(6):  # until all that comes again is prepared
            order(partial(in_statements, store))
        order(partial(in_messages, store, tmp_path / "trace"))
        assert asked[-1] <= MESSAGES
