"""Products: read strictly, edited by version, and sizes that share a lot exactly."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event, insert

from commensal.base.errors import Invalid, NotFound, Stale
from commensal.base.texts import LONGEST
from commensal.products.products import archive_product, change_product, create_product, restore_product
from commensal.products.questions import product_by_id, products_of
from commensal.products.tables import image
from commensal.products.values import SuppliedProduct
from commensal.stock.lots import lot_by_id, open_lot
from commensal.stock.take import take_stock
from commensal.storage.database import Store, Transaction

POTATO: dict[str, Any] = {
    "name": "Charlotte",
    "product_type": "potato",
    "quantity": Decimal(5),
    "unit": "Kilogram",
    "vat_rate": Decimal("5.5"),
}


@pytest.fixture
def farm(hamlet: Any) -> str:
    hamlet.enterprise("b-farm")
    name: str = hamlet.enterprise("a-farm")
    return name


def a_product(tx: Transaction, farm: str, **kwargs: Any) -> SuppliedProduct:
    return create_product(tx, enterprise_id=farm, **{**POTATO, **kwargs})


def mistakes(error: Invalid) -> list[tuple[str, str]]:
    return [(problem.where, problem.code) for problem in error.problems]


def test_a_product_comes_back_as_it_was_made(store: Store, farm: str) -> None:
    with store.write() as tx:
        product = a_product(
            tx,
            farm,
            name=" Charlotte ",
            description="<b>Ferme</b><script>x</script>",
            sku="P-1",
            weighed=True,
            labels=["Organic-AB", "Demeter", "Organic-AB"],
            allergens=["Nuts"],
            deposit=50,
            on_hand=Decimal("12.5"),
        )
        assert product == product_by_id(tx, farm, product.id)
    assert (product.name, product.description, product.sku) == ("Charlotte", "<b>Ferme</b>", "P-1")
    assert (product.labels, product.allergens) == (("Organic-AB", "Demeter"), ("Nuts",))
    assert (product.vat_rate, product.deposit, product.version) == (Decimal("5.5"), 50, 1)
    with store.read() as tx:
        lot = lot_by_id(tx, farm, product.lot_id)
    assert (lot.name, lot.unit, lot.per_unit, lot.free) == ("Charlotte", "Kilogram", 1000, Decimal("12.5"))


@pytest.mark.parametrize(
    ("quantity", "unit", "lot", "grains"),
    [
        ("5", "Kilogram", ("Kilogram", 1000), 5000),
        ("250", "Gram", ("Kilogram", 1000), 250),
        ("0.5", "Gram", ("Kilogram", 1_000_000), 500),
        ("75", "Centilitre", ("Litre", 1000), 750),
        ("1", "PoundMass", ("PoundMass", 2000), 2000),
        ("0.0625", "PoundMass", ("PoundMass", 2000), 125),
        ("6", "Piece", ("Piece", 1), 6),
        ("1", "Dozen", ("Piece", 1), 12),
        ("0.5", "Piece", ("Piece", 1_000_000), 500_000),
        ("1", "Bunch", ("Bunch", 1), 1),
        ("2.5", "Metre", ("Metre", 100), 250),
    ],
)
def test_a_product_without_a_lot_opens_one_that_fits_it(
    store: Store, farm: str, quantity: str, unit: str, lot: tuple[str, int], grains: int
) -> None:
    with store.write() as tx:
        product = a_product(tx, farm, quantity=Decimal(quantity), unit=unit)
        lot_of_product = lot_by_id(tx, farm, product.lot_id)
    assert (lot_of_product.unit, lot_of_product.per_unit) == lot
    assert product.lot_quantity == grains


def test_sizes_share_a_lot_and_each_says_how_many_pieces_are_left(store: Store, farm: str) -> None:
    with store.write() as tx:
        lot = open_lot(tx, enterprise_id=farm, name="Charlotte", unit="Kilogram", on_hand=Decimal(26))
        sizes = [
            a_product(tx, farm, name=f"{kilos} kg", quantity=Decimal(kilos), lot_id=lot.id) for kilos in (1, 5, 25)
        ]
        a_product(tx, farm, name="Autre")
        assert [size.lot_quantity for size in sizes] == [1000, 5000, 25_000]
        take_stock(tx, {lot.id: 2000}, order_id="o")
        products = products_of(tx, farm, lot_id=lot.id)
    assert sorted((entry.product.name, entry.left, entry.lot.free) for entry in products) == [
        ("1 kg", 24, Decimal(24)),
        ("25 kg", 0, Decimal(24)),
        ("5 kg", 4, Decimal(24)),
    ]


def test_what_is_unlimited_has_any_number_left(store: Store, farm: str) -> None:
    with store.write() as tx:
        a_product(tx, farm, unlimited=True)
        assert [product.left for product in products_of(tx, farm)] == [None]


def test_every_mistake_in_a_product_is_named(store: Store, farm: str) -> None:
    with store.write() as tx:
        other = open_lot(tx, enterprise_id="b-farm", name="Pommes", unit="Kilogram")
        foreign = {"enterprise_id": "b-farm", "sha256": "", "width": 1, "height": 1, "bytes": 1, "alt": ""}
        tx.execute(insert(image).values(id="theirs", created_at=tx.now, **foreign))
        a_product(tx, farm, sku="P-1")
        with pytest.raises(Invalid) as error:
            a_product(
                tx,
                farm,
                name=" ",
                sku="P-1",
                product_type="unicorn",
                unit="Percent",
                quantity=Decimal(-1),
                labels=["Organic-AB", "Nice"],
                allergens=["Nice"],
                deposit=-1,
                image_id="theirs",
                vat_rate=Decimal("5.555"),
                lot_id=other.id,
                on_hand=Decimal(1),
            )
        assert mistakes(error.value) == [
            ("/name", "required"),
            ("/sku", "sku_taken"),
            ("/product_type", "unknown_term"),
            ("/unit", "unknown_term"),
            ("/quantity", "quantity"),
            ("/labels/1", "unknown_term"),
            ("/allergens/0", "unknown_term"),
            ("/deposit", "deposit"),
            ("/image_id", "no_image"),
            ("/vat_rate", "vat_rate"),
            ("/on_hand", "lot_exists"),
        ]
        with pytest.raises(Invalid) as error:
            a_product(tx, farm, name="", lot_id=other.id)
        assert mistakes(error.value) == [("/name", "required"), ("/lot_id", "no_lot")]
        with pytest.raises(Invalid) as error:
            a_product(tx, farm, name="", on_hand=Decimal("0.0001"))
        assert mistakes(error.value) == [("/name", "required"), ("/on_hand", "too_fine")]
        assert [product.product.sku for product in products_of(tx, farm)] == ["P-1"]


@pytest.mark.parametrize("quantity", ["0", "NaN", "Infinity", "1E-999999", "1E+999999", "1000001"])
def test_a_content_that_cannot_be_is_refused(store: Store, farm: str, quantity: str) -> None:
    with store.write() as tx, pytest.raises(Invalid) as error:
        a_product(tx, farm, quantity=Decimal(quantity))
    assert mistakes(error.value) == [("/quantity", "quantity")]


@pytest.mark.parametrize(
    ("quantity", "unit", "code"),
    [
        ("0.0005", "Kilogram", "too_fine"),
        ("1", "PoundMass", "too_fine"),
        ("1", "Litre", "other_unit"),
        ("1", "Crate", "other_unit"),
    ],
)
def test_a_size_that_its_lot_cannot_give_is_refused(
    store: Store, farm: str, quantity: str, unit: str, code: str
) -> None:
    with store.write() as tx:
        lot = open_lot(tx, enterprise_id=farm, name="Charlotte", unit="Kilogram")
        with pytest.raises(Invalid) as error:
            a_product(tx, farm, quantity=Decimal(quantity), unit=unit, lot_id=lot.id)
    assert mistakes(error.value) == [("/quantity", code)]
    assert code == "other_unit" or "0.001 kg" in str(error.value)


def test_a_change_touches_what_it_names_and_nothing_else(store: Store, farm: str) -> None:
    with store.write() as tx:
        before = a_product(tx, farm, sku="P-1", labels=["Demeter"])
        after = change_product(tx, farm, before.id, 1, quantity=Decimal("2.5"), sku=None)
        assert (after.quantity, after.lot_quantity, after.sku, after.version) == (Decimal("2.5"), 2500, None, 2)
        assert (after.name, after.labels, after.lot_id) == (before.name, before.labels, before.lot_id)
        with pytest.raises(Invalid) as error:
            change_product(tx, farm, before.id, 2, name="", unit="Litre")
        assert mistakes(error.value) == [("/name", "required"), ("/quantity", "other_unit")]
        lot = open_lot(tx, enterprise_id=farm, name="Jus", unit="Litre")
        changed = change_product(tx, farm, before.id, 2, unit="Litre", lot_id=lot.id)
        assert (changed.unit, changed.lot_id, changed.lot_quantity) == ("Litre", lot.id, 2500)


def test_an_edit_of_an_older_version_or_of_somebody_elses_product_is_refused(store: Store, farm: str) -> None:
    with store.write() as tx:
        product = a_product(tx, farm)
        change_product(tx, farm, product.id, 1, name="Ratte")
        with pytest.raises(Stale):
            change_product(tx, farm, product.id, 1, name="Belle de Fontenay")
        with pytest.raises(NotFound):
            change_product(tx, "b-farm", product.id, 2, name="Mine")
        with pytest.raises(NotFound):
            archive_product(tx, "b-farm", product.id, 2)
        with pytest.raises(NotFound):
            product_by_id(tx, "b-farm", product.id)
        assert product_by_id(tx, farm, product.id).name == "Ratte"


def test_a_reference_is_taken_once_at_each_enterprise(store: Store, farm: str) -> None:
    with store.write() as tx:
        a_product(tx, farm, sku="P-1")
        a_product(tx, "b-farm", sku="P-1")
        other = a_product(tx, farm, sku="P-2")
        with pytest.raises(Invalid, match="P-1"):
            change_product(tx, farm, other.id, 1, sku=" P-1 ")
        assert change_product(tx, farm, other.id, 1, sku="P-2", name="Ratte").sku == "P-2"


def test_an_archived_product_is_listed_apart_and_can_come_back(store: Store, farm: str) -> None:
    with store.write() as tx:
        product = a_product(tx, farm)
        archived = archive_product(tx, farm, product.id, 1)
        assert archived.archived_at == tx.now
        assert products_of(tx, farm) == []
        assert [product.product.id for product in products_of(tx, farm, archived=True)] == [product.id]
        assert restore_product(tx, farm, product.id, 2).archived_at is None
        assert [product.product.id for product in products_of(tx, farm)] == [product.id]


def test_products_are_found_by_words_of_their_name_or_reference(store: Store, farm: str) -> None:
    with store.write() as tx:
        for name, sku in [("Crème fraîche", "CF-1"), ("Œufs de poule", None), ("Fromage frais", "CF-2")]:
            a_product(tx, farm, name=name, sku=sku)
        a_product(tx, "b-farm", name="Crème de cassis")

        def names_found(search: str) -> set[str]:
            return {product.product.name for product in products_of(tx, farm, search=search)}

        assert names_found("creme") == {"Crème fraîche"}
        assert names_found("POULE œufs") == {"Œufs de poule"}
        assert names_found("cf-") == {"Crème fraîche", "Fromage frais"}
        assert names_found("%") == set()
        change_product(tx, farm, products_of(tx, farm, search="poule")[0].product.id, 1, name="Oeufs de caille")
        assert names_found("poule") == set()
        assert names_found("caille") == {"Oeufs de caille"}


def test_a_page_of_products_with_stock_and_rate_is_one_statement(store: Store, farm: str) -> None:
    with store.write() as tx:
        ids = sorted(a_product(tx, farm, name=f"Sorte {number}").id for number in range(7))
    statements: list[str] = []
    with store.read() as tx:
        event.listen(store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
        first = products_of(tx, farm, limit=4)
        second = products_of(tx, farm, after=first[-1].product.id, limit=4)
    assert [entry.product.id for entry in (*first, *second)] == ids
    assert len([statement for statement in statements if statement.startswith("SELECT")]) == 2


def test_a_long_description_is_cut_before_it_is_read(store: Store, farm: str) -> None:
    with store.write() as tx:
        assert len(a_product(tx, farm, description="a" * (LONGEST + 1)).description) == LONGEST
