"""Product lists: what a file does to products, stock and prices; its mistakes by row and column; all or nothing."""

from __future__ import annotations

import os
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, event, func, insert, select, update

from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict, Invalid, NotFound, Refused, Stale
from commensal.catalogs.items import items_of
from commensal.catalogs.tables import catalog, catalog_item, offer
from commensal.catalogs.values import CatalogItem
from commensal.enterprises.tables import enterprise
from commensal.parts.checks.invariants import check_levels
from commensal.parts.product_lists.commit import commit_plan
from commensal.parts.product_lists.lists import ListReport, check_list, export_list, import_list
from commensal.parts.product_lists.plan import ImportPlan
from commensal.parts.product_lists.read import read_list
from commensal.parts.product_lists.row_values import NO_DEFAULTS, Defaults, read_defaults
from commensal.products.products import archive_product, create_product
from commensal.products.questions import products_of
from commensal.products.tables import supplied_product
from commensal.products.values import StockedProduct
from commensal.products.vat import rates_of
from commensal.stock.tables import stock_lot, stock_movement
from commensal.stock.take import take_stock
from commensal.storage.database import Store

SHARED = Path(os.environ.get("COMMENSAL_SHARED", Path(__file__).parents[3] / "shared")) / "open-food-network"
APPLES = {
    "producer": "farm",
    "name": "Pommes",
    "category": "pomme",
    "units": "1",
    "unit_type": "kg",
    "price": "2.50",
    "on_hand": "10",
    "tax_category": "5.5",
}


def a_list(*rows: dict[str, str], without: str = "") -> bytes:
    """A CSV file. Each row is `APPLES` with its own values on top."""
    full_rows = [{**APPLES, **row} for row in rows]
    headers = [key for key in dict.fromkeys(key for row in full_rows for key in row) if key not in without.split()]
    lines = [headers, *([f'"{row.get(key, "")}"' for key in headers] for row in full_rows)]
    return "\n".join(map(",".join, lines)).encode()


