"""A hub that sells goods of platforms known by their address alone."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import insert, select

from commensal import Order
from commensal.base.clock import ManualClock
from commensal.base.ids import SeededIds
from commensal.catalogs import listings_of
from commensal.enterprises.tables import enterprise_member
from commensal.enterprises.tokens import make_token
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.instance.settings import LimitSettings, OutboundSettings
from commensal.orders import Wish, place_order
from commensal.orders.cancel import cancel_order
from commensal.orders.change import change_order
from commensal.orders.lock import locked_order
from commensal.orders.questions import order_by_id, orders_of_session
from commensal.parts.checks.invariants import broken_invariants
from commensal.parts.serving.work import work_of
from commensal.people.actor import ROLES
from commensal.people.people import NewPerson, add_person
from commensal.products import products_by_id
from commensal.sale_sessions.tables import coordination_supplier, session_item
from commensal.storage.database import Store
from commensal.storage.jobs.failed import failed_jobs
from commensal.storage.jobs.periodic import tick
from commensal.storage.jobs.registry import Work
from commensal.testing.placed import a_shop
from commensal_federation.linked_catalogues.backorders.questions import backorders
from commensal_federation.linked_catalogues.backorders.sending import retry_backorder
from commensal_federation.linked_catalogues.backorders.values import Backorder
from commensal_federation.linked_catalogues.links import link_by_id, link_catalogue, linked_products
from commensal_federation.messages.bodies.orders import Cut
from commensal_federation.orders.questions import cuts_of
from commensal_federation.runtime import federation_of


def an_instance(
    folder: Path, template: Path, clock: ManualClock, url: str, *reaching: str, **federation: Any
) -> Instance:
    """Makes an instance with this plugin and the operator's settings for it, which may reach these hosts."""
    place = folder / urlsplit(url).netloc.replace(":", "-")
    place.mkdir()
    shutil.copyfile(template, place / "commensal.db")
    settings = InstanceSettings(
        name=place.name,
        base_url=url,
        language="en",
        plugins={"enabled": ["federation"], "federation": federation},
        limits=LimitSettings(reads=100_000, writes=100_000, logins=100_000),
        outbound=OutboundSettings(allow=reaching),
    )
    ids = SeededIds(place.name)
    store = Store(f"sqlite:///{place / 'commensal.db'}", clock=clock, ids=ids)
    return Instance(place, settings, store, load_plugins(settings, clock=clock), clock, ids)


_EACH_MINUTE = ("complete_sales", "federation.orders", "federation.backorders")  # of the jobs of an instance


class Buying:
    """A hub in euros with a sale under way until tomorrow noon."""

    def __init__(self, instance: Instance, clock: ManualClock, **kwargs: Any) -> None:
        self.instance, self.clock = instance, clock
        work = work_of(instance)
        self._work = Work(work.handlers, tuple(job for job in work.periodic if job.name in _EACH_MINUTE))
        self.items: dict[str, str] = {}
        with instance.store.write() as tx:
            a_shop(tx, "hub", name="The hub", **kwargs)

    def link(self, url: str, **kwargs: Any) -> str:
        """Lists all that an address offers, at its price there."""
        options = {"default_type": "fruit", "default_vat": Decimal("5.5"), **kwargs}
        with self.instance.store.write() as tx:
            link = link_catalogue(
                federation_of(self.instance), tx, "hub", url, catalog_id="hub-catalog", margin=Decimal(0), **options
            )
        self.run()
        with self.instance.store.write() as tx:
            products = {linked_product.product_id: linked_product for linked_product in linked_products(tx, link.id)}
            assert products, link_by_id(tx, link.id).error
            self._put_on_sale(tx, products)
        return link.id

    def _put_on_sale(self, tx: Any, products: Mapping[str, Any]) -> None:
        products_found = products_by_id(tx, list(products))
        producers_on_sale = {row["enterprise_id"] for row in tx.all(select(coordination_supplier.c.enterprise_id))}
        for producer in sorted({product.enterprise_id for product in products_found.values()} - producers_on_sale):
            tx.execute(insert(coordination_supplier).values(coordination_id="hub-sale", enterprise_id=producer))
        for product_id, items in listings_of(tx, "hub", list(products)).items():
            tx.execute(insert(session_item).values(session_id="hub-session", item_id=items[0]))
            self.items[products_found[product_id].name] = items[0]

    def order(self, goods: Mapping[str, int], name: str = "Ada") -> Order:
        """Places a shopper's order."""
        wish = Wish(
            items={self.items[name_of_item]: pieces for name_of_item, pieces in goods.items()},
            name=name,
            email=f"{name.lower()}@example.org",
            language="en",
        )
        order: Order = self.instance.transact(lambda tx: place_order(tx, self.instance.hooks, "hub-session", wish))
        self.run()
        return order

    def change(self, order: Order, goods: Mapping[str, int]) -> None:
        items = {self.items[name]: pieces for name, pieces in goods.items()}
        with self.instance.store.write() as tx:
            change_order(tx, self.instance.hooks, locked_order(tx, order.id, enterprise_id="hub"), items=items)
        self.run()

    def cancel(self, order: Order) -> None:
        with self.instance.store.write() as tx:
            cancel_order(tx, self.instance.hooks, locked_order(tx, order.id, enterprise_id="hub"))
        self.run()

    def run(self, **duration: float) -> None:
        """Advances the clock and runs what is due then."""
        self.clock.advance(**duration)
        tick(self.instance, self._work)

    def minutes(self, count: int = 1) -> None:
        for _ in range(count):
            self.run(minutes=1)

    def close(self) -> None:
        """Closes the sale and lets the final orders go out."""
        self.run(days=1)
        self.minutes(3)

    def backorders(self) -> Sequence[Backorder]:
        with self.instance.store.read() as tx:
            return backorders(tx, "hub")

    @property
    def backorder(self) -> Backorder:
        (backorder,) = self.backorders()
        return backorder

    @property
    def progress(self) -> str:
        """The progress of its only order."""
        return self.backorder.progress

    def retry(self) -> None:
        """Tries again, as a person does who has checked."""
        with self.instance.store.write() as tx:
            retry_backorder(tx, "hub", self.backorder.id)

    def pieces(self) -> list[tuple[str, int]]:
        """The pieces of each customer, by name; cancelled orders have none."""
        with self.instance.store.read() as tx:
            orders = [
                order_by_id(tx, order.id, enterprise_id="hub") for order in orders_of_session(tx, "hub", "hub-session")
            ]
        return sorted(
            (order.name, 0 if order.state == "Cancelled" else sum(line.quantity for line in order.lines))
            for order in orders
        )

    def cuts(self) -> list[Cut]:
        with self.instance.store.read() as tx:
            return cuts_of(tx, [backorder.id for backorder in backorders(tx, "hub")])

    def sound(self) -> None:
        """Asserts that no invariant is violated and no job has failed."""
        with self.instance.store.read() as tx:
            assert broken_invariants(tx) == []
            assert failed_jobs(tx) == []

    def owner(self) -> str:
        """Returns a token of a person who may do everything at the hub, and nothing elsewhere."""
        with self.instance.store.write() as tx:
            new_person = NewPerson(email="olivia@example.org", name="Olivia", phone="", language="en", password_hash="")
            person = add_person(tx, new_person, confirmed=True)
            assert person is not None
            member = {"enterprise_id": "hub", "person_id": person.id, "role": "owner", "since": tx.now}
            tx.execute(insert(enterprise_member).values(member))
            return make_token(tx, person.id, name="Tests", scopes=ROLES["owner"]).secret
