"""Fixtures that tests of several packages share."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert

from commensal.catalogs.tables import catalog, catalog_item
from commensal.enterprises.tables import enterprise, enterprise_grant, enterprise_member, guest_policy
from commensal.instance import Instance
from commensal.orders.tables import customer_order
from commensal.people.actor import Actor
from commensal.people.people import NewPerson, Person, add_person
from commensal.products.tables import supplied_product
from commensal.sale_sessions.coordinations import open_coordination
from commensal.sale_sessions.sessions import add_session
from commensal.sale_sessions.values import Coordination, SaleSession, Supplier
from commensal.stock.tables import stock_lot
from commensal.storage.database import Store, insert_rows
from commensal.testing.placed import ANY_GUEST

from .shell import Shell
from .supplying import Supplying


@pytest.fixture(scope="session")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """Runs commands of the shell, one at a time."""
    shell = Shell(tmp_path_factory.mktemp("shell"))
    yield shell
    shell.close()


# ------------------------------------------------------------------------------------------------ sales


class Village:
    """Inserts the rows that sales need: enterprises, products, catalogs and grants, with readable ids."""

    def __init__(self, store: Store) -> None:
        self.store, self._number = store, itertools.count()

    def enterprise(self, name: str, *, visibility: str = "public", timezone: str = "Europe/Paris") -> str:
        texts = dict.fromkeys(("description", "email", "phone", "street", "postcode", "vat_number"), "")
        with self.store.write() as tx:
            tx.execute(
                insert(enterprise).values(
                    id=name,
                    slug=name,
                    name=name,
                    is_producer=True,
                    is_hub=True,
                    visibility=visibility,
                    city="Bourg",
                    country="FR",
                    language="fr",
                    timezone=timezone,
                    currency="EUR",
                    prices_include_vat=True,
                    created_at=tx.now,
                    version=1,
                    **texts,
                )
            )
            tx.execute(insert(guest_policy).values(enterprise_id=name, **ANY_GUEST))
            tx.execute(insert(catalog).values(id=f"{name}-catalog", enterprise_id=name, name="Catalogue", version=1))
        return name

    def items(self, shop: str, producer: str, count: int = 1) -> list[str]:
        """Adds products of the producer to the shop's catalog; returns the items' ids, numbered on."""
        names = [f"{shop}-{producer}-{next(self._number):05}" for _ in range(count)]
        lot = {"enterprise_id": producer, "unit": "Piece", "per_unit": 1, "unlimited": False, "free": 10, "version": 1}
        moved: dict[str, Any] = {"reserved": 0, "sold": 0}
        product = {"enterprise_id": producer, "lot_quantity": 1, "description": "", "product_type": "vegetable"}
        product |= {"quantity": Decimal(1), "unit": "Piece", "weighed": False, "labels": [], "allergens": []}
        product |= {"deposit": 0, "search": "", "version": 1}
        item = {"catalog_id": f"{shop}-catalog", "position": 1, "hidden": False, "version": 1}
        with self.store.write() as tx:
            created = {"created_at": tx.now}
            insert_rows(
                tx, stock_lot, [{"id": f"{name}-lot", "name": name, **lot, **moved, **created} for name in names]
            )
            products = [
                {"id": f"{name}-product", "lot_id": f"{name}-lot", "name": name, **product, **created} for name in names
            ]
            insert_rows(tx, supplied_product, products)
            insert_rows(
                tx, catalog_item, [{"id": name, "product_id": f"{name}-product", **item, **created} for name in names]
            )
        return names

    def grant(self, grantor: str, grantee: str, *scopes: str) -> None:
        with self.store.write() as tx:
            rows = [
                {"grantor_id": grantor, "grantee_id": grantee, "scope": scope, "granted_at": tx.now} for scope in scopes
            ]
            insert_rows(tx, enterprise_grant, rows)

    def sale(self, **kwargs: Any) -> Coordination:
        """Opens a sale of the hub, from now for two days, with the farm and the dairy."""
        with self.store.write() as tx:
            suppliers = (Supplier(enterprise_id="farm"), Supplier(enterprise_id="dairy"))
            values: dict[str, Any] = {"coordinator_id": "hub", "name": "Semaine 23", "suppliers": suppliers}
            values |= {"opens_at": tx.now, "closes_at": tx.now + timedelta(days=2)}
            return open_coordination(tx, **{**values, **kwargs})

    def session(self, sale: Coordination, shop: str = "hub", **kwargs: Any) -> SaleSession:
        """Adds a session; its distribution is on the day after the closing."""
        with self.store.write() as tx:
            begins_at = sale.closes_at + timedelta(days=1)
            values: dict[str, Any] = {"shop_id": shop, "catalog_id": f"{shop}-catalog"}
            values |= {"begins_at": begins_at, "ends_at": begins_at + timedelta(hours=2)}
            return add_session(tx, sale.id, "hub", **{**values, **kwargs})

    def order(self, session_id: str, shop: str, *, state: str = "Held", number: int | None = 1) -> str:
        """Inserts an order without lines and returns its id."""
        texts = ("name", "email", "phone", "note", "shipping", "shipping_label", "payment_method")
        totals = ("products_total", "deposits_total", "adjustments_total", "vat_total", "total")
        with self.store.write() as tx:
            order_id = tx.new_id()
            tx.execute(
                insert(customer_order).values(
                    id=order_id,
                    session_id=session_id,
                    enterprise_id=shop,
                    number=number,
                    state=state,
                    payment_state="Unpaid",
                    fulfilment_state="Unfulfilled",
                    currency="EUR",
                    prices_include_vat=True,
                    language="fr",
                    created_at=tx.now,
                    placed_at=tx.now,
                    changed_at=tx.now,
                    version=1,
                    **dict.fromkeys(texts, ""),
                    **dict.fromkeys(totals, 0),
                )
            )
        return order_id


@pytest.fixture
def village(store: Store) -> Village:
    """A hub, two farms that let it sell, and one that does not; the hub lists three items of each."""
    village = Village(store)
    for name in ("hub", "farm", "dairy", "stranger"):
        village.enterprise(name)
    for producer in ("farm", "dairy", "stranger"):
        village.items("hub", producer, 3)
    for producer in ("farm", "dairy"):
        village.grant(producer, "hub", "ReadProducts", "WriteOrders")
    return village


@pytest.fixture
def hamlet(store: Store) -> Village:
    """A village without enterprises: `hamlet.enterprise("farm")` adds one, with an empty catalog."""
    return Village(store)


@pytest.fixture
def supplying(instance: Instance) -> Supplying:
    """Two hubs with goods of two producers on sale."""
    return Supplying(instance)


# ------------------------------------------------------------------------------------------------ people

Somebody = Callable[..., Person]


@pytest.fixture
def somebody(store: Store) -> Somebody:
    """Creates people: ``somebody("Ada")`` has the confirmed address ada@example.org, and no working password."""

    def make(name: str, *, confirmed: bool = True, operator: bool = False, password_hash: str = "") -> Person:
        email = f"{name.lower()}@example.org"
        new = NewPerson(email=email, name=name, phone="", language="fr", password_hash=password_hash)
        with store.write() as tx:
            person = add_person(tx, new, confirmed=confirmed, is_operator=operator)
        assert person is not None
        return person

    return make


MakeMember = Callable[..., Actor]


@pytest.fixture
def member(store: Store, somebody: Somebody) -> MakeMember:
    """Makes somebody with a role at an enterprise, and returns them: ``member("packer", at="hub")``."""

    def make(role: str, at: str = "shop") -> Actor:
        person = somebody(f"{role[-10:]}-{at}")
        with store.write() as tx:
            row = {"enterprise_id": at, "person_id": person.id, "role": role, "since": tx.now}
            tx.execute(insert(enterprise_member).values(row))
        return Actor(person_id=person.id, session_hash="hash", confirmed=True)

    return make
