"""Product lists: an export reads back unchanged, whatever products are called, and a spreadsheet finds only text
and numbers in it."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as some
from python_calamine import CalamineWorkbook
from sqlalchemy import select, update

from commensal.base.clock import ManualClock
from commensal.base.errors import Invalid, Problem
from commensal.base.fields import read_plain_value
from commensal.base.texts import LONGEST
from commensal.base.units.measures import MEASURES, read_unit
from commensal.base.units.product_types import PRODUCT_TYPES
from commensal.catalogs.items import add_item
from commensal.catalogs.offers import set_price
from commensal.enterprises.tables import enterprise
from commensal.parts.product_lists.columns import COLUMNS
from commensal.parts.product_lists.lists import Format, export_list, import_list
from commensal.parts.product_lists.read import read_list
from commensal.products.fields import PRODUCT_FIELDS, ProductFacts, ProductField
from commensal.products.products import archive_product, create_product
from commensal.schema import metadata
from commensal.stock.take import take_stock
from commensal.storage.database import Store, Transaction

PRODUCERS = ("hub", "farm", "dairy")
_NASTY = [*"=+-@'\"\t;,\n\r|~<>&_%€œé’ \u00a0\u202f\u2028\ufffe\x7f\x85", "_x0041_", "'=", "=1+1", "😀", "e\u0301"]
_PART = some.sampled_from(_NASTY) | some.characters(codec="utf-8", exclude_characters="\x00")
_TEXT = some.lists(_PART, max_size=12).map("".join)


def _values_of(field: ProductField) -> some.SearchStrategy[Any]:
    """Values that products may have in a field, whatever its kind."""
    match field.kind:
        case "text" | "html":
            parts = _PART.filter(lambda part: _is_taken(field, part))
            return some.lists(parts, min_size=field.least, max_size=12).map("".join)
        case "flag":
            return some.booleans()
        case "amount":
            return some.integers(0, 10**6)
        case "number":
            return some.decimals("0.001", 10**6, places=3)
        case "term":
            return some.sampled_from(sorted(field.vocabulary))
        case "texts":
            texts = _TEXT.map(lambda text: " ".join(text.split())).filter(
                lambda text: _is_taken(PRODUCT_FIELDS["lifetime"], text)
            )
            return some.dictionaries(some.sampled_from(["br", "de", "en", "oci"]), texts, max_size=2)
        case "htmls":
            return some.dictionaries(some.sampled_from(["br", "de"]), _TEXT, max_size=2)
        case "terms":
            return some.lists(some.sampled_from(sorted(field.vocabulary)), unique=True, max_size=min(4, field.most))


def _is_taken(field: ProductField, text: str) -> bool:
    problems: list[Problem] = []
    read_plain_value(field, text, problems)
    return not problems


_PRODUCT = some.fixed_dictionaries(
    {
        "enterprise_id": some.sampled_from(PRODUCERS),
        "name": _values_of(PRODUCT_FIELDS["name"]),
        "description": _values_of(PRODUCT_FIELDS["description"]),
        "sku": some.none() | _values_of(PRODUCT_FIELDS["sku"]),
        "product_type": some.sampled_from(sorted(PRODUCT_TYPES)),
        "quantity": some.integers(1, 1000).map(Decimal) | some.decimals("0.001", 10**6, places=3),
        "unit": some.sampled_from([measure.term for measure in MEASURES.values() if measure.dimension != "ratio"]),
        "vat_rate": some.sampled_from(["0", "0.9", "1.05", "2.1", "5.5", "20"]).map(Decimal),
        "weighed": some.booleans(),
        "weight_tolerance": some.none() | some.decimals(0, 100, places=1),
        "deposit": some.integers(0, 10**6),
    }
    | {fact.name: _values_of(PRODUCT_FIELDS[fact.name]) for fact in fields(ProductFacts)}
)
_LISTING = some.none() | some.tuples(some.none() | _TEXT, some.booleans(), some.none() | some.integers(0, 10**12))
_STOCK = some.none() | some.integers(0, 1000)  # pieces, a third of them ordered; None: unlimited
_PRODUCTS = some.lists(
    some.tuples(_PRODUCT, _STOCK, _LISTING, some.booleans(), some.booleans()), min_size=1, max_size=5
)
_PLAIN: dict[str, Any] = {
    "enterprise_id": "farm",
    "name": "Pommes",
    "description": "",
    "sku": None,
    "product_type": "apples",
    "quantity": Decimal(1),
    "unit": "Kilogram",
    "vat_rate": Decimal("5.5"),
    "weighed": False,
    "labels": [],
    "allergens": [],
    "origins": [],
    "handling": [],
    "deposit": 0,
}


class Undo(Exception):
    """Ends a transaction without a commit."""


@pytest.fixture
def hub(store: Store, hamlet: Any) -> Store:
    """A hub and two producers: two have the same name, and one has a name that looks like a formula."""
    for name in PRODUCERS:
        hamlet.enterprise(name)
    for name in PRODUCERS[1:]:
        hamlet.grant(name, "hub", "ReadProducts", "WriteProducts", "WriteOrders")
    with store.write() as tx:
        for name, name_shown in (("hub", "=Hub"), ("farm", "Ferme"), ("dairy", "ferme ")):
            tx.execute(update(enterprise).where(enterprise.c.id == name).values(name=name_shown))
    return store


def _make(tx: Transaction, descriptions: list[Any]) -> int:
    """Creates the products that are valid, with stock and items; returns how many."""
    products: list[Any] = []
    for product, stock, listing, archived, shares in descriptions:
        lot_id = (
            products[-1].lot_id
            if shares and products and products[-1].enterprise_id == product["enterprise_id"]
            else None
        )
        try:
            created = create_product(tx, **product, lot_id=lot_id, unlimited=stock is None and lot_id is None)
        except Invalid:
            continue
        products.append(created)
        if stock and lot_id is None:
            _stock(tx, created, stock)
        if listing is not None:
            _list(tx, created.id, *listing)
        if archived and len(products) > 2:
            archive_product(tx, created.enterprise_id, created.id, created.version)
    return len(products)


def _stock(tx: Transaction, product: Any, pieces: int) -> None:
    lot = metadata.tables["stock_lot"]
    tx.execute(
        update(lot)
        .where(lot.c.id == product.lot_id)
        .values(free=pieces * product.lot_quantity + 1, low_level=pieces * 2)
    )
    if pieces > 2:
        take_stock(tx, {product.lot_id: pieces // 3 * product.lot_quantity}, order_id="order")


def _list(tx: Transaction, product_id: str, name: str | None, hidden: bool, price: int | None) -> None:
    try:
        item = add_item(tx, "hub", "hub-catalog", product_id, name=name, hidden=hidden)
    except Invalid:
        item = add_item(tx, "hub", "hub-catalog", product_id, hidden=hidden)
    if price is not None:
        set_price(tx, "hub", item.id, price)


def _all_rows(tx: Transaction) -> dict[str, list[Any]]:
    return {table.name: sorted(map(str, tx.execute(select(table)))) for table in metadata.sorted_tables}


_LONG = [({**_PLAIN, "description": "&" * LONGEST}, 3, ("'=", True, 0), False, False)]
_LIKE_NAMES = [({**_PLAIN, "product_type": term}, 0, None, False, False) for term in ("plum", "prune", "kale")]
_TWINS = [(_PLAIN, 7, ("A", False, 1), False, False), (_PLAIN, None, ("A", False, 1), False, False)]


@pytest.mark.long
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(language=some.sampled_from(["fr", "en"]), format=some.sampled_from(["csv", "xlsx"]), descriptions=_PRODUCTS)
@example(language="en", format="xlsx", descriptions=_LONG)
@example(language="fr", format="csv", descriptions=_LONG)
@example(language="fr", format="xlsx", descriptions=_LIKE_NAMES)
@example(language="en", format="csv", descriptions=_LIKE_NAMES)
@example(language="fr", format="csv", descriptions=_TWINS)
@example(language="en", format="xlsx", descriptions=_TWINS)
def test_what_is_written_reads_back_unchanged(
    hub: Store, language: str, format: Format, descriptions: list[Any]
) -> None:
    with pytest.raises(Undo), hub.write() as tx:
        assume(_make(tx, descriptions))
        before = _all_rows(tx)
        content = export_list(tx, "hub", language=language, format=format)
        report = import_list(tx, "hub", read_list(content))
        assert (report.created, report.changed, report.problems) == (0, 0, ())
        assert _all_rows(tx) == before
        assert export_list(tx, "hub", language=language, format=format) == content
        raise Undo


def test_every_unit_is_written_as_a_word_that_is_read_as_the_same() -> None:
    for measure in MEASURES.values():
        for language in ("fr", "en"):
            unit = read_unit(measure.symbol or measure.label(language))
            assert unit is not None
            assert (unit.measure, unit.times) == (measure, Decimal(1))


# ------------------------------------------------------------------------------------------------ for spreadsheets


def _export(hub: Store, **kwargs: Any) -> bytes:
    with hub.read() as tx:
        return export_list(tx, "hub", **{"language": "en", **kwargs})


@pytest.fixture
def stocked(hub: Store) -> Store:
    with hub.write() as tx:
        names = ("=1+1", "+x", "-x", "@x", "\tx", "Œufs")
        descriptions = [
            ({**_PLAIN, "name": name, "quantity": Decimal("0.5")}, 3, ("", False, 250), False, False) for name in names
        ]
        assert _make(tx, descriptions) == len(descriptions)
    return hub


def test_no_cell_is_a_formula(stocked: Store) -> None:
    rows = list(csv.reader(io.StringIO(_export(stocked).decode("utf-8-sig"))))
    assert len(rows) == 7
    assert [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
    with zipfile.ZipFile(io.BytesIO(_export(stocked, format="xlsx"))) as archive:
        assert b"<f" not in archive.read("xl/worksheets/sheet1.xml")


def test_an_english_list_has_the_headers_of_open_food_network_and_those_of_our_fields(stocked: Store) -> None:
    header, *rows = csv.reader(io.StringIO(_export(stocked).decode("utf-8-sig")))
    shared_headers = (
        "producer,sku,name,display_name,category,description,units,unit_type,variant_unit_name,price,on_hand,"
        "available_on,on_demand,shipping_category,tax_category"
    )
    facts = [PRODUCT_FIELDS[fact.name].english for fact in fields(ProductFacts)]
    ours = ["lot", "low_stock", "weighed", "weight tolerance", "deposit", *facts, "hidden"]
    assert header == ["id", *shared_headers.split(","), *ours]
    (eggs,) = (row for row in rows if "Œufs" in row)
    assert ",".join(eggs[1:21]) == "farm,,Œufs,,apple,,0.5,kg,,2.50,3,,0,,5.5,,0,0,,0.00"


def test_a_french_list_is_what_a_french_excel_opens(stocked: Store) -> None:
    content = _export(stocked, language="fr")
    assert content.startswith(b"\xef\xbb\xbfidentifiant;producteur;r")
    header, row = content.decode("utf-8-sig").splitlines()[:2]
    cells = dict(zip(header.split(";"), row.split(";"), strict=True))
    assert (cells["unités"], cells["prix"], cells["catégorie"], cells["tva"]) == ("0,5", "2,50", "pomme", "5,5")
    assert _export(stocked, language="fr", mark=False) == content.removeprefix(b"\xef\xbb\xbf")


def test_numbers_of_a_spreadsheet_are_numbers(stocked: Store) -> None:
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(_export(stocked, format="xlsx"))).get_sheet_by_index(0)
    header, row = sheet.to_python(skip_empty_area=False)[:2]
    cells = dict(zip(header, row, strict=True))
    assert list(cells) == [column.english for column in COLUMNS]
    assert (cells["units"], cells["price"], cells["on_hand"], cells["tax_category"]) == (0.5, 2.5, 3.0, 5.5)


def test_sizes_of_one_heap_say_which_and_others_do_not(hub: Store) -> None:
    with hub.write() as tx:
        sizes = [({**_PLAIN, "quantity": Decimal(size)}, 100, None, False, size > 1) for size in (1, 5, 25)]
        garlic = {**_PLAIN, "name": "Ail"}
        assert _make(tx, [*sizes, (garlic, 4, None, False, False)]) == 4
    rows = list(csv.DictReader(io.StringIO(_export(hub, mark=False).decode())))
    sizes_read = [(row["units"], row["lot"], row["on_hand"]) for row in rows]
    assert sizes_read == [("1", "", "4"), ("1", "Pommes", "100"), ("5", "Pommes", "20"), ("25", "Pommes", "4")]


def test_an_export_that_is_changed_in_one_cell_changes_that(stocked: Store, clock: ManualClock) -> None:
    content = _export(stocked, language="fr", mark=False).decode()
    assert content.count("Œufs") == 1
    with stocked.write() as tx:
        report = import_list(tx, "hub", read_list(content.replace("Œufs", "Œufs frais").encode("cp1252")))
    assert (report.created, report.changed, report.unchanged) == (0, 1, 5)
    assert _export(stocked, language="fr", mark=False).decode() == content.replace("Œufs", "Œufs frais")
