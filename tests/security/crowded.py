"""Fills the victim's enterprise with as much as a large hub has after some years: rows are copies of those that it has.

Rows are inserted directly, since only their number matters. Sums, counters and the chain of the journal are right where
a route reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Table, func, select, update

from commensal.base.search import search_key
from commensal.catalogs.tables import catalog_item, offer
from commensal.enterprises.tables import customer, enterprise, enterprise_counter
from commensal.orders.tables import adjustment, customer_order, order_line, order_vat
from commensal.payments.journal import hash_of
from commensal.payments.tables import payment, payment_journal
from commensal.payments.values import JournalEntry
from commensal.products.tables import product_vat, supplied_product
from commensal.sale_sessions.tables import coordination, sale_session, session_item
from commensal.stock.tables import stock_lot, stock_movement
from commensal.storage.database import Row, Transaction, insert_rows, metadata
from commensal_account.tables import account_entry

from .trespass import Village

PRODUCTS, ORDERS, CUSTOMERS, SALES = 10_000, 20_000, 5_000, 250
LINES = 3  # of an order
OF_SALE, OF_OWNER = 1000, 1000  # orders at the sale of the tests, and of the person who asks
OTHERS, BY_HAND = 5_000, 50  # rows of each other table below, and of those that people write one by one
HUBS = 2_000
_OTHER_TABLES: Mapping[str, tuple[str, ...]] = {  # with their columns that must differ
    "audit_entry": (),
    "payment_problem": ("reference",),
    "image": (),
    "job": (),
    "vouchers_voucher": ("code",),
    "bank_transfer_entry": ("key",),
    "webhooks_delivery": ("event_id",),
    "api_token": ("hash",),
    "account_entry": (),
    "custom_report_preset": ("name",),
    "customer_category": ("name",),
    "pickup_closure": (),
    "solidarity_payment": (),
    "idempotent_answer": ("key",),
}
_BY_HAND = ("custom_report_preset", "customer_category", "pickup_closure", "api_token")
_AT_ONCE = 5_000


def crowd(village: Village) -> None:
    """Fills the victim's enterprise and the directory of the instance."""
    crowded = _Crowd(village)
    for fill in (crowded.products, crowded.sales, crowded.customers, crowded.orders, crowded.others, crowded.hubs):
        with village.instance.store.write() as tx:
            fill(tx)
    with village.instance.store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")  # as the daily work of an instance, or PostgreSQL itself, does


