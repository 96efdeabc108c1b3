"""Five years of a shop: a million order lines with all that belongs to them, so that `commensal check` finds nothing.

python -m tests.benchmarks.history FOLDER [LINES]

This makes them in the instance in FOLDER, which has the demo shop of `stand.py`. It inserts rows directly, a week of
orders in each transaction, since commands would take hours and only the amount of data matters.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.progress import track
from sqlalchemy import Table, insert, select, update

from commensal.base.search import search_key
from commensal.catalogs.tables import catalog_item, offer
from commensal.enterprises.tables import customer, enterprise_counter
from commensal.instance import open_instance
from commensal.orders.tables import adjustment, customer_order, order_line, order_vat
from commensal.payments.journal import FIRST, hash_of
from commensal.payments.tables import payment, payment_journal
from commensal.payments.values import JournalEntry
from commensal.pricing.lines import split
from commensal.products.tables import supplied_product
from commensal.sale_sessions.tables import coordination, sale_session
from commensal.stock.tables import stock_lot, stock_movement
from commensal.storage.database import Row, Store, Transaction, insert_rows

LINES = 1_000_000
EACH = 10  # lines of an order
WEEKS = 5 * 52  # one sale each
CUSTOMERS = 2_000
SHOP = "shop"
_FEE, _VAT, _FEE_VAT = Decimal("0.03"), Decimal("5.5"), Decimal(20)

Rows = dict[Table, list[dict[str, Any]]]


@dataclass
class _Past:
    """The state from week to week: goods, customers, numbers, the end of the chain, the sold amount of each lot."""

    goods: Sequence[Row]
    customers: Sequence[str]
    chance: random.Random = field(default_factory=lambda: random.Random("history"))
    number: int = 0
    last_hash: str = FIRST
    sold: dict[str, int] = field(default_factory=dict)


def add_history(store: Store, lines: int = LINES) -> None:
    """Adds orders of `SHOP` with so many lines in total; the shop must have no orders yet."""
    if store.engine.dialect.name == "sqlite":  # the file can be made again, so nothing waits for the disk
        store.engine.raw_connection().driver_connection.execute("PRAGMA synchronous=OFF")  # type: ignore[union-attr]
    with store.write() as tx:
        past = _Past(goods=_goods(tx), customers=_customers(tx))
    orders = lines // EACH
    for week in track(range(WEEKS), description=f"{lines:,} order lines on {store.engine.dialect.name}"):
        count = (week + 1) * orders // WEEKS - week * orders // WEEKS
        with store.write() as tx:
            _add_week(tx, past, tx.now - timedelta(weeks=WEEKS - week), count)
    with store.write() as tx:
        for series in ("order", "journal"):
            tx.execute(insert(enterprise_counter).values(enterprise_id=SHOP, series=series, value=past.number))
        for lot, sold in past.sold.items():
            level = {"free": stock_lot.c.free - sold, "sold": stock_lot.c.sold + sold}
            tx.execute(update(stock_lot).where(stock_lot.c.id == lot).values(level))
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")  # as the daily work of an instance, or PostgreSQL itself, does


def _goods(tx: Transaction) -> Sequence[Row]:
    product = supplied_product.c
    goods = select(catalog_item.c.id.label("item_id"), product.id.label("product_id"), product.lot_id, offer.c.price)
    goods = goods.join(supplied_product, product.id == catalog_item.c.product_id)
    return tx.all(goods.join(offer, offer.c.item_id == catalog_item.c.id).where(product.enterprise_id == SHOP))


def _customers(tx: Transaction) -> list[str]:
    """Two thousand households."""
    rows = []
    for number in range(CUSTOMERS):
        name, email = f"Foyer {number}", f"foyer.{number}@example.org"
        rows.append(
            {
                "id": tx.new_id(),
                "enterprise_id": SHOP,
                "person_id": None,
                "email": email,
                "name": name,
                "search": search_key(f"{name} {email}"),
                "phone": "",
                "code": None,
                "note": "",
                "created_at": tx.now,
                "version": 1,
            }
        )
    insert_rows(tx, customer, rows)
    return [str(row["id"]) for row in rows]


def _add_week(tx: Transaction, past: _Past, opens_at: datetime, count: int) -> None:
    """Adds a closed sale, whose orders are handed out and paid."""
    session = _session(tx, opens_at)
    rows: Rows = {table: [] for table in _TABLES}
    for number in range(count):
        _add_order(tx, past, session, opens_at + timedelta(days=4 * number / max(count, 1)), rows)
    for table, values in rows.items():
        insert_rows(tx, table, values)


def _session(tx: Transaction, opens_at: datetime) -> str:
    times = {"opens_at": opens_at, "closes_at": opens_at + timedelta(days=4), "version": 1}
    sale, session = tx.ids.new(opens_at), tx.ids.new(opens_at)
    completion = {"completed_at": opens_at + timedelta(days=4), "created_at": opens_at}
    tx.execute(
        insert(coordination).values(id=sale, coordinator_id=SHOP, name=f"Vente du {opens_at:%x}", **times, **completion)
    )
    distribution = {"begins_at": opens_at + timedelta(days=5), "ends_at": opens_at + timedelta(days=5, hours=2)}
    references = {"coordination_id": sale, "enterprise_id": SHOP, "catalog_id": f"{SHOP}-catalog", "note": ""}
    tx.execute(insert(sale_session).values(id=session, **references, **times, **distribution))
    return session


# In an order in which rows may refer to each other.
_TABLES = (customer_order, order_line, adjustment, order_vat, stock_movement, payment, payment_journal)


def _add_order(tx: Transaction, past: _Past, session: str, placed: datetime, rows: Rows) -> None:
    order, handed = tx.ids.new(placed), placed + timedelta(days=5)
    past.number += 1
    lines = list(_lines(tx, past, order, placed))
    products = sum(line["amount"] for line in lines)
    fee = round(products * _FEE)
    shares = [split(products, _VAT, True), split(fee, _FEE_VAT, True)]
    buyer = past.chance.randrange(CUSTOMERS)
    texts = dict.fromkeys(("phone", "note", "shipping", "shipping_label"), "")
    states = {"state": "Complete", "payment_state": "Paid", "fulfilment_state": "Fulfilled"}
    sums = {"products_total": products, "deposits_total": 0, "adjustments_total": fee, "total": products + fee}
    rows[customer_order].append(
        {
            "id": order,
            "session_id": session,
            "enterprise_id": SHOP,
            "customer_id": past.customers[buyer],
            "number": past.number,
            "currency": "EUR",
            "prices_include_vat": True,
            "name": f"Foyer {buyer}",
            "email": f"foyer.{buyer}@example.org",
            "language": "fr",
            "payment_method": "cash:cash",
            "codes": [],
            "vat_total": sum(share.vat for share in shares),
            "paid_total": products + fee,
            "created_at": placed,
            "placed_at": placed,
            "changed_at": handed,
            "fulfilled_at": handed,
            "version": 2,
            **texts,
            **states,
            **sums,
        }
    )
    rows[order_line] += lines
    rows[order_vat] += [{"order_id": order, "rate": share.rate, "net": share.net, "vat": share.vat} for share in shares]
    rows[adjustment].append(
        {
            "id": tx.ids.new(placed),
            "order_id": order,
            "position": 1,
            "line_id": None,
            "phase": "FEE",
            "kind": "fee",
            "label": "Frais",
            "amount": fee,
            "vat_rate": _FEE_VAT,
            "payer": "customer",
            "payee": SHOP,
            "code": "",
            "plugin": "fees",
        }
    )
    for line in lines:
        rows[stock_movement] += _movements(tx, order, line, placed, handed)
        past.sold[line["lot_id"]] = past.sold.get(line["lot_id"], 0) + line["quantity"]
    _pay(tx, past, order, products + fee, handed, rows)


def _lines(tx: Transaction, past: _Past, order: str, ordered_at: datetime) -> Iterator[dict[str, Any]]:
    for position, good in enumerate(past.chance.sample(past.goods, EACH), start=1):
        quantity = past.chance.choice((1, 1, 1, 2, 3))
        yield {
            "id": tx.ids.new(ordered_at),
            "order_id": order,
            "position": position,
            "item_id": good["item_id"],
            "product_id": good["product_id"],
            "supplier_id": SHOP,
            "lot_id": good["lot_id"],
            "lot_quantity": 1,
            "name": "Pommes Reinette",
            "unit_quantity": Decimal(1),
            "unit": "Piece",
            "price": good["price"],
            "deposit": 0,
            "vat_rate": _VAT,
            "weighed": False,
            "quantity": quantity,
            "amount": good["price"] * quantity,
        }


def _movements(
    tx: Transaction, order: str, line: Mapping[str, Any], ordered_at: datetime, handed: datetime
) -> Iterator[dict[str, Any]]:
    """Stock is taken when it was ordered, and sold when it was handed over."""
    grains = line["quantity"]
    for moment, kind, changes in ((ordered_at, "taken", (-grains, grains, 0)), (handed, "sold", (0, -grains, grains))):
        free, reserved, sold = changes
        yield {
            "id": tx.ids.new(moment),
            "lot_id": line["lot_id"],
            "at": moment,
            "kind": kind,
            "free_change": free,
            "reserved_change": reserved,
            "sold_change": sold,
            "order_id": order,
            "person_id": None,
            "note": "",
        }


def _pay(tx: Transaction, past: _Past, order: str, amount: int, paid_at: datetime, rows: Rows) -> None:
    """Pays in cash at the hand-over; the journal's entry is chained to the previous one."""
    payment_id = tx.ids.new(paid_at)
    rows[payment].append(
        {
            "id": payment_id,
            "enterprise_id": SHOP,
            "order_id": order,
            "kind": "payment",
            "method": "cash:cash",
            "amount": amount,
            "currency": "EUR",
            "state": "Done",
            "idempotency_key": order,
            "reference": "",
            "created_at": paid_at,
            "changed_at": paid_at,
        }
    )
    entry = JournalEntry(
        enterprise_id=SHOP,
        sequence=past.number,
        at=paid_at,
        kind="payment",
        payment_id=payment_id,
        order_id=order,
        order_number=past.number,
        method="cash:cash",
        amount=amount,
        currency="EUR",
        person_id=None,
        corrects=None,
        previous_hash=past.last_hash,
        hash="",
    )
    entry = replace(entry, hash=hash_of(entry))
    past.last_hash = entry.hash
    rows[payment_journal].append(asdict(entry))


if __name__ == "__main__":
    with open_instance(Path(sys.argv[1])) as opened:
        add_history(opened.store, int(sys.argv[2]) if len(sys.argv) > 2 else LINES)
