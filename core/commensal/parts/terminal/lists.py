"""Prints lists for terminals, and for programs, which get every line and every cell uncut."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from ...base.languages.formats import format_moment, format_money, format_quantity
from ...sale_sessions.openness import is_coming, is_open
from ...sale_sessions.values import Sale, SaleSession
from ..distribution.distribution import Parcel, ProductTotal
from .shell import spoken

if TYPE_CHECKING:
    from ..product_lists.lists import ListReport

_UNLIMITED = 100_000  # columns, without a terminal: no cell is cut, and no sentence wrapped
_UNWRAPPED = ("id",)  # columns that people copy, which are never wrapped

on_terminal = sys.stdout.isatty()
console = Console(highlight=False, width=None if on_terminal else _UNLIMITED)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, one_line: Collection[str] = ()) -> None:
    """Prints cells of plain text under their headings. On a terminal, long cells are wrapped, except in the columns
    `id` and `one_line`; no text is ever cut."""
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        grid.add_column(name, overflow="fold", no_wrap=name in (*_UNWRAPPED, *one_line))
    for row in rows:
        grid.add_row(*map(Text, row))
    console.print(grid)


def print_sales(sales: Iterable[Sale], language: str, now: datetime) -> None:
    """Prints sales with their state at `now`, and the ids that other commands take."""
    rows = []
    for sale in sales:
        zone, session = sale.shop.timezone, sale.session
        closes, begins = (format_moment(at, zone, language) for at in (session.closes_at, session.begins_at))
        rows.append((session.id, session.name, sale.shop.name, _state(session, now), closes, begins))
    heads = ("id", spoken("sale"), spoken("shop"), spoken("state"), spoken("closes"), spoken("distribution"))
    print_table(heads, rows)


def _state(session: SaleSession, now: datetime) -> str:
    if session.cancelled_at is not None:
        return spoken("cancelled")
    if is_open(session, now):
        return spoken("open")
    return spoken("to come") if is_coming(session, now) else spoken("over")


def print_counts(report: ListReport, *, dry_run: bool) -> None:
    """Prints how many products an import has created, changed and left, or would have in a dry run."""
    if report.unlisted:
        console.print(spoken("… and {count} more mistakes.", count=report.unlisted))
    text = "created {created}, changed {changed}, left {unchanged} as they were"
    if dry_run:
        text = "would create {created}, change {changed}, and leave {unchanged} as they are"
    console.print(spoken(text, created=report.created, changed=report.changed, unchanged=report.unchanged))


def print_distribution(
    parcels: Iterable[Parcel], totals: Iterable[ProductTotal], *, currency: str, language: str
) -> None:
    """Prints what each customer gets, and what each supplier brings."""
    rows = []
    last_number = 0
    for parcel in parcels:
        is_first = parcel.order_number != last_number
        last_number = parcel.order_number
        weighed = "" if parcel.final_quantity is None else format_quantity(parcel.final_quantity, parcel.unit, language)
        rows.append(
            (
                str(parcel.order_number) if is_first else "",
                parcel.customer if is_first else "",
                str(parcel.quantity),
                f"{parcel.product} ({format_quantity(parcel.unit_quantity, parcel.unit, language)})",
                weighed,
                format_money(parcel.order_total, currency, language) if is_first else "",
                parcel.payment_state if is_first else "",
            )
        )
    columns = (
        spoken("order"),
        spoken("customer"),
        spoken("pieces"),
        spoken("product"),
        spoken("weighed"),
        spoken("total"),
        spoken("payment"),
    )
    print_table(columns, rows)
    deliveries = [
        (
            total.supplier,
            str(total.quantity),
            f"{total.product} ({format_quantity(total.unit_quantity, total.unit, language)})",
            str(total.orders),
        )
        for total in totals
    ]
    print_table([spoken("supplier"), spoken("pieces"), spoken("product"), spoken("orders")], deliveries)
