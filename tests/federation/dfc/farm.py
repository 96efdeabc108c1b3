"""A farm whose instance other software reads and orders at, over real HTTP, with tokens of an OpenID Connect server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import uvicorn

from commensal.base.clock import ManualClock
from commensal.catalogs.items import add_item
from commensal.catalogs.offers import set_price
from commensal.instance import Instance
from commensal.orders.place import place_order
from commensal.orders.questions import order_by_id, orders_of_session
from commensal.orders.values import Order, Wish
from commensal.parts.serving.serving import serve
from commensal.products.products import create_product
from commensal.sale_sessions.tables import session_item
from commensal.stock.lots import lots_by_id
from commensal.storage.database import insert_rows
from commensal.testing.placed import a_shop
from commensal_federation.platforms.scopes import grant_scopes
from commensal_federation.runtime import federation_of

from ...ports import free_port
from .oidc import Oidc
from .ordering import an_instance

_STOCK: dict[str, dict[str, Any]] = {
    "Apples": {"on_hand": Decimal(40), "labels": ("Organic-EU",)},
    "Honey": {"unlimited": True, "allergens": ("Nuts",), "deposit": 20},
}


class Farm:
    """Forty crates of apples at 20 euros, and unlimited jars of honey, on sale for a week."""

    def __init__(self, instance: Instance, oidc: Oidc) -> None:
        self.instance, self.oidc = instance, oidc
        with instance.store.write() as tx:
            a_shop(tx, "farm", is_producer=True, name="The farm")
            products = {
                name: create_product(
                    tx,
                    enterprise_id="farm",
                    name=name,
                    product_type="fruit",
                    quantity=Decimal(1),
                    unit="Piece",
                    vat_rate=Decimal("5.5"),
                    **stock,
                )
                for name, stock in _STOCK.items()
            }
            self.lot = products["Apples"].lot_id
            items = [add_item(tx, "farm", "farm-catalog", product.id).id for product in products.values()]
            self.apples = items[0]
            for item in items:
                set_price(tx, "farm", item, 2000)
            insert_rows(tx, session_item, [{"session_id": "farm-session", "item_id": item} for item in items])
            grant_scopes(federation_of(instance), tx, "farm", "hub", ["ReadProducts", "WriteOrders"])

    @property
    def orders(self) -> list[Order]:
        with self.instance.store.read() as tx:
            rows = orders_of_session(tx, "farm", "farm-session")
            return [order_by_id(tx, order.id, enterprise_id="farm") for order in rows]

    def sell(self, pieces: int) -> None:
        """Sells to a customer of the farm's own shop."""
        wish = Wish(items={self.apples: pieces}, name="Dora", email="dora@example.org", language="en")
        with self.instance.store.write() as tx:
            place_order(tx, self.instance.hooks, "farm-session", wish)

    @property
    def free(self) -> int:
        with self.instance.store.read() as tx:
            return int(lots_by_id(tx, [self.lot])[self.lot].free)


@contextmanager
def serving(instance: Instance, port: int) -> Iterator[None]:
    """Serves the instance over HTTP, without its jobs."""
    listening, servers = threading.Event(), list[uvicorn.Server]()
    kwargs = {"port": port, "jobs": False, "started": lambda url: listening.set(), "running": servers.append}
    thread = threading.Thread(target=serve, args=(instance,), kwargs=kwargs)
    thread.start()
    assert listening.wait(30)
    try:
        yield
    finally:
        servers[0].should_exit = True
        thread.join(30)


@contextmanager
def a_farm(tmp_path: Path, template: Path, clock: ManualClock) -> Iterator[Farm]:
    """The farm on a port of this machine. It trusts one issuer, and knows the platform "hub" of the client
    "hub-client"."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with Oidc(clock, url) as oidc:
        oidc.claims = {}
        platform = {
            "id": "hub",
            "client": "hub-client",
            "issuer": oidc.issuer,
            "name": "The hub's instance",
            "email": "orders@ofn.example",
        }
        instance = an_instance(
            tmp_path, template, clock, url, "127.0.0.1", oidc_issuers=[{"issuer": oidc.issuer}], platforms=[platform]
        )
        with serving(instance, port):
            yield Farm(instance, oidc)
        instance.close()
