"""Takes a document's products, prices and stock into an enterprise, as a product list is taken in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from commensal import (
    LABELS,
    PRODUCT_TYPES,
    Defaults,
    Enterprise,
    ListReport,
    Problem,
    Transaction,
    digits,
    import_list,
    list_from_cells,
)

from .findings import Findings
from .goods import Good, Goods
from .iris import enterprise_iri, local_id
from .literals import write_number
from .read import DfcDocument, Finding, Unreadable
from .vocabulary import DfcLot, DfcPrice, DfcProduct

Cells = Mapping[str, str]
# By which property of DFC a document says what a column of a product list says.
_PROPERTIES = {
    "name": "dfc-b:name",
    "category": "dfc-b:hasType",
    "units": "dfc-b:hasQuantity",
    "unit_type": "dfc-b:hasUnit",
    "price": "dfc-b:hasPrice",
    "tax_category": "dfc-b:VATrate",
    "on_hand": "dfc-b:stockLimitation",
    "sku": "dfc-b:sku",
}


@dataclass(frozen=True, kw_only=True)
class DfcReport:
    """`listed` says what became of the products, its problems named by product; `findings` what of the document was
    left out of them, and why."""

    listed: ListReport
    findings: tuple[Finding, ...]


def import_document(
    tx: Transaction,
    base: str,
    enterprise: Enterprise,
    document: DfcDocument,
    *,
    defaults: Defaults,
    catalog_id: str | None = None,
    dry_run: bool = False,
) -> DfcReport:
    """Makes products, stock and prices what the document says; all of it, or nothing where it is wrong.

    Prices are those for everybody. A product is known again by its id where this instance gave it, else by its sku,
    else by its name and size. `base` is this instance's address. Raises `Unreadable` for a document without products,
    and what `import_list` raises.
    """
    findings = Findings()
    rows = _Rows(document, base, enterprise, findings).cells()
    if not rows:
        raise Unreadable("no_products", "There is no product with a size in this document.")
    listed = list_from_cells(rows.values())
    report = import_list(tx, enterprise.id, listed, catalog_id=catalog_id, defaults=defaults, dry_run=dry_run)
    names = list(rows)
    problems = tuple(_named(one, names) for one in report.problems)
    return DfcReport(listed=replace(report, problems=problems), findings=findings.listed)


def _named(problem: Problem, iris: list[str]) -> Problem:
    """The same problem, at the product and the property that it is about."""
    place = int(problem.values.get("row", 1)) - 2
    where = iris[place] if 0 <= place < len(iris) else problem.where
    column = str(problem.values.get("column", ""))
    return replace(problem, where=f"{where} {_PROPERTIES.get(column, column)}".strip())


class _Rows:
    """A row of cells for each product of a document, by its IRI."""

    def __init__(self, document: DfcDocument, base: str, enterprise: Enterprise, findings: Findings) -> None:
        self._document, self._base, self._enterprise, self._findings = document, base, enterprise, findings

    def cells(self) -> dict[str, Cells]:
        goods = Goods(self._document, self._enterprise.currency, self._findings)
        return {good.product.iri: self._row(good) for good in goods}

    def _row(self, good: Good) -> Cells:
        product, item = good.product, good.item
        cells = {
            **dict.fromkeys(_PROPERTIES, ""),  # so that what is missing can be named
            "producer": self._enterprise.slug,
            "name": product.name,
            "description": product.description,
            "units": write_number(good.size.value),
            "unit_type": good.size.unit,
            "weighed": _flag(product.weighed),
            "allergens": ",".join(product.allergens),
            "labels": ",".join(self._labels(product)),
            "on_demand": _flag(good.stock is None),
            "on_hand": "" if good.stock is None else str(good.stock),
        }
        if product.product_type:
            known_type = PRODUCT_TYPES.get(product.product_type)
            cells["category"] = known_type.en if known_type else product.product_type  # labels win over terms
        if good.price is not None:
            cells["price"] = _amount(good.price)
        if good.by_category:
            text = "Prices of customer categories are left out: their customers are not this enterprise's."
            self._findings.note("category_prices", text, product.iri)
        if good.vat_rate is not None:
            cells["tax_category"] = write_number(good.vat_rate)
        if product.deposit is not None:
            cells["deposit"] = _amount(product.deposit)
        if item is not None:
            cells |= {"sku": item.sku, "display_name": item.name, "hidden": _flag(item.hidden)}
        lot = self._document.get(DfcLot, product.lot)
        if lot is not None and lot.name:
            cells["lot"] = lot.name
        known = local_id(self._base, product.iri, "supplied_products")
        if known and product.enterprise == enterprise_iri(self._base, self._enterprise.id):
            cells["id"] = known
        return cells

    def _labels(self, product: DfcProduct) -> list[str]:
        said = (*product.labels, *product.claims)
        for one in said:
            if one not in LABELS:
                text = "The label {label} is not known here, and is left out."
                self._findings.note("label", text, product.iri, label=one[:100])
        return [one for one in said if one in LABELS]


def _amount(price: DfcPrice) -> str:
    return write_number(Decimal(price.amount).scaleb(-digits(price.currency)))


def _flag(value: bool) -> str:
    return "1" if value else "0"
