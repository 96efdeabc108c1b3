"""``commensal federation dfc``: a document is looked at, taken into an enterprise, and written again."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from commensal.instance import open_instance
from commensal.instance.begin import begin_instance
from commensal.testing.placed import a_shop
from commensal.trade.catalogs.catalogs import catalogs_of
from commensal.trade.catalogs.items import items_of
from commensal.trade.catalogs.offers import set_price
from commensal.trade.enterprises.customer_categories import create_category
from commensal.trade.products.questions import products_of
from commensal_federation.commands import commands
from commensal_federation.dfc.read import read
from commensal_federation.dfc.vocabulary import (
    DfcItem,
    DfcLot,
    DfcOffer,
    DfcPrice,
    DfcProduct,
    DfcQuantity,
    Thing,
)
from commensal_federation.dfc.write import write_116
from commensal_federation.linked_catalogues.errors import NotAnswered

from .distant import Distant

ELSEWHERE = "https://elsewhere.example/api/dfc"


def goods(number: int, **more: Any) -> list[Thing]:
    """A product of another platform, listed and offered."""
    item = DfcItem(iri=f"{ELSEWHERE}/items/{number}", product=f"{ELSEWHERE}/products/{number}", sku=f"S-{number}")
    price = DfcPrice(amount=250, currency="EUR", vat_rate=Decimal("5.5"))
    product: dict[str, Any] = {
        "name": f"Apples {number}",
        "product_type": "apples",
        "quantity": DfcQuantity(value=Decimal("1.5"), unit="Kilogram"),
        "labels": ("Organic-EU",),
        "allergens": ("Nuts",),
        **more,
    }
    return [
        DfcProduct(iri=f"{ELSEWHERE}/products/{number}", **product),
        item,
        DfcOffer(iri=f"{ELSEWHERE}/offers/{number}", item=item.iri, price=price),
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An instance with an enterprise that sells nothing yet."""
    begin_instance(tmp_path / "val", name="Val")
    with open_instance(tmp_path / "val") as opened, opened.store.write() as tx:
        a_shop(tx, name="Les Paniers", slug="les-paniers")
    return tmp_path / "val"


def bring(folder: Path, things: list[Thing], *words: str, fails: bool = False) -> str:
    file = folder.parent / "document.json"
    file.write_text(json.dumps(write_116(things)))
    return run("import", str(file), "--enterprise", "les-paniers", "--instance", str(folder), *words, fails=fails)


def run(*words: str, fails: bool = False) -> str:
    app = typer.Typer()
    commands(app)
    ran = CliRunner().invoke(app, ["dfc", *words], catch_exceptions=False)
    assert (ran.exit_code != 0) == fails, ran.output
    return ran.output


def test_products_prices_and_stock_of_another_platform_are_taken_in(folder: Path) -> None:
    stocked = goods(1)
    stocked[1] = DfcItem(iri=f"{ELSEWHERE}/items/1", product=f"{ELSEWHERE}/products/1", sku="S-1", stock=Decimal(7))
    assert "would create 2" in bring(folder, [*stocked, *goods(2)], "--dry-run")
    assert "created 2, changed 0" in bring(folder, [*stocked, *goods(2)])
    with open_instance(folder) as opened, opened.store.read() as tx:
        first, second = products_of(tx, "shop")
        (catalog,) = catalogs_of(tx, "shop")
        items = items_of(tx, "shop", catalog.id)
    assert (first.product.name, first.product.sku, first.left) == ("Apples 1", "S-1", 7)
    assert (first.product.product_type, first.product.labels, first.product.allergens) == (
        "apples", ("Organic-EU",), ("Nuts",),
    )  # fmt: skip
    assert (first.product.quantity, first.product.unit) == (Decimal("1.5"), "Kilogram")
    assert first.product.vat_rate == Decimal("5.5")
    assert second.left is None  # no limit is said
    assert [offer.price for item in items for offer in item.offers] == [250, 250]
    assert "created 0, changed 0, left 2" in bring(folder, [*stocked, *goods(2)])


def test_what_cannot_be_taken_in_is_named_and_nothing_is(folder: Path) -> None:
    said = bring(folder, [*goods(1, name=""), *goods(2)], "--dry-run", fails=True)
    assert f"{ELSEWHERE}/products/1 dfc-b:name" in said
    assert "would create 1" in said
    with open_instance(folder) as opened, opened.store.read() as tx:
        assert products_of(tx, "shop") == []


def test_a_product_without_a_type_needs_one_that_is_said_here(folder: Path) -> None:
    untyped = goods(1, product_type=None)
    assert "products/1 dfc-b:hasType" in bring(folder, untyped, "--dry-run", fails=True).replace("\n", " ")
    assert "created 1" in bring(folder, untyped, "--default-category", "fruit")


def test_prices_in_other_money_are_not_taken_for_ours(folder: Path) -> None:
    foreign = goods(1)
    foreign[2] = DfcOffer(
        iri=f"{ELSEWHERE}/offers/1", item=f"{ELSEWHERE}/items/1", price=DfcPrice(amount=250, currency="GBP")
    )
    assert "Prices in GBP are left out" in bring(folder, foreign, "--dry-run", fails=True)