class Table:
    """A hub's product list: imports rows and files, and reads the results."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def import_rows(self, *rows: dict[str, str], **kwargs: Any) -> ListReport:
        return self.import_file(a_list(*rows), **kwargs)

    def import_file(self, content: bytes, enterprise_id: str = "hub", **kwargs: Any) -> ListReport:
        with self.store.write() as tx:
            return import_list(tx, enterprise_id, read_list(content), **kwargs)

    def plan(self, *rows: dict[str, str]) -> ImportPlan:
        with self.store.read() as tx:
            return check_list(tx, "hub", read_list(a_list(*rows)), catalog_id=None, defaults=NO_DEFAULTS)[0]

    def mistakes(self, *rows: dict[str, str], **kwargs: Any) -> list[str]:
        return [str(problem) for problem in self.import_rows(*rows, dry_run=True, **kwargs).problems]

    def products(self, producer: str = "farm") -> list[StockedProduct]:
        with self.store.read() as tx:
            return products_of(tx, producer, limit=200)

    def items(self) -> dict[str, CatalogItem]:
        with self.store.read() as tx:
            return {item.product_name: item for item in items_of(tx, "hub", "hub-catalog", limit=200)}

    def price(self, name: str = "Pommes") -> int:
        (general,) = self.items()[name].offers
        return general.price


@pytest.fixture
def table(store: Store, hamlet: Any) -> Table:
    """A hub that may change and sell what the farm has; the dairy lets it sell, the stranger nothing."""
    for name in ("hub", "farm", "dairy", "stranger"):
        hamlet.enterprise(name)
    hamlet.grant("farm", "hub", "ReadProducts", "WriteProducts", "WriteOrders")
    hamlet.grant("dairy", "hub", "ReadProducts", "WriteOrders")
    return Table(store)


# ------------------------------------------------------------------------------------------------ what it makes


def test_a_row_makes_a_product_with_its_stock_its_place_and_its_price(table: Table, store: Store) -> None:
    report = table.import_rows(
        {
            "sku": "P1",
            "display_name": "Pommes de Léa",
            "description": "<p>Bio</p><script>x</script>",
            "units": "0,5",
            "weighed": "oui",
            "deposit": "0.20",
            "labels": "Organic-AB, Demeter",
            "allergens": "Céleri",
            "hidden": "1",
            "price": "2,50 €",
        }
    )
    assert (report.created, report.changed, report.unchanged, report.problems) == (1, 0, 0, ())
    (stocked_product,) = table.products()
    product = stocked_product.product
    assert (product.name, product.sku, product.product_type) == ("Pommes", "P1", "apples")
    assert (product.quantity, product.unit, product.lot_quantity) == (Decimal("0.5"), "Kilogram", 500)
    assert (product.description, product.weighed, product.deposit) == ("<p>Bio</p>", True, 20)
    assert (product.labels, product.allergens) == (("Organic-AB", "Demeter"), ("Celeriac",))
    assert product.vat_rate == Decimal("5.5")
    assert (stocked_product.left, stocked_product.lot.on_hand, stocked_product.lot.unlimited) == (10, Decimal(5), False)
    item = table.items()["Pommes"]
    assert (item.name, item.hidden, table.price()) == ("Pommes de Léa", True, 250)
    with store.read() as tx:
        assert check_levels(tx) == []


def test_new_items_come_last_in_the_order_of_the_list(table: Table) -> None:
    table.import_rows({"name": "Poires"}, {"name": "Coings"})
    table.import_rows({"name": "Abricots"}, {"name": "Poires"})
    places = sorted((item.position, name) for name, item in table.items().items())
    assert [name for _, name in places] == ["Poires", "Coings", "Abricots"]


def test_units_are_those_of_open_food_network_and_words_for_packages(table: Table) -> None:
    units = {
        ("250", "g", ""): "250 Gram",
        ("1", "T", ""): "1 Tonne",
        ("1,5", "L", ""): "1.5 Litre",
        ("75", "cl", ""): "75 Centilitre",
        ("500", "mL", ""): "500 Millilitre",
        ("2", "kL", ""): "2000 Litre",
        ("8", "oz", ""): "0.5 PoundMass",
        ("3", "lb", ""): "3 PoundMass",
        ("1", "", "botte"): "1 Bunch",
        ("6", "", "Pieces"): "6 Piece",
        ("1", "kg", "botte"): "1 Kilogram",
    }
    keys = ("units", "unit_type", "variant_unit_name")
    table.import_rows(*({"name": " ".join(typed), **dict(zip(keys, typed, strict=True))} for typed in units))
    product_sizes = {entry.product.name: f"{entry.product.quantity} {entry.product.unit}" for entry in table.products()}
    assert product_sizes == {" ".join(typed).strip(): size for typed, size in units.items()}
    assert {product.left for product in table.products()} == {10}


def test_what_is_on_demand_is_not_counted(table: Table) -> None:
    table.import_rows({"on_demand": "1", "on_hand": "3"})
    (stocked_product,) = table.products()
    assert (stocked_product.left, stocked_product.lot.unlimited, stocked_product.lot.free) == (None, True, Decimal(0))


def test_a_french_list_from_excel_does_the_same(table: Table) -> None:
    content = (
        "Producteur;Nom;Catégorie;Unités;Type d'unité;Nom de l'unité;Prix;Stock;TVA\r\n"
        "farm;Œufs d’été;Œuf;6;;pièce;3,20;12;TVA 5,5 %\r\n"
        "farm;Prune;Prune;1;kg;;1\N{NO-BREAK SPACE}234,50;;20\r\n"
    )
    assert table.import_file(content.encode("cp1252")).created == 2
    eggs, plums = sorted(table.products(), key=lambda entry: entry.product.name, reverse=True)
    assert (eggs.product.name, eggs.product.vat_rate, eggs.left) == ("Œufs d’été", Decimal("5.5"), 12)
    assert (plums.product.product_type, table.price("Prune")) == ("plum", 123450)


def test_sizes_of_one_heap_share_a_lot(table: Table) -> None:
    sizes = [
        {"units": size, "lot": "Verger", "on_hand": count} for size, count in (("1", "53"), ("5", ""), ("25", "3"))
    ]
    assert table.mistakes(*sizes) == [
        "row 2, on_hand: Row 4 is taken from the same lot, and says something else of it."
    ]
    sizes[2]["on_hand"] = ""
    table.import_rows(*sizes)
    entries = table.products()
    assert len({entry.lot.id for entry in entries}) == 1
    assert [(entry.product.lot_quantity, entry.left) for entry in entries] == [(1000, 53), (5000, 10), (25000, 2)]
    table.import_rows({"units": "10", "lot": " verger ", "on_hand": ""})
    assert table.products()[3].lot == entries[0].lot


def test_a_heap_is_counted_as_finely_as_all_its_sizes_need(table: Table) -> None:
    table.import_rows(
        {"units": "1", "lot": "Safran", "on_hand": ""}, {"units": "0.5", "unit_type": "g", "lot": "Safran"}
    )
    assert {product.lot.per_unit for product in table.products()} == {1_000_000}
    assert table.mistakes({"name": "Botte", "unit_type": "", "variant_unit_name": "botte", "lot": "Safran"}) == [
        "row 2, lot: bunch cannot be taken from a stock that is counted in kilogram."
    ]


# ------------------------------------------------------------------------------------------------ what it changes


def test_the_same_list_twice_changes_nothing(table: Table, store: Store) -> None:
    rows = [{"sku": "A"}, {"name": "Poires", "on_demand": "1"}, {"name": "Coings", "units": "5", "lot": "Tas"}]
    table.import_rows(*rows)
    before = table.products(), table.items()
    report = table.import_rows(*rows)
    assert (report.created, report.changed, report.unchanged) == (0, 0, 3)
    assert (table.products(), table.items()) == before
    with store.read() as tx:
        assert tx.value(select(func.count()).select_from(stock_movement)) == 2


@pytest.mark.parametrize("cells", ["plain", "of a heap"])
def test_one_cell_changes_one_thing(table: Table, cells: str) -> None:
    changes: list[tuple[dict[str, str], set[str]]] = [
        ({"price": "3"}, {"price"}),
        ({"on_hand": "3"}, {"left"}),
        ({"on_demand": "1"}, {"left", "unlimited"}),
        ({"on_demand": "0", "on_hand": "4"}, {"left", "unlimited"}),
        ({"category": "poire"}, {"product_type"}),
        ({"tax_category": "20"}, {"vat_rate"}),
        ({"display_name": "Reinettes"}, {"item_name"}),
        ({"hidden": "1"}, {"hidden"}),
        ({"description": "<b>Neu</b>"}, {"description"}),
        ({"deposit": "1"}, {"deposit"}),
        ({"labels": "Demeter, HEV"}, {"labels"}),
        ({"allergens": "Lait"}, {"allergens"}),
        ({"weighed": "x"}, {"weighed"}),
        ({"units": "2"}, {"quantity", "lot_quantity"}),
        ({"units": "2000", "unit_type": "g"}, {"quantity", "unit"}),
        ({"name": "Reinettes"}, {"name"}),
        ({"lot": "Autre"}, {"lot_id"}),
    ]
    row = {"sku": "P1", "on_hand": "4"} | ({"lot": "Verger"} if cells == "of a heap" else {})
    table.import_rows(row)
    for change, expected in changes:
        before = _facts(table)
        row |= change
        assert (report := table.import_rows(row)).changed == 1, (change, report)
        after = _facts(table)
        assert {name for name in before if before[name] != after[name]} - {"left"} == expected - {"left"}
        assert ("left" in expected) <= (before["left"] != after["left"])
        assert table.import_rows(row).unchanged == 1


def _facts(table: Table) -> dict[str, Any]:
    """All values of the only product that a list can set."""
    (stocked_product,), (item,) = table.products(), table.items().values()
    product = {name: value for name, value in vars(stocked_product.product).items() if name != "version"}
    item_values = {"item_name": item.name, "hidden": item.hidden, "price": item.offers[0].price}
    return {**product, "left": stocked_product.left, "unlimited": stocked_product.lot.unlimited, **item_values}


def test_what_a_list_leaves_out_stays_and_what_it_empties_goes(table: Table) -> None:
    full = {"sku": "P1", "description": "Bio", "labels": "Demeter", "deposit": "1", "display_name": "X", "hidden": "1"}
    table.import_rows(full)
    before = table.products(), table.items()
    table.import_file(a_list({}, without="category tax_category on_hand"))
    assert (table.products(), table.items()) == before
    table.import_rows({**dict.fromkeys(full, ""), "category": "", "tax_category": "", "price": "", "on_hand": ""})
    (stocked_product,), item = table.products(), table.items()["Pommes"]
    assert (stocked_product.product.description, stocked_product.product.labels, stocked_product.product.deposit) == (
        "",
        (),
        0,
    )
    assert (item.name, item.hidden) == (None, False)
    assert (stocked_product.product.sku, stocked_product.product.product_type, stocked_product.left, table.price()) == (
        "P1",
        "apples",
        10,
        250,
    )


def test_a_new_rate_of_vat_applies_from_today_on(table: Table, store: Store, clock: ManualClock) -> None:
    table.import_rows({})
    clock.advance(days=30)
    table.import_rows({"tax_category": "20"})
    table.import_rows({"tax_category": "10"})
    with store.read() as tx:
        rates = rates_of(tx, "farm", table.products()[0].product.id)
    assert [(str(rate.valid_from), rate.rate) for rate in rates] == [
        ("0001-01-01", Decimal("5.5")),
        ("2026-07-04", Decimal(10)),
    ]


def test_what_is_ordered_stays_reserved_when_stock_is_counted(table: Table, store: Store) -> None:
    table.import_rows({})
    lot_id = table.products()[0].lot.id
    with store.write() as tx:
        take_stock(tx, {lot_id: 4000}, order_id="order")
    assert table.import_rows({}).unchanged == 1  # ten are still there
    table.import_rows({"on_hand": "7"})
    assert table.products()[0].left == 3
    assert table.mistakes({"on_hand": "3"}) == [
        "row 2, on_hand: 4 kg are ordered, so there cannot be less. Change or cancel orders first."
    ]
    table.import_rows({"on_demand": "1"})
    table.import_rows({"on_demand": "0", "on_hand": "5"})
    assert (table.products()[0].left, table.products()[0].lot.reserved) == (1, Decimal(4))
    with store.read() as tx:
        assert check_levels(tx) == []


def test_in_a_heap_a_row_that_repeats_what_is_known_says_nothing(table: Table) -> None:
    rows = [
        {"units": size, "lot": "Verger", "on_hand": count} for size, count in (("1", "103"), ("5", "20"), ("25", "4"))
    ]
    table.import_rows({**rows[0]}, {**rows[1], "on_hand": ""}, {**rows[2], "on_hand": ""})
    assert table.import_rows(*rows).unchanged == 3
    report = table.import_rows({**rows[0], "on_hand": "60"}, *rows[1:])
    assert (report.changed, report.unchanged) == (1, 2)
    assert [product.left for product in table.products()] == [60, 12, 2]


# ------------------------------------------------------------------------------------------------ which product


def test_a_product_is_known_by_its_id_its_reference_or_its_name_and_size(table: Table) -> None:
    table.import_rows({"sku": "P1"})
    product_id = table.products()[0].product.id
    assert table.import_rows({"id": product_id, "name": "A", "sku": "P2"}).changed == 1
    assert table.import_rows({"sku": "P2", "name": "B", "units": "2"}).changed == 1
    assert table.import_rows({"name": " b", "units": "2000", "unit_type": "g"}).changed == 1
    assert table.import_rows({"name": "B", "units": "3"}).created == 1
    assert table.import_rows({"name": "B", "units": "2", "sku": "P3"}).created == 1
    assert table.products()[0].product.sku == "P2"


def test_rows_that_mean_one_product_are_named_with_each_other(table: Table) -> None:
    table.import_rows({"name": "Poires"}, {"name": "Noix", "sku": "N"})
    noix = next(product.product.id for product in table.products() if product.product.name == "Noix")
    mistakes = table.mistakes(
        {"sku": "A"},
        {"sku": "A", "name": "Coings"},  # one reference
        {"name": "Kiwis"},
        {"name": "kiwis", "units": "1000", "unit_type": "g"},  # one name and size
        {"name": "Poires"},
        {"name": "POIRES"},  # an existing product
        {"id": noix},
        {"sku": "N"},
        {"id": noix, "name": "Noix"},
        {"name": "Kakis", "sku": "K1"},
        {"name": "Kakis", "sku": "K2"},  # two references make two
        {"name": "Figues", "display_name": "violettes"},
        {"name": "Figues", "display_name": "vertes"},
    )
    same = "This is the same product as in row {}. Remove one of the two."
    assert mistakes == [
        f"row 3, sku: {same.format(2)}",
        f"row 5, name: {same.format(4)}",
        f"row 7, name: {same.format(6)}",
        f"row 9, name: {same.format(8)}",
        f"row 10, id: {same.format(8)}",
    ]


def test_products_that_look_alike_need_a_reference(table: Table) -> None:
    table.import_rows({"sku": "A"}, {"sku": "B"})
    assert table.mistakes({}) == [
        "row 2, name: 2 products have this name and size. Say which one is meant by its reference or id."
    ]
    table.import_rows({"sku": "A", "display_name": "Gala"}, {"sku": "B", "display_name": "Elstar"})
    assert table.import_rows({"display_name": "Elstar", "price": "9"}).changed == 1
    assert [product.sku for product in (entry.product for entry in table.products())] == ["A", "B"]


def test_an_archived_product_is_not_brought_back_by_accident(table: Table, store: Store) -> None:
    table.import_rows({"sku": "P1"}, {"name": "Poires"})
    with store.write() as tx:
        for entry in table.products():
            archive_product(tx, "farm", entry.product.id, entry.product.version)
    archived = "Pommes is archived. Bring it back first, or give the new product another reference."
    assert table.mistakes({"sku": "P1"}, {"name": "Poires"}) == [f"row 2, sku: {archived}"]
    assert table.import_rows({"name": "Poires"}).created == 1


def test_ids_and_references_of_others_open_nothing(table: Table, store: Store) -> None:
    with store.write() as tx:
        milk = create_product(
            tx,
            enterprise_id="dairy",
            name="Lait",
            product_type="milk",
            quantity=Decimal(1),
            unit="Litre",
            vat_rate=Decimal("5.5"),
            sku="L",
        )
    assert table.mistakes({"id": milk.id}) == [
        "row 2, id: farm has no product of this id. Leave the cell empty for a new product."
    ]
    assert table.import_rows({"sku": "L", "name": "Lait", "unit_type": "L"}).created == 1
    with store.read() as tx:
        assert products_of(tx, "dairy")[0].product == milk


# ------------------------------------------------------------------------------------------------ whose


def test_only_producers_that_let_it_are_changed(table: Table) -> None:
    assert table.mistakes({"producer": "dairy"}, {"producer": "stranger"}, {"producer": "Fram"}, {"producer": ""}) == [
        "row 2, producer: dairy is neither this enterprise nor a producer that lets it change its products.",
        "row 3, producer: stranger is neither this enterprise nor a producer that lets it change its products.",
        "row 4, producer: Fram may not be changed here, or is not known. Did you mean farm?",
        "row 5, producer: This must be filled in.",
    ]
    assert table.import_rows({"producer": "HUB"}, {"producer": "Farm"}).created == 2


def test_who_may_not_sell_a_producers_goods_does_not_list_them(table: Table, hamlet: Any) -> None:
    hamlet.enterprise("mill")
    hamlet.grant("mill", "hub", "WriteProducts")
    flour = {"producer": "mill", "name": "Farine"}
    assert table.mistakes(flour) == [
        "row 2, price: mill lets you change its products, but not sell them. Leave the price empty."
    ]
    assert table.import_rows({**flour, "price": ""}).created == 1
    assert table.items() == {}


def test_the_catalog_is_the_enterprises_own_and_must_be_clear(table: Table, store: Store) -> None:
    with pytest.raises(NotFound):
        table.import_rows({}, catalog_id="farm-catalog")
    with pytest.raises(NotFound):
        table.import_file(a_list({}), "nobody")
    with store.write() as tx:
        tx.execute(insert(catalog).values(id="second", enterprise_id="hub", name="Traiteurs", version=1))
    with pytest.raises(Refused, match="several catalogs"):
        table.import_rows({})
    assert table.import_rows({}, catalog_id="second").created == 1
    assert table.items() == {}
    with store.write() as tx:
        tx.execute(delete(catalog).where(catalog.c.enterprise_id == "stranger"))
    with pytest.raises(Refused, match="no catalog yet"):
        table.import_file(a_list({}), "stranger")
    with store.read() as tx:
        template = export_list(tx, "stranger", language="en", mark=False)
    assert template.splitlines()[0].startswith(b"id,producer,"), "before there is a catalog, the list is a template"


# ------------------------------------------------------------------------------------------------ mistakes


def test_every_mistake_is_told_by_row_and_column(table: Table) -> None:
    report = table.import_rows(
        {"name": "", "units": "0", "price": "2.505", "on_hand": "1.5", "on_demand": "maybe"},
        {"category": "pomem", "tax_category": "Tax Category Name", "unit_type": "stone", "price": "-1"},
        {"labels": "AB", "allergens": "Gluten", "tax_category": "0.055", "on_hand": "-1"},
        {"units": "9999999", "weighed": "peut-être", "deposit": "=1", "price": "1e3000", "tax_category": "5.125"},
        {"name": "x" * 201, "sku": "y" * 101, "unit_type": "", "description": "ok"},
        {"unit_type": "%", "id": "0", "on_hand": "9" * 9, "tax_category": "100"},
        dry_run=True,
    )
    assert [(problem.where, problem.code) for problem in report.problems] == [
        ("row 2, name", "required"),
        ("row 2, units", "not_a_number"),
        ("row 2, price", "fraction"),
        ("row 2, on_hand", "not_whole"),
        ("row 2, on_demand", "flag"),
        ("row 3, unit_type", "unknown_unit"),
        ("row 3, category", "unknown_category"),
        ("row 3, tax_category", "unknown_vat"),
        ("row 3, price", "amount"),
        ("row 4, tax_category", "unknown_vat"),
        ("row 4, labels", "unknown_label"),
        ("row 4, allergens", "unknown_allergen"),
        ("row 4, on_hand", "not_whole"),
        ("row 5, deposit", "formula"),
        ("row 5, units", "quantity"),
        ("row 5, tax_category", "vat_rate"),
        ("row 5, weighed", "flag"),
        ("row 5, price", "not_a_number"),
        ("row 6, name", "too_long"),
        ("row 6, sku", "too_long"),
        ("row 6, unit_type", "missing"),
        ("row 7, units", "quantity"),
        ("row 7, tax_category", "vat_rate"),
        ("row 7, id", "unknown_id"),
    ]


def test_a_mistake_in_one_cell_hides_none_in_another(table: Table) -> None:
    rows = [{"price": "?", "tax_category": ""}, {"price": "?"}, {"producer": "nobody", "price": "?", "category": ""}]
    assert [problem.where for problem in table.import_rows(*rows, dry_run=True).problems] == [
        "row 2, price",
        "row 2, tax_category",
        "row 3, price",
        "row 3, name",
        "row 4, producer",
        "row 4, price",
    ]


@pytest.mark.parametrize(
    ("row", "mistake"),
    [
        ({"category": "Fromages"}, "category: Fromages is not a product type we know. The nearest ones are fromage"),
        ({"unit_type": "bocale"}, "unit_type: bocale is not a unit we know. The nearest ones are bocal"),
        (
            {"labels": "Demeter, AB"},
            "labels: AB is not a label we know. The nearest ones are Agriculture Biologique (AB)",
        ),
        ({"price": "2.505"}, "price: '2.505' has more than 2 decimals."),
        (
            {"tax_category": "Réduite"},
            "tax_category: Réduite is not a VAT rate. Write it in percent, such as 5.5, or choose",
        ),
    ],
)
def test_a_mistake_says_what_would_be_right(table: Table, row: dict[str, str], mistake: str) -> None:
    (message,) = table.mistakes(row)
    assert message.startswith(f"row 2, {mistake}")


def test_a_new_product_says_what_it_is(table: Table) -> None:
    nothing = {"category": "", "tax_category": "", "price": ""}
    assert table.mistakes(nothing) == [
        "row 2, category: This must be filled in.",
        "row 2, tax_category: A new product needs a VAT rate in percent, such as 5.5; or choose one rate for all such "
        "rows.",
        "row 2, price: A new product needs a price.",
    ]
    report = table.import_file(a_list({}, without="category tax_category"), dry_run=True)
    assert [problem.where for problem in report.problems] == ["row 2", "row 2"]


def test_defaults_speak_for_new_products_that_do_not(table: Table) -> None:
    rows = [{"name": "A", "category": "Divers", "tax_category": "Réduite"}, {"name": "B", "category": "poire"}]
    assert len(table.mistakes(*rows)) == 2
    defaults = read_defaults("Légumes", "5,5 %")
    assert defaults == Defaults(category="vegetable", vat_rate=Decimal("5.5"))
    table.import_rows(*rows, defaults=defaults)
    assert [product.product.product_type for product in table.products()] == ["vegetable", "pear"]
    table.import_rows({**rows[0], "category": "poire", "tax_category": "20"})
    assert table.import_rows(rows[0], defaults=defaults).unchanged == 1  # a correction by hand stays
    with pytest.raises(Invalid) as error:
        read_defaults("Divers", "viel")
    assert [problem.where for problem in error.value.problems] == ["default_category", "default_vat"]


def test_a_thousand_mistakes_are_listed_and_the_others_counted(table: Table) -> None:
    rows = [{"name": f"P{number}", "category": f"zzz{number}", "price": "?"} for number in range(700)]
    report = table.import_rows(*rows, dry_run=True)
    assert (len(report.problems), report.unlisted) == (1000, 400)


def test_columns_without_a_meaning_here_are_told(table: Table) -> None:
    report = table.import_rows({"shipping_category": "Froid", "available_on": ""})
    assert report.unused == ("shipping_category",)


# ------------------------------------------------------------------------------------------------ all or nothing


def all_rows(store: Store) -> list[Any]:
    tables = (supplied_product, stock_lot, stock_movement, catalog_item, offer)
    with store.read() as tx:
        return [sorted(map(tuple, tx.execute(select(table)).all())) for table in tables]


def test_a_list_with_one_mistake_changes_nothing(table: Table, store: Store) -> None:
    table.import_rows({"sku": "P1"})
    before = all_rows(store)
    with pytest.raises(Invalid) as error:
        table.import_rows({"sku": "P1", "price": "9"}, {"name": "Poires"}, {"name": "Coings", "price": "?"})
    assert [problem.where for problem in error.value.problems] == ["row 4, price"]
    assert all_rows(store) == before


def test_a_dry_run_says_the_same_and_changes_nothing(table: Table, store: Store) -> None:
    table.import_rows({"sku": "P1"}, {"sku": "P2"})
    before = all_rows(store)
    rows = [{"sku": "P1", "price": "9"}, {"name": "Poires"}, {"sku": "P2"}]
    dry_run = table.import_rows(*rows, dry_run=True)
    assert all_rows(store) == before
    assert table.import_rows(*rows) == dry_run
    assert (dry_run.created, dry_run.changed, dry_run.unchanged) == (1, 1, 1)


@pytest.mark.parametrize("changed", [supplied_product, catalog_item, offer], ids=["product", "item", "price"])
def test_what_somebody_changed_meanwhile_is_not_overwritten(table: Table, store: Store, changed: Any) -> None:
    table.import_rows({"sku": "P1"})
    plan = table.plan({"sku": "P1", "price": "9", "hidden": "1", "description": "Neu"})
    with store.write() as tx:
        tx.execute(update(changed).values(version=changed.c.version + 1))
    before = all_rows(store)
    with pytest.raises(Stale), store.write() as tx:
        commit_plan(tx, plan, person_id=None)
    assert all_rows(store) == before


def test_what_somebody_made_or_listed_meanwhile_is_not_there_twice(table: Table, store: Store) -> None:
    table.import_rows({"sku": "P1"})
    with store.write() as tx:
        for changed_table in (offer, catalog_item):
            tx.execute(delete(changed_table))
    plans = table.plan({"sku": "P1"}), table.plan({"sku": "P2", "name": "Poires"})
    table.import_rows({"sku": "P1"}, {"sku": "P2", "name": "Poires"})
    before = all_rows(store)
    for plan, error in zip(plans, (Stale, Invalid), strict=True):
        with pytest.raises(error), store.write() as tx:
            commit_plan(tx, plan, person_id=None)
    assert all_rows(store) == before


@pytest.mark.parametrize("ordered", [3, 6])
def test_orders_that_come_in_meanwhile_keep_their_goods(table: Table, store: Store, ordered: int) -> None:
    table.import_rows({})
    plan, lot_id = table.plan({"on_hand": "5"}), table.products()[0].lot.id
    with store.write() as tx:
        take_stock(tx, {lot_id: ordered * 1000}, order_id="order")
    if ordered > 5:
        with pytest.raises(Conflict, match="6 kg of Pommes are ordered"), store.write() as tx:
            commit_plan(tx, plan, person_id=None)
        return
    with store.write() as tx:
        commit_plan(tx, plan, person_id=None)
    assert table.products()[0].left == 2


# ------------------------------------------------------------------------------------------------ size


def test_a_long_list_costs_as_many_statements_as_a_short_one(table: Table, store: Store) -> None:
    rows = [{"name": f"Produit {number}", "sku": f"S{number}"} for number in range(200)]
    changed = [{**row, "price": "3", "description": "Neu", "tax_category": "20", "on_hand": "1"} for row in rows]
    counts: list[int] = []

    def count(*statement: Any) -> None:
        counts[-1] += 1

    event.listen(store.engine, "before_cursor_execute", count)
    for batch in (rows[:1], rows[1:], changed[:1], changed[1:]):
        counts.append(0)
        table.import_rows(*batch)
    event.remove(store.engine, "before_cursor_execute", count)
    assert counts[0] == counts[1] <= 25
    assert counts[2] == counts[3] <= 25


def test_five_thousand_rows_take_a_few_seconds(table: Table) -> None:
    content = a_list(*({"name": f"Produit {number}"} for number in range(5_000)))
    before = time.process_time()
    assert table.import_file(content).created == 5_000
    assert time.process_time() - before < 10


# ------------------------------------------------------------------------------------------------ Open Food Network


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"{SHARED} is not here; COMMENSAL_SHARED names it")
def test_a_list_of_open_food_network_is_read_as_it_is(table: Table, store: Store) -> None:
    with store.write() as tx:
        tx.execute(update(enterprise).where(enterprise.c.id == "hub").values(name="User Enterprise"))
    content = (SHARED / "sample_file_120_products.csv").read_bytes()
    dry_run = table.import_file(content, dry_run=True)
    assert {problem.code for problem in dry_run.problems} == {"unknown_vat"}
    report = table.import_file(content, defaults=read_defaults(vat_rate="5.5"))
    assert (report.created, report.unused) == (120, ("shipping_category",))
    products = {entry.product.sku: entry for entry in table.products("hub")}
    last = products["120"]
    assert (last.product.name, last.product.quantity, last.product.unit) == (
        "Imported Product 120",
        Decimal(120),
        "Gram",
    )
    assert (last.product.product_type, last.left) == ("vegetable", 219)
    assert table.items()["Imported Product 120"].name == "Orange Tree"
    assert table.price("Imported Product 120") == 12100
    assert table.import_file(content, defaults=read_defaults(vat_rate="5.5")).unchanged == 120


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"{SHARED} is not here; COMMENSAL_SHARED names it")
def test_the_template_of_open_food_network_has_headers_that_are_known(table: Table) -> None:
    content = (SHARED / "product_list_template.csv").read_bytes()
    with pytest.raises(Refused) as error:
        read_list(content)
    assert error.value.code == "empty"


# ------------------------------------------------------------------------------------------------ alerts


def test_a_list_sets_and_takes_away_the_level_of_an_alert_in_pieces_of_the_row(table: Table) -> None:
    def level() -> Decimal | None:
        return table.products()[0].lot.low_level

    small, large = {"name": "Petit", "units": "0.5", "lot": "Tas"}, {"name": "Grand", "units": "2", "lot": "Tas"}
    table.import_rows({**small, "on_hand": "9", "low_stock": "7"}, {**large, "on_hand": "", "low_stock": ""})
    assert level() == Decimal("3.5")
    as_exported = ({**small, "on_hand": "9", "low_stock": "7"}, {**large, "on_hand": "2", "low_stock": "1"})
    assert table.import_rows(*as_exported).unchanged == 2
    assert table.import_rows({**small, "on_hand": "9"}, {**large, "on_hand": "2"}).unchanged == 2, "without the column"
    contradiction = ({**small, "on_hand": "9", "low_stock": "8"}, {**large, "on_hand": "2", "low_stock": "3"})
    assert table.mistakes(*contradiction) == [
        "row 2, low_stock: Row 3 is taken from the same lot, and says something else of it."
    ]
    report = table.import_rows(
        {**small, "on_hand": "9", "low_stock": "12"}, {**large, "on_hand": "2", "low_stock": "3"}
    )
    assert (report.changed, level()) == (2, Decimal(6))
    table.import_rows({**small, "on_hand": "9", "low_stock": ""}, {**large, "on_hand": "2", "low_stock": ""})
    assert level() is None
    assert "low_stock" in str(table.import_rows({"low_stock": "few"}, dry_run=True).problems[0].values)