class _Crowd:
    def __init__(self, village: Village) -> None:
        self._village, self._id = village, village.victim.id
        self._session = village.victim.shop.session_id
        self._goods: list[dict[str, Any]] = []
        self._sessions: list[str] = []
        self._customers: list[dict[str, Any]] = []

    def products(self, tx: Transaction) -> None:
        """Products with a stock, a rate, an item and a price of their own, all on sale in the open sale."""
        item = _first(tx, catalog_item, catalog_item.c.id.in_(select(session_item.c.item_id)))
        product = _first(tx, supplied_product, supplied_product.c.id == item["product_id"])
        lot = _first(tx, stock_lot, stock_lot.c.id == product["lot_id"])
        rate = _first(tx, product_vat, product_vat.c.product_id == product["id"])
        price = _first(tx, offer, offer.c.item_id == item["id"], offer.c.category_id.is_(None))
        listed = _first(tx, session_item, session_item.c.item_id == item["id"])
        rows: dict[Table, list[dict[str, Any]]] = {}
        for number in range(PRODUCTS):
            ids = {name: tx.new_id() for name in ("lot", "product", "item", "offer")}
            name = f"Carottes {number}"
            copies = {
                stock_lot: {**lot, "id": ids["lot"]},
                supplied_product: {
                    **product,
                    "id": ids["product"],
                    "lot_id": ids["lot"],
                    "sku": f"crowd-{number}",
                    "name": name,
                    "search": search_key(name),
                },
                product_vat: {**rate, "product_id": ids["product"]},
                catalog_item: {**item, "id": ids["item"], "product_id": ids["product"]},
                offer: {**price, "id": ids["offer"], "item_id": ids["item"]},
                session_item: {**listed, "item_id": ids["item"]},
            }
            for table, row in copies.items():
                rows.setdefault(table, []).append(row)
            self._goods.append({"item_id": ids["item"], "product_id": ids["product"], "lot_id": ids["lot"]})
        _insert(tx, rows)

    def sales(self, tx: Transaction) -> None:
        """A sale in each of the weeks before; the open one is the last."""
        session = _first(tx, sale_session, sale_session.c.id == self._session)
        sale = _first(tx, coordination, coordination.c.id == session["coordination_id"])
        rows: dict[Table, list[dict[str, Any]]] = {coordination: [], sale_session: []}
        for week in range(1, SALES + 1):
            earlier = timedelta(weeks=week)
            ids = {"id": tx.ids.new(tx.now - earlier), "previous_id": None, "rhythm": None}
            rows[coordination].append({**_moved(sale, earlier), **ids})
            session_id = tx.ids.new(tx.now - earlier)
            rows[sale_session].append({**_moved(session, earlier), "id": session_id, "coordination_id": ids["id"]})
            self._sessions.append(session_id)
        _insert(tx, rows)

    def customers(self, tx: Transaction) -> None:
        known = _first(tx, customer, customer.c.enterprise_id == self._id)
        for number in range(CUSTOMERS):
            name, email = f"Foyer {number}", f"foyer.{number}@example.org"
            texts = {"name": name, "email": email, "search": search_key(f"{name} {email}"), "code": None}
            self._customers.append({**known, "id": tx.new_id(), "person_id": None, **texts})
        _insert(tx, {customer: self._customers})

    def orders(self, tx: Transaction) -> None:
        """Orders at the earlier sales, and at the open one; the first are of the person who asks."""
        order = _first(tx, customer_order, customer_order.c.id == self._village.victim.order.id)
        line = _first(tx, order_line, order_line.c.order_id == order["id"])
        parts = {
            table: tx.all(select(table).where(table.c.order_id == order["id"])) for table in (order_vat, adjustment)
        }
        paid = _first(tx, payment, payment.c.order_id == order["id"], payment.c.kind == "payment")
        movement = _first(tx, stock_movement, stock_movement.c.order_id == order["id"])
        journal = payment_journal.c
        entry = JournalEntry(**_first(tx, payment_journal, journal.enterprise_id == self._id, newest=journal.sequence))
        number = tx.value(select(func.max(customer_order.c.number)).where(customer_order.c.enterprise_id == self._id))
        rows: dict[Table, list[dict[str, Any]]] = {}

        def add(table: Table, row: dict[str, Any]) -> None:
            rows.setdefault(table, []).append(row)

        for count in range(ORDERS):
            number += 1
            buyer = self._customers[count % CUSTOMERS]
            session = self._session if count < OF_SALE else self._sessions[count % SALES]
            person = self._village.victim.owner.id if OF_SALE <= count < OF_SALE + OF_OWNER else None
            id, paid_id = tx.new_id(), tx.new_id()
            of_buyer = {"customer_id": buyer["id"], "name": buyer["name"], "email": buyer["email"], "person_id": person}
            ids = {"id": id, "number": number, "session_id": session, "secret_hash": None}
            add(customer_order, {**order, **ids, **of_buyer})
            for position in range(LINES):
                goods = self._goods[(count * LINES + position) % PRODUCTS]
                add(order_line, {**line, "id": tx.new_id(), "order_id": id, "position": position + 1, **goods})
                add(stock_movement, {**movement, "id": tx.new_id(), "order_id": id, "lot_id": goods["lot_id"]})
            for table, originals in parts.items():
                for original in originals:
                    own = {"id": tx.new_id(), "line_id": None} if table is adjustment else {}
                    add(table, {**original, **own, "order_id": id})
            add(payment, {**paid, "id": paid_id, "order_id": id, "idempotency_key": id})
            entry = replace(
                entry,
                sequence=entry.sequence + 1,
                payment_id=paid_id,
                order_id=id,
                order_number=number,
                corrects=None,
                kind="payment",
                amount=paid["amount"],
                previous_hash=entry.hash,
                hash="",
            )
            entry = replace(entry, hash=hash_of(entry))
            add(payment_journal, asdict(entry))
        _insert(tx, {table: rows[table] for table in (customer_order, order_line, *rows)})
        counter = update(enterprise_counter).where(enterprise_counter.c.enterprise_id == self._id)
        tx.execute(counter.where(enterprise_counter.c.series == "order").values(value=number))
        tx.execute(counter.where(enterprise_counter.c.series == "journal").values(value=entry.sequence))

    def others(self, tx: Transaction) -> None:
        """Copies of the first row of further tables that routes list."""
        for name, different in _OTHER_TABLES.items():
            table = metadata.tables[name]
            mine = [table.c.enterprise_id == self._id] if "enterprise_id" in table.c else []
            original = _first(tx, table, *mine)
            copies = []
            for number in range(BY_HAND if name in _BY_HAND else OTHERS):
                own: dict[str, Any] = {"id": tx.new_id()} if "id" in table.c else {}
                own |= {"payment_id": None} if table is account_entry else {}
                copies.append({**original, **own, **dict.fromkeys(different, f"crowd-{number}")})
            _insert(tx, {table: copies})

    def hubs(self, tx: Transaction) -> None:
        original = _first(tx, enterprise, enterprise.c.id == self._id)
        names = [f"Panier {number}" for number in range(HUBS)]
        copies = [
            {**original, "id": tx.new_id(), "name": name, "slug": f"panier-{number}", "search": search_key(name)}
            for number, name in enumerate(names)
        ]
        _insert(tx, {enterprise: copies})


def _first(tx: Transaction, table: Table, *conditions: Any, newest: Any = None) -> Row:
    query = select(table).where(*conditions).limit(1)
    row = tx.first(query if newest is None else query.order_by(newest.desc()))
    assert row is not None, table.name
    return dict(row)


def _moved(row: Mapping[str, Any], earlier: timedelta) -> dict[str, Any]:
    moments = ("opens_at", "closes_at", "begins_at", "ends_at", "completed_at", "created_at", "planned_closes_at")
    return {name: value - earlier if name in moments and value is not None else value for name, value in row.items()}


def _insert(tx: Transaction, rows: Mapping[Table, list[dict[str, Any]]]) -> None:
    for table, values in rows.items():
        for start in range(0, len(values), _AT_ONCE):
            insert_rows(tx, table, values[start : start + _AT_ONCE])
