"""Product lists over the API: import a CSV or XLSX file, with a dry run first, and export one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec

from ...api.endpoint import Body, Call, File, Routes
from ...base.errors import Problem
from ...base.languages.catalogs import say
from ...enterprises.access import demand
from ..product_lists.findings import PriceSlip
from ..product_lists.lists import Format, ListReport, PlannedList, export_list, plan_list
from ..product_lists.read import read_list
from ..product_lists.row_values import read_defaults
from ..web.openapi import Language

routes = Routes("product lists")

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Word = Annotated[str, msgspec.Meta(max_length=100)]
_MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class ListToRead(Body, frozen=True, kw_only=True):
    """`catalog` may be left out where there is only one. The defaults are for new products whose row does not say it in
    words we know: a product type, and a VAT rate in percent."""

    dry_run: bool = False
    catalog: Id | None = None
    default_category: Word = ""
    default_vat: Word = ""


class ListToWrite(Body, frozen=True, kw_only=True):
    """`mark` puts a byte order mark before a CSV, so that Excel sees that it is UTF-8."""

    catalog: Id | None = None
    format: Format = "csv"
    language: Language = "fr"
    mark: bool = True


@dataclass(frozen=True, kw_only=True)
class CellMistake:
    """A mistake in a list. The headers are row 1; `column` is the header as the file spells it, "" for a whole row."""

    row: int
    column: str
    code: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class ListOutcome:
    """How many rows the list created, changed and left as they were, or would. `unused` are columns without a meaning
    here. `mistakes` is only filled by a dry run; the first thousand are listed, `mistakes_in_all` counts every one.
    `slips` are prices that look like slips: 0, or ten times more or less than before; they are saved all the same."""

    created: int
    changed: int
    unchanged: int
    unused: Sequence[str]
    mistakes: Sequence[CellMistake]
    mistakes_in_all: int
    slips: Sequence[PriceSlip]


def _plan(call: Call, enterprise: str, body: bytes, query: ListToRead) -> PlannedList:
    """Works out every change before the write transaction, which only makes them."""
    demand(call.tx, call.actor, "catalogs:write", enterprise)
    product_list = read_list(body, call.tx.plugin_fields.products)
    defaults = read_defaults(query.default_category, query.default_vat, call.language)
    return plan_list(call.tx, enterprise, product_list, catalog_id=query.catalog, defaults=defaults)


@routes.post(
    "/enterprises/{enterprise}/product-list", scope="products:write", takes="application/octet-stream", prepare=_plan
)
def read_product_list(call: Call, enterprise: str, body: bytes, query: ListToRead) -> ListOutcome:
    """Makes products, stock and prices what a CSV or XLSX file says, all of it or nothing; needs catalogs:write too.

    The headers are those of Open Food Network, in English or French. A dry run changes nothing and answers every
    mistake by row and column; otherwise a list with mistakes is refused with all of them.
    """
    planned: PlannedList = call.prepared
    report = planned.report if query.dry_run else planned.commit(call.tx, person_id=call.person_id)
    return _list_outcome(report, call.language)


@routes.get("/enterprises/{enterprise}/product-list", scope="products:read")
def write_product_list(call: Call, enterprise: str, query: ListToWrite) -> File:
    """The products that the enterprise may change, with a catalog's prices, as a file that reads back unchanged."""
    content = export_list(
        call.tx, enterprise, catalog_id=query.catalog, language=query.language, format=query.format, mark=query.mark
    )
    return File(content, _MEDIA_TYPES[query.format], f"products.{query.format}")


def _list_outcome(report: ListReport, language: str) -> ListOutcome:
    return ListOutcome(
        created=report.created,
        changed=report.changed,
        unchanged=report.unchanged,
        unused=report.unused,
        mistakes=[_cell_mistake(problem, language) for problem in report.problems],
        mistakes_in_all=len(report.problems) + report.unlisted,
        slips=report.slips,
    )


def _cell_mistake(problem: Problem, language: str) -> CellMistake:
    values = problem.values
    return CellMistake(row=values["row"], column=values["column"], code=problem.code, detail=say(language, problem))