@pytest.mark.parametrize("version", ["1", "2"])
def test_an_export_holds_everything_and_imports_again_unchanged(folder: Path, version: str) -> None:
    bring(folder, [*goods(1, weighed=True, deposit=DfcPrice(amount=20, currency="EUR")), *goods(2)])
    with open_instance(folder) as opened, opened.store.write() as tx:
        category = create_category(tx, "shop", name="Members")
        (catalog,) = catalogs_of(tx, "shop")
        first = items_of(tx, "shop", catalog.id)[0]
        set_price(tx, "shop", first.id, 200, category_id=category.id)
    file = folder.parent / "out.json"
    wrote = run("export", "les-paniers", "--version", version, "-o", str(file), "--instance", str(folder))
    assert "wrote" in wrote
    document = read(file.read_bytes(), host="val.example")
    assert document.version == ("2.0" if version == "2" else "1.16")
    assert [finding.weight for finding in document.findings if finding.code != "foreign_host"] == []
    assert len(document.all(DfcOffer)) == 3
    assert [row.unlimited for row in document.all(DfcLot)] == [True, True]
    assert document.all(DfcProduct)[0].deposit == DfcPrice(amount=20, currency="EUR")
    again = run("import", str(file), "--enterprise", "les-paniers", "--instance", str(folder))
    assert "created 0, changed 0, left 2" in again


def test_all_enterprises_are_exported_together(folder: Path) -> None:
    with open_instance(folder) as opened, opened.store.write() as tx:
        a_shop(tx, "other", name="Other", slug="other")
    document = read(run("export", "--all", "--instance", str(folder)).encode())
    assert len(document.things) == 6  # two enterprises with their addresses, and a catalog of each


def test_a_check_says_what_is_understood_and_what_is_not(tmp_path: Path) -> None:
    said = run("check", str(_odd(tmp_path)), fails=True)
    assert "DFC 1.16" in said
    assert "1 CatalogItem, 1 Offer, 1 SuppliedProduct" in said
    assert "hub:colour of SuppliedProduct is kept and passed on" in said.replace("\n", " ")
    assert "Wrong [no_number]: dfc-b:stockLimitation is not a number" in said.replace("\n", " ")


def test_a_check_in_a_french_shell_says_it_in_french(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    said = run("check", str(_odd(tmp_path)), fails=True).replace("\n", " ")
    assert "C’est un document DFC 1.16 : " in said
    assert "Compris : 1 CatalogItem, 1 Offer, 1 SuppliedProduct." in said
    assert "hub:colour de SuppliedProduct est gardé et transmis, mais rien n’en est fait." in said
    assert "Faux [no_number] : dfc-b:stockLimitation n’est pas un nombre possible. À " in said
    error = run("check", str(tmp_path / "none"), fails=True)  # in a box, whose lines end where the path lets them
    assert "n’est pas un fichier lisible" in " ".join(error.replace("│", " ").split())


def _odd(folder: Path) -> Path:
    """A document that says something unheard-of, and something that cannot be."""
    file = folder / "document.json"
    document = write_116(goods(1))
    document["@graph"][0]["hub:colour"] = "red"
    document["@graph"][1]["dfc-b:stockLimitation"] = "many"
    file.write_text(json.dumps(document))
    return file


def test_a_check_of_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    file = tmp_path / "document.json"
    file.write_text('{"@context": "https://evil.example/context.json"}')
    assert "[unknown_context]" in run("check", str(file), fails=True)


def test_a_hub_links_looks_reads_again_and_unlinks(folder: Path, tmp_path: Path) -> None:
    """``commensal dfc link``, ``links``, ``refresh``, ``unlink``; and ``check`` and ``import`` of an address."""
    toml = folder / "instance.toml"
    toml.write_text(f'{toml.read_text()}\n[outbound]\nallow = ["127.0.0.1"]\n')
    secret = tmp_path / "token.txt"
    secret.write_text("very-secret\n")
    with Distant() as there:
        url = there.say("/catalogue", *there.goods(1, stock=4), *there.goods(2, name=""))
        where = ("--instance", str(folder))
        assert "2 SuppliedProduct" in run("check", url, *where, "--token-file", str(secret))
        with_it = ("link", url, "--enterprise", "les-paniers", "--token-file", str(secret), "--name", "The Orchard")
        said = run(*with_it, *where)
        assert "new 1, changed 0, gone 0" in said
        assert "Un produit est laissé de côté : /name: Ceci ne doit pas être vide." in said, (
            "what stays with a link is said as its hub does"
        )
        id = said.split(":")[0]
        there.say("/catalogue", *there.goods(1, stock=5, price="3"))
        assert "new 0, changed 1, gone 0" in run("refresh", id, *where)
        listed = run("links", *where)
        assert "The Orchard" in listed
        assert "1 products" in listed
        assert "unlinked" in run("unlink", id, *where)
        assert run("links", *where) == ""
        assert "would create 1" in run("import", url, "--enterprise", "les-paniers", "--dry-run", *where)
        assert {request.headers.get("authorization", "") for request in there.asked} == {"Bearer very-secret", ""}
        assert "very-secret" not in said + listed
        with pytest.raises(NotAnswered, match=f"nothing at {there.base}"):
            run("check", f"{there.base}/nothing", *where)
