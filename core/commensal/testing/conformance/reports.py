"""Checks reports: their lines match their columns in number and kind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from ...base.languages.catalogs import LANGUAGES
from ...parts.reports.run import reports_of
from ...parts.reports.values import Cell, Column, Quantity, Report
from ..shop import Shop
from .check import Subject, check, demand

_KINDS: Mapping[str, tuple[type, ...]] = {
    "text": (str,),
    "code": (str,),
    "whole": (int,),
    "money": (int,),
    "quantity": (Quantity,),
    "percent": (Decimal,),
    "date": (date,),
    "moment": (datetime,),
    "box": (),
}


@check("reports")
def its_reports_have_names_and_columns(subject: Subject) -> None:
    with subject.shop() as shop:
        for language in LANGUAGES:
            reports = _reports(shop, language)
            demand(reports, f"it offers no report to a reader of {language!r}")
            for name, report in reports.items():
                demand(report.label.strip(), f"{name} has no label for a reader of {language!r}")
                names = [column.name for column in report.columns]
                demand(
                    names and len(set(names)) == len(names), f"{name}: columns must have names of their own: {names}"
                )
                unknown = sorted(set(report.grouped_by) - set(names))
                demand(not unknown, f"{name} is grouped by {', '.join(unknown)}, which is not a column of it")


@check("reports")
def its_lines_fit_their_columns(subject: Subject) -> None:
    """Of a sale with an order, of one that was cancelled, and before anything was ordered."""
    with subject.shop() as shop:
        _read(shop)
        shop.order({"carrots": 2, "juice": 1, "chicken": 1})
        shop.weigh({"chicken": "1.87"})
        shop.order({"soap": 1})
        shop.cancel()
        _read(shop)


def _read(shop: Shop) -> None:
    for language in LANGUAGES:
        for name, report in _reports(shop, language).items():
            for line in shop.report_lines(name, language=language):
                cells, columns = len(line), len(report.columns)
                demand(cells == columns, f"{name}: {line} has {cells} cells for {columns} columns")
                for column, cell in zip(report.columns, line, strict=True):
                    demand(
                        _fits(column, cell), f"{name}: {cell!r} in {column.name!r} is not of the kind {column.kind!r}"
                    )


def _fits(column: Column, cell: Cell) -> bool:
    if cell is None:
        return True
    if column.kind == "moment":
        return isinstance(cell, datetime) and cell.tzinfo is not None
    return type(cell) in _KINDS[column.kind]


def _reports(shop: Shop, language: str) -> dict[str, Report]:
    with shop.instance.store.read() as tx:
        return reports_of(tx, shop.instance.hooks, shop.id, language)
