"""Makes a shop with very many order lines inside the database, and runs a report over them in a process of its own.

``python -m commensal.testing.many_lines URL`` writes the report of all order lines as CSV, discards it, and prints its
bytes and the peak memory of the process in kilobytes.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator

from sqlalchemy import Text, cast, insert, literal, select

from ..base.clock import SystemClock
from ..base.ids import RandomIds
from ..catalogs.tables import catalog_item
from ..enterprises.enterprises import enterprise_by_id
from ..orders.tables import customer_order, order_line
from ..parts.reports.formats import find_format
from ..parts.reports.look import columns_of, look
from ..parts.reports.run import print_report
from ..parts.reports.values import Line, Query, Report
from ..products.tables import supplied_product
from ..storage.database import Store, Transaction
from .placed import a_lot, a_placed_order, a_shop, an_item

EACH = 25  # lines of an order
FIELDS = (
    "number",
    "customer",
    "supplier",
    "product",
    "size",
    "pieces",
    "price",
    "vat_rate",
    "amount",
    "placed_at",
    "place",
)


def fill(tx: Transaction, shop: str = "shop") -> None:
    """Makes a shop with one order without lines, which is the model of all others."""
    a_shop(tx, shop)
    an_item(tx, a_lot(tx, shop, on_hand="10"), shop)
    a_placed_order(tx, shop)


def add_orders(tx: Transaction, first: int, last: int, shop: str = "shop") -> None:
    """Adds orders with the numbers `first` to `last`, each with `EACH` lines, as copies of the shop's first order."""
    row, line = customer_order.c, order_line.c
    numbers = select(literal(first).label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n < last))
    copied = [column for column in row if column.name not in ("id", "number")]
    new_id = literal(f"{shop}-") + cast(numbers.c.n, Text)
    made = select(new_id, numbers.c.n, *copied).select_from(numbers.join(customer_order, literal(True)))
    model = made.where(row.enterprise_id == shop, row.number == 1)
    tx.execute(insert(customer_order).from_select(["id", "number", *(column.name for column in copied)], model))
    places = select(literal(1).label("p")).cte("places", recursive=True)
    places = places.union_all(select(places.c.p + 1).where(places.c.p < EACH))
    ware, item = supplied_product.c, catalog_item.c
    values = {
        "position": places.c.p,
        "item_id": item.id,
        "product_id": ware.id,
        "supplier_id": literal(shop),
        "lot_id": ware.lot_id,
        "lot_quantity": literal(1),
        "name": literal("Pommes Reinette"),
        "unit_quantity": literal("1.5"),
        "unit": literal("Kilogram"),
        "price": literal(250),
        "cost": literal(250),
        "deposit": literal(0),
        "vat_rate": literal("5.5"),
        "weighed": literal(False, line.weighed.type),
        "quantity": places.c.p,
        "amount": places.c.p * 250,
    }
    made = select(row.id + literal("-") + cast(places.c.p, Text), row.id, *values.values()).select_from(
        customer_order.join(supplied_product, ware.enterprise_id == row.enterprise_id)
        .join(catalog_item, item.product_id == ware.id)
        .join(places, literal(True))
    )
    new_lines = made.where(row.enterprise_id == shop, row.number >= first, row.number <= last)
    tx.execute(insert(order_line).from_select(["id", "order_id", *values], new_lines))


def report(language: str = "fr") -> Report:
    """The report of all order lines."""

    def rows(query: Query) -> Iterator[Line]:
        return look(query, "order_lines", *FIELDS, order=("number", "product"))

    columns = columns_of("order_lines", language, *FIELDS, summed=("pieces", "amount"))
    return Report(id="all", label="All", description="", columns=columns, rows=rows, grouped_by=["number"])


def write(store: Store, format: str = "csv", shop: str = "shop") -> int:
    """Runs the report. Returns the bytes of the file."""
    with store.read() as tx:
        enterprise = enterprise_by_id(tx, shop)
    return sum(map(len, print_report(store, enterprise, report(), {}, format=find_format(format), language="fr")))


def main() -> None:
    store = Store(sys.argv[1], clock=SystemClock(), ids=RandomIds())
    size = write(store)
    store.close()
    print(size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


if __name__ == "__main__":
    main()
