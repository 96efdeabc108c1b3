"""Imports a document's products, prices and stock into an enterprise, by way of the import of product lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction

from commensal import LABELS, ORIGINS, PRODUCT_TYPES, Enterprise, Invalid, PluginFields, Problem, Transaction, digits
from commensal.parts.product_lists import Defaults, ListReport, PlannedList, list_from_cells, plan_list
from commensal.products import PRODUCT_FIELDS, products_of

from .described import SAME_AS, description_in
from .facts import in_language
from .findings import DocumentFindings
from .iris import enterprise_iri, local_id
from .literals import write_number
from .offered_products import OfferedProduct, OfferedProducts
from .read import DfcDocument, DocumentFinding, UnreadableDocument
from .vat import PriceBasis
from .vocabulary import DfcEnterprise, DfcLot, DfcPrice, DfcProduct

Cells = Mapping[str, str]
_NAMED = 5  # producers in one finding
_PAGE = 1_000  # products
# The DFC properties of columns that a row must have, so that missing ones are reported.
_NEEDED = {
    "name": PRODUCT_FIELDS["name"].dfc,
    "category": PRODUCT_FIELDS["product_type"].dfc,
    "units": PRODUCT_FIELDS["quantity"].dfc,
    "unit_type": PRODUCT_FIELDS["unit"].dfc,
    "price": "dfc-b:hasPrice",
    "tax_category": "dfc-b:VATrate",
    "on_hand": "dfc-b:stockLimitation",
    "sku": PRODUCT_FIELDS["sku"].dfc,
}
_PLAIN = [field for field in PRODUCT_FIELDS.values() if field.copied and field.kind in ("text", "html", "flag")]
_TERMS = [field for field in PRODUCT_FIELDS.values() if field.copied and field.kind == "terms"]


@dataclass(frozen=True, kw_only=True)
class DfcReport:
    """`list_report`: what became of the products, each problem with its product; `findings`: what of the document was
    left out, and why; `pictures`: the address of a picture, by the id of a product that has none here."""

    list_report: ListReport
    findings: tuple[DocumentFinding, ...]
    pictures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PlannedGoodsImport:
    """What a document would change, and how to do it. `report` is that of a dry run."""

    report: DfcReport
    _enterprise_id: str
    _planned: PlannedList
    _rows: Mapping[str, Cells]
    _document: DfcDocument

    def commit(self, tx: Transaction, *, person_id: str | None = None) -> DfcReport:
        """Imports all of it. Raises `Invalid` with every mistake at its product, `Stale` for a product that somebody
        has changed since it was planned, and `Conflict`; roll the transaction back then."""
        try:
            self._planned.commit(tx, person_id=person_id)
        except Invalid as error:
            raise Invalid([_locate(problem, list(self._rows)) for problem in error.problems]) from None
        return replace(self.report, pictures=_pictures(tx, self._enterprise_id, self._document, self._rows))


def plan_document(
    tx: Transaction,
    base: str,
    enterprise: Enterprise,
    document: DfcDocument,
    *,
    defaults: Defaults,
    catalog_id: str | None = None,
    supplier: str = "",
    prices_include_vat: bool = True,
) -> PlannedGoodsImport:
    """Works out what a document changes of the enterprise's products, stock and prices, without changing it: that may
    take long, so the transaction should be one that only reads.

    Prices are those for everybody. A product is recognised by its id if this instance gave it, else by its sku, else by
    its name and size. `base` is this instance's address; `supplier` the name or IRI of the enterprise whose goods are
    taken in, "" for all; `prices_include_vat` whether prices have VAT that do not say so. A case and its pieces share
    one stock, as Open Food Network counts it: that of the cases. A piece without a price costs its share of the case.

    Raises `UnreadableDocument` for a document without such products, and what `plan_list` raises.
    """
    findings = DocumentFindings()
    basis = PriceBasis(with_vat=enterprise.prices_include_vat, unsaid=prices_include_vat, rate=defaults.vat_rate)
    offered = OfferedProducts(document, enterprise.currency, findings, basis)
    reader = _Rows(document, base, enterprise, tx.plugin_fields.products, supplier, findings, offered)
    rows = reader.cells()
    if not rows and supplier:
        raise UnreadableDocument("no_supplier", f"There is no product of {supplier} with a size in this document.")
    if not rows:
        raise UnreadableDocument("no_products", "There is no product with a size in this document.")
    product_list, names = list_from_cells(rows.values()), list(rows)
    planned = plan_list(tx, enterprise.id, product_list, catalog_id=catalog_id, defaults=defaults, counted="free")
    problems = tuple(_locate(problem, names) for problem in planned.report.problems)
    report = DfcReport(list_report=replace(planned.report, problems=problems), findings=findings.collected)
    return PlannedGoodsImport(report, enterprise.id, planned, rows, document)


def _pictures(tx: Transaction, enterprise_id: str, document: DfcDocument, rows: Mapping[str, Cells]) -> dict[str, str]:
    """The address of a picture by the id of a product without one, which its name and size identify."""
    addresses = {
        (cells["name"], Decimal(cells["units"]), cells["unit_type"]): product.images[0]
        for iri, cells in rows.items()
        if (product := document.get(DfcProduct, iri)) and product.images
    }
    pictures, after = dict[str, str](), ""
    while addresses and (page := products_of(tx, enterprise_id, after=after, limit=_PAGE)):
        after = page[-1].product.id
        for own in (stocked.product for stocked in page):
            address = addresses.get((own.name, own.quantity, own.unit))
            if address and own.image_id is None:
                pictures[own.id] = address
    return pictures


def _locate(problem: Problem, iris: list[str]) -> Problem:
    """The same problem, located at the product and property that it concerns."""
    index = int(problem.values.get("row", 1)) - 2
    where = iris[index] if 0 <= index < len(iris) else problem.where
    column = str(problem.values.get("column", ""))
    return replace(problem, where=f"{where} {_NEEDED.get(column, column)}".strip())


class _Rows:
    """The rows of a product list, one for each product of a document."""

    def __init__(
        self,
        document: DfcDocument,
        base: str,
        enterprise: Enterprise,
        declared: PluginFields,
        supplier: str,
        findings: DocumentFindings,
        offered: OfferedProducts,
    ) -> None:
        self._document, self._base, self._enterprise, self._findings = document, base, enterprise, findings
        self._offered = offered
        self._declared, self._supplier = declared, supplier
        self._contents: dict[str, OfferedProduct] = {}  # the piece that a case is filled with, by the case's IRI

    def cells(self) -> dict[str, Cells]:
        """The cells of each product's row by column, by the product's IRI."""
        goods = [good for good in self._offered if self._is_chosen(good)]
        self._note_merged(goods)
        self._contents = self._contents_of_cases(goods)
        return {good.product.iri: self._row(good) for good in goods}

    def _is_chosen(self, good: OfferedProduct) -> bool:
        iri = good.product.enterprise or ""
        return self._supplier.casefold() in ("", iri.casefold(), self._name_of(iri).casefold())

    def _note_merged(self, goods: Sequence[OfferedProduct]) -> None:
        """Names producers that become one."""
        producers = sorted({good.product.enterprise for good in goods if good.product.enterprise})
        if len(producers) > 1:
            text = "Goods of {count} producers become goods of this one enterprise: {producers}. Choose one (supplier)."
            named = ", ".join(self._name_of(iri) for iri in producers[:_NAMED])
            self._findings.note("producers", text, producers[1], count=str(len(producers)), producers=named)

    def _contents_of_cases(self, goods: Sequence[OfferedProduct]) -> dict[str, OfferedProduct]:
        """The piece that each case is filled with. Names cases that cannot be counted with their pieces: boxes of
        several goods, and cases of cases, whose stocks a document states apart."""
        by_case: dict[str, list[OfferedProduct]] = {}
        for good in goods:
            if good.case is not None:
                by_case.setdefault(good.case.product, []).append(good)
        contents = {}
        for case, pieces in by_case.items():
            if len(pieces) == 1 and _content(pieces[0]) is not None and pieces[0].product.iri not in by_case:
                contents[case] = pieces[0]
            else:
                text = "This case is taken in with a stock of its own, apart from that of its pieces."
                self._findings.note("case_stock", text, case)
        return contents

    def _name_of(self, iri: str) -> str:
        enterprise = self._document.get(DfcEnterprise, iri)
        return (enterprise.name if enterprise and enterprise.name else iri)[:100]

    def _row(self, good: OfferedProduct) -> Cells:
        product, item = good.product, good.item
        is_piece = good.case is not None and good.case.product in self._contents
        stock = good.pieces_left if is_piece else good.stock
        cells = {
            **dict.fromkeys(_NEEDED, ""),
            **self._description(product),
            "producer": self._enterprise.slug,
            "units": write_number(good.size.value),
            "unit_type": good.size.unit,
            "on_demand": _flag(stock is None),
            "on_hand": "" if stock is None else str(stock),
        }
        piece = good if is_piece else self._contents.get(product.iri)
        if piece is not None:
            cells["lot"] = piece.product.name
        if piece is not None and not is_piece:
            cells |= {"units": write_number(_content(piece) or good.size.value), "unit_type": piece.size.unit}
        if product.product_type:
            known_type = PRODUCT_TYPES.get(product.product_type)
            cells["category"] = (
                known_type.en if known_type else product.product_type
            )  # the importer matches labels before terms
        price = good.price or good.buying_price
        if price is not None:
            cells["price"] = _amount(price)
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
        own_id = self._own_id(product)
        return {**cells, "id": own_id} if own_id else cells

    def _own_id(self, product: DfcProduct) -> str | None:
        """The id of our product that this is, or that its platform links to it."""
        own_iri = enterprise_iri(self._base, self._enterprise.id)
        iris = [*([product.iri] if product.enterprise == own_iri else []), *_same_as(product)]
        return next((id for iri in iris if (id := local_id(self._base, iri, "supplied_products"))), None)

    def _description(self, product: DfcProduct) -> dict[str, str]:
        """The cells of texts, flags and terms. Unknown labels and origins are left out; unknown allergens stop the
        import."""
        values = description_in(product, self._declared)
        values |= {"labels": self._labels(product), "origins": self._origins(product)}
        values["nutrition"] = in_language(values["nutrition"], self._enterprise.language)
        plain = {field.column: values[field.name] for field in _PLAIN}
        cells = {key: _flag(value) if isinstance(value, bool) else value for key, value in plain.items()}
        return cells | {field.column: ",".join(values[field.name]) for field in _TERMS}

    def _labels(self, product: DfcProduct) -> list[str]:
        labels = (*product.labels, *product.claims)
        for label in labels:
            if label not in LABELS:
                text = "The label {label} is not known here, and is left out."
                self._findings.note("label", text, product.iri, label=label[:100])
        return [label for label in labels if label in LABELS]

    def _origins(self, product: DfcProduct) -> list[str]:
        for origin in product.origins:
            if origin not in ORIGINS:
                text = "The origin {origin} is not known here, and is left out."
                self._findings.note("origin", text, product.iri, origin=origin[:100])
        return [origin for origin in product.origins if origin in ORIGINS]


def _same_as(product: DfcProduct) -> list[str]:
    """The addresses of the same product elsewhere."""
    return [str(value.get("@id", value.get("@value"))) for value in product.extra.get(SAME_AS, ())]


def _content(piece: OfferedProduct) -> Decimal | None:
    """What a case of these pieces contains, in the unit of a piece; None if that is not a decimal number."""
    if piece.case is None:
        return None
    content = Fraction(piece.size.value) * piece.case.pieces
    value = Decimal(content.numerator) / content.denominator
    return value if Fraction(value) == content else None


def _amount(price: DfcPrice) -> str:
    return write_number(Decimal(price.amount).scaleb(-digits(price.currency)))


def _flag(value: bool) -> str:
    return "1" if value else "0"
