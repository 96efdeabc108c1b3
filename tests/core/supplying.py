"""Two hubs that sell goods of two producers, for tests of what suppliers bring."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from commensal.catalogs.offers import PurchaseTerms, set_purchase_terms
from commensal.catalogs.tables import catalog_item, offer
from commensal.enterprises.grants import grant
from commensal.enterprises.tables import enterprise_member
from commensal.enterprises.tokens import make_token
from commensal.instance import Instance
from commensal.orders.place import place_order
from commensal.orders.values import Order, Wish
from commensal.people.actor import ENTERPRISE_SCOPES
from commensal.people.people import Person
from commensal.sale_sessions.tables import coordination_supplier, sale_session, session_item
from commensal.stock.tables import stock_lot
from commensal.storage.database import Store, Transaction
from commensal.testing.placed import a_lot, a_shop, an_item


class Supplying:
    """Hubs "hub" and "north" have a sale each until tomorrow noon, with apples of "farm" and cheese of "dairy" at
    2.50 euros a piece; both sell the same products. `items` are ids of catalog items, like ``items["hub apples"]``."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        with instance.store.write() as tx:
            for producer in ("farm", "dairy"):
                a_shop(tx, producer, name=f"The {producer}", is_producer=True, is_hub=False)
            for hub in ("hub", "north"):
                a_shop(tx, hub, name=f"The {hub}")
            self.lots = {
                "apples": a_lot(tx, "farm", name="Apples", on_hand="100"),
                "cheese": a_lot(tx, "dairy", name="Cheese", on_hand="100"),
            }
            self.items: dict[str, str] = {}
            for producer, goods in (("farm", "apples"), ("dairy", "cheese")):
                item = an_item(tx, self.lots[goods], "hub", name=goods.title(), enterprise_id=producer)
                self.items |= {f"hub {goods}": item, f"north {goods}": _list_at_north(tx, item)}
            for hub in ("hub", "north"):
                rows = [{"coordination_id": f"{hub}-sale", "enterprise_id": name} for name in ("farm", "dairy")]
                tx.execute(insert(coordination_supplier), rows)

    def order(self, hub: str, goods: Mapping[str, int], name: str = "Ada", **options: Any) -> Order:
        """Places an order of a guest: ``order("hub", {"apples": 3})``."""
        items = {self.items[f"{hub} {name}"]: pieces for name, pieces in goods.items()}
        wish = Wish(items=items, name=name, email=f"{name.lower()}@example.org", phone="06 12 34 56 78", language="en")
        with self.instance.store.write() as tx:
            return place_order(tx, self.instance.hooks, f"{hub}-session", wish, **options)

    def cut_off(self, hub: str, supplier: str, at: datetime) -> None:
        """Gives a supplier a cut-off of its own."""
        row = coordination_supplier.c
        with self.instance.store.write() as tx:
            statement = update(coordination_supplier).where(row.coordination_id == f"{hub}-sale")
            tx.execute(statement.where(row.enterprise_id == supplier).values(closes_at=at))

    def buy(self, hub: str, goods: str, **terms: Any) -> None:
        """Sets what a hub pays for goods: ``buy("hub", "apples", price=200)``, or ``margin=Decimal(20)``."""
        with self.instance.store.write() as tx:
            set_purchase_terms(tx, hub, {self.items[f"{hub} {goods}"]: PurchaseTerms(**terms)})

    def join_sales(self) -> None:
        """Makes the session of "north" a part of the sale that "hub" coordinates."""
        with self.instance.store.write() as tx:
            statement = update(sale_session).where(sale_session.c.id == "north-session")
            tx.execute(statement.values(coordination_id="hub-sale"))

    def free(self, goods: str) -> int:
        """Returns how many pieces may still be ordered."""
        with self.instance.store.read() as tx:
            return int(tx.value(select(stock_lot.c.free).where(stock_lot.c.id == self.lots[goods])))

    def grant(self, grantor: str, grantee: str, scope: str) -> None:
        with self.instance.store.write() as tx:
            grant(tx, grantor, grantee, scope)

    def token(self, person: Person, enterprise: str, role: str = "manager") -> dict[str, str]:
        """Makes the person a member. Returns headers with a token that has all scopes."""
        with self.instance.store.write() as tx:
            row = {"enterprise_id": enterprise, "person_id": person.id, "role": role, "since": tx.now}
            tx.execute(insert(enterprise_member).values(row))
            secret = make_token(tx, person.id, name="t", scopes=sorted(ENTERPRISE_SCOPES)).secret
        return {"Authorization": f"Bearer {secret}", "Accept-Language": "en"}


def pretend_rows(store: Store, rows_by_table: Mapping[str, int]) -> None:
    """Writes statistics into SQLite, as if these tables had so many rows, for statements that are explained."""
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
        for table, rows in rows_by_table.items():
            statistics = "UPDATE sqlite_stat1 SET stat = ? || substr(stat, instr(stat, ' ')) WHERE tbl = ?"
            connection.exec_driver_sql(statistics, (str(rows), table))
        connection.exec_driver_sql("ANALYZE sqlite_schema")
    store.engine.dispose()


def _list_at_north(tx: Transaction, item_id: str) -> str:
    """Lists and sells the product of an item of "hub" at "north" too. Returns the id of the catalog item."""
    product_id = tx.value(select(catalog_item.c.product_id).where(catalog_item.c.id == item_id))
    item = {"id": tx.new_id(), "catalog_id": "north-catalog", "product_id": product_id, "position": 1, "hidden": False}
    tx.execute(insert(catalog_item).values(**item, created_at=tx.now, version=1))
    tx.execute(insert(offer).values(id=tx.new_id(), item_id=item["id"], price=250, version=1))
    tx.execute(insert(session_item).values(session_id="north-session", item_id=item["id"]))
    return str(item["id"])
