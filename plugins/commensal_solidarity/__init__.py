"""Solidarity: a group of customers pays less, and a social fund or a works council pays the difference, up to a budget.

A hub writes down its programmes: who pays, which of its customer categories is helped, by how much of an order, and
what the fund has promised for a year. What an order is granted stands on it as paid by the fund: the producers get the
full price, and VAT is on the full price, because what a third party pays is part of it (directive 2006/112/EC, art.
73). Help is worked out from the goods after discounts and vouchers; fees and deposits are the customer's.

A year's budget is never overspent, however many order at once. When it is nearly used up an order is granted the rest;
when it is gone, nothing, and the total says so. The year an order counts in is that of its distribution. What the hub
changes or weighs later keeps its grant: it shrinks with the goods, and grows only where something is left. A cancelled
order gives its grant back. A budget that is lowered below what is spent grants nothing more, and takes nothing back.
Whoever has left the category when an order is changed is not helped any more.

The fund gets a statement of any period: orders by number and date, with what was granted, what is left of the budget,
and what it has paid. It comes over the API, as CSV, by ``commensal call solidarity_statement``, or as a report to
print, a page for each fund. It names nobody, unless the programme says so: people are their customer code, or a number.
Later changes of an order stand in the period they were made in, so what a statement has said it says again; only at
the turn of a fund's year does an entry stand where its budget is: an order of December for January in January's year,
a change in January of December's goods on the last day of December. So the statement of a year adds up to its budget.
Treasurers read what a fund still owes, and note what it has paid, on a page of the office.
A programme that has ended stays in the settings, with its last day.
"""

from __future__ import annotations

from pathlib import Path

from commensal import hookimpl

from .demo import demo_data
from .endpoints import endpoints
from .office import office_pages, page_parts
from .report import reports
from .settings import Settings
from .spending import adjustment_names, price_adjustments, settle_adjustments

__all__ = [
    "adjustment_names",
    "demo_data",
    "endpoints",
    "enterprise_settings",
    "migrations",
    "office_pages",
    "page_parts",
    "price_adjustments",
    "reports",
    "settle_adjustments",
]


@hookimpl
def enterprise_settings() -> type:
    return Settings


@hookimpl
def migrations() -> Path:
    return Path(__file__).parent / "migrations"
