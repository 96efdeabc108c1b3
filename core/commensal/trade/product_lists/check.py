"""Checks a whole list against what there is: the same for a dry run and for the real one."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy

from ...base.errors import Problem
from ...storage.database import Transaction
from .columns import COLUMNS, Headers
from .existing import known_lots, known_products, place_of
from .findings import Findings
from .lots import Heaping
from .matching import Match, match_rows
from .plan import Plan, Planner
from .read import ProductList
from .row_values import Defaults, Reader


def check_list(
    tx: Transaction, enterprise_id: str, listed: ProductList, *, catalog_id: str | None, defaults: Defaults
) -> tuple[Plan, Findings]:
    """What the list changes, and every mistake in it; a plan with mistakes is not to be carried out.

    A constant number of statements. Raises `NotFound` and `Refused` as `place_of` does.
    """
    headers, findings = listed.headers, deepcopy(listed.findings)
    place = place_of(tx, enterprise_id, catalog_id)
    reader = Reader(place, headers, defaults, findings)
    rows = [said for row in listed.rows if (said := reader.read(row)) is not None]
    producer_ids = {said.producer.id for said in rows}
    matches = match_rows(rows, known_products(tx, place, producer_ids), headers, findings)
    _note_lacks(matches, defaults, headers, findings)
    sound = [match for match in matches if not findings.in_row(match.said.row)]
    heaps = Heaping(known_lots(tx, producer_ids), headers, findings).heaps(sound)
    return Planner(tx, place, headers, defaults, findings).plan(heaps), findings


def _note_lacks(matches: Iterable[Match], defaults: Defaults, headers: Headers, findings: Findings) -> None:
    """Notes what new products do not say of themselves, though they must."""
    for said in (match.said for match in matches if match.known is None):
        lacks = []
        if "product_type" not in said.values and defaults.category is None:
            lacks.append(("category", Problem("missing", "This must be filled in.")))
        if "vat_rate" not in said.values and defaults.vat_rate is None:
            text = "A new product needs a VAT rate in percent, such as 5.5; or choose one rate for all such rows."
            lacks.append(("tax_category", Problem("no_vat", text)))
        if "price" not in said.values and said.producer.sells:
            lacks.append(("price", Problem("no_price", "A new product needs a price.")))
        for key, problem in lacks:
            header = headers.spelling.get(key, "")
            if not (header and findings.in_cell(said.row, header)):
                findings.add(said.row, header, problem)


def unused_headers(listed: ProductList) -> tuple[str, ...]:
    """Headers of columns that hold something, of which nothing is kept here."""
    unused = [one.key for one in COLUMNS if not one.used and any(row.cells.get(one.key) for row in listed.rows)]
    return tuple(listed.headers.spelling[key] for key in unused)
