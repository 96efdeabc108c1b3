"""Checks a whole list against the existing products and lots: the same for a dry run and for an import."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy

from ...base.errors import Problem
from ...storage.database import Transaction
from .columns import COLUMNS, Headers
from .existing import existing_lots, existing_products, load_context
from .findings import Findings
from .lots import LotGrouper
from .matching import Match, match_rows
from .plan import ImportPlan, ImportPlanner
from .read import ProductList
from .row_values import Defaults, RowReader


def check_list(
    tx: Transaction, enterprise_id: str, product_list: ProductList, *, catalog_id: str | None, defaults: Defaults
) -> tuple[ImportPlan, Findings]:
    """Returns the plan of all changes, and the mistakes found; a plan with mistakes must not be committed.

    Takes a constant number of statements. Raises `NotFound` and `Refused` as `load_context` does.
    """
    headers, findings = product_list.headers, deepcopy(product_list.findings)
    context = load_context(tx, enterprise_id, catalog_id)
    reader = RowReader(context, headers, defaults, findings)
    rows = [values for row in product_list.rows if (values := reader.read(row)) is not None]
    producer_ids = {row.producer.id for row in rows}
    matches = match_rows(rows, existing_products(tx, context, producer_ids), headers, findings)
    _note_lacks(matches, defaults, headers, findings)
    sound = [match for match in matches if not findings.in_row(match.row.number)]
    groups = LotGrouper(existing_lots(tx, producer_ids), headers, findings).group(sound)
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


def unused_headers(product_list: ProductList) -> tuple[str, ...]:
    """Headers of columns with content that the import ignores."""
    unused = [
        column.key
        for column in COLUMNS
        if not column.used and any(row.cells.get(column.key) for row in product_list.rows)
    ]
    return tuple(product_list.headers.spelling[key] for key in unused)
