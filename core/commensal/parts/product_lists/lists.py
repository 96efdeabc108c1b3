"""Import and export of product lists: an enterprise's products, stock and prices as a file."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from typing import Literal

from ...base.errors import Problem
from ...storage.database import Transaction
from .columns import COLUMNS, Headers, columns_with, missing_column
from .commit import commit_plan
from .existing import existing_lots, existing_products, load_context
from .findings import Findings, PriceSlip
from .lots import Counted, LotGrouper
from .matching import Match, match_rows
from .plan import ImportPlan, ImportPlanner, PlannedGoods
from .read import ProductList
from .row_values import NO_DEFAULTS, Defaults, RowReader
from .write import list_rows, to_csv, to_xlsx

Format = Literal["csv", "xlsx"]


@dataclass(frozen=True, kw_only=True)
class ListReport:
    """The effect of an import or dry run.

    created, changed, unchanged: numbers of rows; rows with a mistake count in none of them
    unused:   headers of columns with content that the import ignores
    problems: mistakes by row and column, the first thousand; `unlisted` counts the others
    slips:    prices that somebody should confirm
    goods:    what its rows without a mistake make of products
    """

    created: int
    changed: int
    unchanged: int
    unused: tuple[str, ...]
    problems: tuple[Problem, ...] = ()
    unlisted: int = 0
    slips: tuple[PriceSlip, ...] = ()
    goods: tuple[PlannedGoods, ...] = ()


@dataclass(frozen=True)
class PlannedList:
    """What a list would change, and how to do it. `report` is that of a dry run."""

    report: ListReport
    _plan: ImportPlan
    _findings: Findings

    def commit(self, tx: Transaction, *, person_id: str | None = None) -> ListReport:
        """Makes the changes, of which all rows are known: few statements. Returns the report.

        Raises `Invalid` with every mistake, `Stale` for a product that somebody has changed since it was planned, and
        `Conflict`; roll the transaction back then.
        """
        self._findings.refuse()
        commit_plan(tx, self._plan, person_id=person_id)
        return self.report


def import_list(
    tx: Transaction,
    enterprise_id: str,
    listed: ProductList,
    *,
    catalog_id: str | None = None,
    defaults: Defaults = NO_DEFAULTS,
    counted: Counted = "on_hand",
    dry_run: bool = False,
    person_id: str | None = None,
) -> ListReport:
    """Sets products, stock and prices to the values of a list (from `read_list`); changes nothing if it has mistakes.

    Prices go to the catalog `catalog_id` of the enterprise; None means its only one. Products and columns that the list
    lacks stay as they are. So do category, reference, price, stock, lot and VAT if their cell is empty. Other empty
    cells clear the value: no description, no deposit, not hidden. A dry run changes nothing and reports all mistakes.
    `counted` "free": the stock is what may still be ordered, beside what is ordered or lent.

    Raises `Invalid` with every mistake (not in a dry run), `NotFound`, `Refused`, `Stale`, `Conflict`; roll the
    transaction back then. A long list holds up other writers while it is read: `plan_list` reads it before.
    """
    planned = plan_list(tx, enterprise_id, listed, catalog_id=catalog_id, defaults=defaults, counted=counted)
    return planned.report if dry_run else planned.commit(tx, person_id=person_id)


def plan_list(
    tx: Transaction,
    enterprise_id: str,
    listed: ProductList,
    *,
    catalog_id: str | None = None,
    defaults: Defaults = NO_DEFAULTS,
    counted: Counted = "on_hand",
) -> PlannedList:
    """Reads the cells of a list and works out everything that it changes, as `import_list` says, without changing it.
    The transaction may be one that only reads. Raises `NotFound`, `Refused`."""
    plan, findings = check_list(tx, enterprise_id, listed, catalog_id=catalog_id, defaults=defaults, counted=counted)
    report = ListReport(
        created=len(plan.created),
        changed=len(plan.changed),
        unchanged=len(plan.unchanged),
        unused=_unused_headers(listed),
        problems=findings.listed,
        unlisted=findings.unlisted,
        slips=tuple(plan.slips),
        goods=tuple(plan.goods),
    )
    return PlannedList(report, plan, findings)


def export_list(
    tx: Transaction,
    enterprise_id: str,
    *,
    catalog_id: str | None = None,
    language: str,
    format: Format = "csv",
    mark: bool = True,
) -> bytes:
    """The file with all products that the enterprise may change, without archived ones, with its catalog's prices:
    without any where it has no catalog yet.

    Headers, product types and labels are in `language` (fr or en). `mark` puts a byte order mark before a CSV.
    Raises `NotFound` and `Refused` as `import_list`.
    """
    context = load_context(tx, enterprise_id, catalog_id, without_catalog=True)
    producer_ids = [producer.id for producer in context.producers]
    products = [product for product in existing_products(tx, context, producer_ids) if not product.archived]
    rows = list_rows(context, products, existing_lots(tx, producer_ids), language)
    columns = columns_with(context.declared)
    if format == "xlsx":
        return to_xlsx(rows, language, tx.now, columns=columns)
    return to_csv(rows, language, columns=columns, mark=mark)


def check_list(
    tx: Transaction,
    enterprise_id: str,
    product_list: ProductList,
    *,
    catalog_id: str | None,
    defaults: Defaults,
    counted: Counted = "on_hand",
) -> tuple[ImportPlan, Findings]:
    """Returns the plan of all changes, and the mistakes found; a plan with mistakes must not be committed.

    Takes a constant number of statements. Raises `NotFound` and `Refused` as `load_context` does.
    """
    headers, findings = product_list.headers, deepcopy(product_list.findings)
    context = load_context(tx, enterprise_id, catalog_id)
    if "producer" not in headers.position and len(context.producers) > 1:
        findings.add(1, "", missing_column("producer"))
    reader = RowReader(context, headers, defaults, findings)
    rows = [values for row in product_list.rows if (values := reader.read(row)) is not None]
    producer_ids = {row.producer.id for row in rows}
    matches = match_rows(rows, existing_products(tx, context, producer_ids), headers, findings)
    _note_lacks(matches, defaults, headers, findings)
    sound = [match for match in matches if not findings.in_row(match.row.number)]
    groups = LotGrouper(existing_lots(tx, producer_ids), headers, findings, counted).group(sound)
    return ImportPlanner(tx, context, headers, defaults, findings).plan(groups), findings


def _note_lacks(matches: Iterable[Match], defaults: Defaults, headers: Headers, findings: Findings) -> None:
    """Notes required values that rows of new products lack."""
    for row in (match.row for match in matches if match.product is None):
        lacks = []
        if "product_type" not in row.values and defaults.category is None:
            lacks.append(("category", Problem("missing", "This must be filled in.")))
        if "vat_rate" not in row.values and defaults.vat_rate is None:
            text = "A new product needs a VAT rate in percent, such as 5.5; or choose one rate for all such rows."
            lacks.append(("tax_category", Problem("no_vat", text)))
        if "price" not in row.values and row.producer.sells:
            lacks.append(("price", Problem("no_price", "A new product needs a price.")))
        for key, problem in lacks:
            header = headers.spelling.get(key, "")
            if not (header and findings.in_cell(row.number, header)):
                findings.add(row.number, header, problem)


def _unused_headers(product_list: ProductList) -> tuple[str, ...]:
    """Headers of columns with content that the import ignores."""
    unused = [
        column.key
        for column in COLUMNS
        if not column.used and any(row.cells.get(column.key) for row in product_list.rows)
    ]
    return tuple(product_list.headers.spelling[key] for key in unused)
