"""Product lists: what an enterprise has in a file it brings, and may take home again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...base.errors import Problem
from ...storage.database import Transaction
from .check import check_list, unused_headers
from .commit import commit_plan
from .existing import known_lots, known_products, place_of
from .read import ProductList
from .row_values import NO_DEFAULTS, Defaults
from .write import list_rows, to_csv, to_xlsx

Format = Literal["csv", "xlsx"]


@dataclass(frozen=True, kw_only=True)
class ListReport:
    """What a list did, or would do. Rows with a mistake count as none of the three.

    created, changed, unchanged: rows
    unused:   headers of columns that hold something of which nothing is kept
    problems: mistakes by row and column, the first thousand; `unlisted` counts the others
    """

    created: int
    changed: int
    unchanged: int
    unused: tuple[str, ...]
    problems: tuple[Problem, ...] = ()
    unlisted: int = 0


def import_list(
    tx: Transaction,
    enterprise_id: str,
    listed: ProductList,
    *,
    catalog_id: str | None = None,
    defaults: Defaults = NO_DEFAULTS,
    dry_run: bool = False,
    person_id: str | None = None,
) -> ListReport:
    """Makes products, stock and prices what a list (from `read_list`) says; all of it, or nothing where it is wrong.

    Prices go to the enterprise's catalog; None is its only one. Products and columns that the list leaves out stay as
    they are. So does what an empty cell does not say: category, reference, price, stock, lot, VAT. Another empty cell
    means that there is none: no description, no deposit, not hidden. A dry run changes nothing and tells all mistakes.

    Raises `Invalid` with every mistake (not in a dry run), `NotFound`, `Refused`, `Stale`, `Conflict`; after which the
    transaction must end without a commit.
    """
    plan, findings = check_list(tx, enterprise_id, listed, catalog_id=catalog_id, defaults=defaults)
    if not dry_run:
        findings.refuse()
        commit_plan(tx, plan, person_id=person_id)
    return ListReport(
        created=len(plan.created),
        changed=len(plan.changed),
        unchanged=len(plan.unchanged),
        unused=unused_headers(listed),
        problems=findings.listed,
        unlisted=findings.unlisted,
    )


def export_list(
    tx: Transaction,
    enterprise_id: str,
    *,
    catalog_id: str | None = None,
    language: str,
    format: Format = "csv",
    mark: bool = True,
) -> bytes:
    """The list of all products that the enterprise may change, archived ones left out, with its catalog's prices.

    Headers, product types and labels are in `language` (fr or en). `mark` puts a byte order mark before a CSV.
    Raises `NotFound` and `Refused` as `import_list`.
    """
    place = place_of(tx, enterprise_id, catalog_id)
    producer_ids = [one.id for one in place.producers]
    products = [one for one in known_products(tx, place, producer_ids) if not one.archived]
    rows = list_rows(place, products, known_lots(tx, producer_ids), language)
    return to_xlsx(rows, language, tx.now) if format == "xlsx" else to_csv(rows, language, mark=mark)
