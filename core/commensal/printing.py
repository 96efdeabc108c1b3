"""Lists for the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table as Grid

from .languages.formats import format_moment, format_money, format_quantity
from .languages.shell import spoken
from .orders.distribution import Heap, Parcel
from .sale_sessions.values import Sale

if TYPE_CHECKING:
    from .product_lists.lists import ListReport

_WIDTH = 120  # columns, where nobody's terminal says otherwise

console = Console(highlight=False, width=None if Console().is_terminal else _WIDTH)


def print_sales(sales: Iterable[Sale], language: str) -> None:
    """Sales with the id that other commands take."""
    grid = Grid()
    grid.add_column("id", no_wrap=True)
    for name in (spoken("sale"), spoken("shop"), spoken("closes"), spoken("distribution")):
        grid.add_column(name)
    for one in sales:
        zone, session = one.shop.timezone, one.session
        closes, begins = (format_moment(at, zone, language) for at in (session.closes_at, session.begins_at))
        grid.add_row(session.id, session.name, one.shop.name, closes, begins)
    console.print(grid)


def print_counts(report: ListReport, *, dry_run: bool) -> None:
    """What came of an import, or would, after its mistakes."""
    if report.unlisted:
        console.print(spoken("… and {count} more mistakes.", count=report.unlisted))
    text = "created {created}, changed {changed}, left {unchanged} as they were"
    if dry_run:
        text = "would create {created}, changed {changed}, left {unchanged} as they were"
    console.print(spoken(text, created=report.created, changed=report.changed, unchanged=report.unchanged))


def print_distribution(parcels: Iterable[Parcel], heaps: Iterable[Heap], *, currency: str, language: str) -> None:
    """Who gets what, and what each supplier brings."""
    grid = Grid(
        spoken("order"), spoken("customer"), spoken("pieces"), spoken("product"), spoken("weighed"), spoken("total"),
        spoken("payment"),
    )  # fmt: skip
    last = 0
    for one in parcels:
        first = one.order_number != last
        last = one.order_number
        weighed = "" if one.final_quantity is None else format_quantity(one.final_quantity, one.unit, language)
        grid.add_row(
            str(one.order_number) if first else "",
            one.customer if first else "",
            str(one.quantity),
            f"{one.product} ({format_quantity(one.unit_quantity, one.unit, language)})",
            weighed,
            format_money(one.order_total, currency, language) if first else "",
            one.payment_state if first else "",
        )
    console.print(grid)
    brought = Grid(spoken("supplier"), spoken("pieces"), spoken("product"), spoken("orders"))
    for heap in heaps:
        size = format_quantity(heap.unit_quantity, heap.unit, language)
        brought.add_row(heap.supplier, str(heap.quantity), f"{heap.product} ({size})", str(heap.orders))
    console.print(brought)
