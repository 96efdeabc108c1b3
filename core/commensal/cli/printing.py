"""Lists for the terminal, and for programs that read them: a program gets every line and every cell whole."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from ..base.languages.formats import format_moment, format_money, format_quantity
from ..base.languages.shell import spoken
from ..trade.orders.distribution import Parcel, ProductTotal
from ..trade.sale_sessions.openness import is_coming, is_open
from ..trade.sale_sessions.values import Sale, SaleSession

if TYPE_CHECKING:
    from ..trade.product_lists.lists import ListReport

_UNLIMITED = 100_000  # columns, where no terminal sets a limit: no table cuts a cell, and no sentence is wrapped
_WHOLE = ("id",)  # columns that people copy: they stay on one line

on_terminal = sys.stdout.isatty()
console = Console(highlight=False, width=None if on_terminal else _UNLIMITED)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, one_line: Collection[str] = ()) -> None:
    """Prints cells of plain text under their headings. On a terminal, long cells take several lines, except in the
    columns `id` and `one_line`; no text is ever cut."""
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        grid.add_column(name, overflow="fold", no_wrap=name in (*_WHOLE, *one_line))
    for row in rows:
        grid.add_row(*map(Text, row))
    console.print(grid)


def print_sales(sales: Iterable[Sale], language: str, now: datetime) -> None:
    """Sales with the id that other commands take, as they are at `now`."""
    rows = []
    for one in sales:
        zone, session = one.shop.timezone, one.session
        closes, begins = (format_moment(at, zone, language) for at in (session.closes_at, session.begins_at))
        rows.append((session.id, session.name, one.shop.name, _state(session, now), closes, begins))
    heads = ("id", spoken("sale"), spoken("shop"), spoken("state"), spoken("closes"), spoken("distribution"))
    print_table(heads, rows)


def _state(session: SaleSession, now: datetime) -> str:
    if session.cancelled_at is not None:
        return spoken("cancelled")
    if is_open(session, now):
        return spoken("open")
    return spoken("to come") if is_coming(session, now) else spoken("over")


def print_counts(report: ListReport, *, dry_run: bool) -> None:
    """What came of an import, or would, after its mistakes."""
    if report.unlisted:
        console.print(spoken("… and {count} more mistakes.", count=report.unlisted))
    text = "created {created}, changed {changed}, left {unchanged} as they were"
    if dry_run:
        text = "would create {created}, changed {changed}, left {unchanged} as they were"
    console.print(spoken(text, created=report.created, changed=report.changed, unchanged=report.unchanged))


def print_distribution(
    parcels: Iterable[Parcel], heaps: Iterable[ProductTotal], *, currency: str, language: str
) -> None:
    """Who gets what, and what each supplier brings."""
    rows = []
    last = 0
    for one in parcels:
        first = one.order_number != last
        last = one.order_number
        weighed = "" if one.final_quantity is None else format_quantity(one.final_quantity, one.unit, language)
        rows.append(
            (
                str(one.order_number) if first else "",
                one.customer if first else "",
                str(one.quantity),
                f"{one.product} ({format_quantity(one.unit_quantity, one.unit, language)})",
                weighed,
                format_money(one.order_total, currency, language) if first else "",
                one.payment_state if first else "",
            )
        )
    columns = (
        spoken("order"), spoken("customer"), spoken("pieces"), spoken("product"), spoken("weighed"), spoken("total"),
        spoken("payment"),
    )  # fmt: skip
    print_table(columns, rows)
    brought = [
        (
            heap.supplier,
            str(heap.quantity),
            f"{heap.product} ({format_quantity(heap.unit_quantity, heap.unit, language)})",
            str(heap.orders),
        )
        for heap in heaps
    ]
    print_table([spoken("supplier"), spoken("pieces"), spoken("product"), spoken("orders")], brought)
