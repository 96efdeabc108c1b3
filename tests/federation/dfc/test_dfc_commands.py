"""``commensal federation dfc``: checks a document, imports it into an enterprise, and exports it again."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from commensal.catalogs.catalogs import catalogs_of
from commensal.catalogs.items import items_of
from commensal.catalogs.offers import set_price
from commensal.enterprises.customer_categories import create_category
from commensal.instance import open_instance
from commensal.parts.cli import app as shell
from commensal.parts.setup.begin import begin_instance
from commensal.products.questions import products_of
from commensal.testing.placed import a_shop
from commensal_federation.commands import commands
from commensal_federation.dfc.findings import Paths
from commensal_federation.dfc.graph import write_116
from commensal_federation.dfc.read import read
from commensal_federation.dfc.vocabulary import (
    DfcEnterprise,
    DfcItem,
    DfcLot,
    DfcOffer,
    DfcPrice,
    DfcProduct,
    DfcQuantity,
    Thing,
)
from commensal_federation.linked_catalogues.values import NotAnswered

from .distant import Distant
from .emitted import assert_readable

ELSEWHERE = "https://elsewhere.example/api/dfc"


def goods(number: int, **members: Any) -> list[Thing]:
    """A product of another platform, with its item and offer."""
    item = DfcItem(iri=f"{ELSEWHERE}/items/{number}", product=f"{ELSEWHERE}/products/{number}", sku=f"S-{number}")
    price = DfcPrice(amount=250, currency="EUR", vat_rate=Decimal("5.5"))
    product: dict[str, Any] = {
        "name": f"Apples {number}",
        "product_type": "apples",
        "quantity": DfcQuantity(value=Decimal("1.5"), unit="Kilogram"),
        "labels": ("Organic-EU",),
        "allergens": ("Nuts",),
        **members,
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
    with open_instance(tmp_path / "val") as instance, instance.store.write() as tx:
        a_shop(tx, name="Les Paniers", slug="les-paniers")
    return tmp_path / "val"


def import_things(folder: Path, things: list[Thing], *words: str, fails: bool = False) -> str:
    file = folder.parent / "document.json"
    file.write_text(json.dumps(write_116(things)))
    return run("import", str(file), "--enterprise", "les-paniers", "--instance", str(folder), *words, fails=fails)


def run(*words: str, fails: bool = False) -> str:
    app = typer.Typer()
    commands(app)
    result = CliRunner().invoke(app, ["dfc", *words], catch_exceptions=False)
    assert (result.exit_code != 0) == fails, result.output
    return result.output


def test_products_prices_and_stock_of_another_platform_are_taken_in(folder: Path) -> None:
    first_goods = goods(1)
    first_goods[1] = DfcItem(iri=f"{ELSEWHERE}/items/1", product=f"{ELSEWHERE}/products/1", sku="S-1", stock=Decimal(7))
    assert "would create 2" in import_things(folder, [*first_goods, *goods(2)], "--dry-run")
    assert "created 2, changed 0" in import_things(folder, [*first_goods, *goods(2)])
    with open_instance(folder) as instance, instance.store.read() as tx:
        first_product, second_product = products_of(tx, "shop")
        (catalog,) = catalogs_of(tx, "shop")
        items = items_of(tx, "shop", catalog.id)
    assert (first_product.product.name, first_product.product.sku, first_product.left) == ("Apples 1", "S-1", 7)
    assert (first_product.product.product_type, first_product.product.labels, first_product.product.allergens) == (
        "apples",
        ("Organic-EU",),
        ("Nuts",),
    )
    assert (first_product.product.quantity, first_product.product.unit) == (Decimal("1.5"), "Kilogram")
    assert first_product.product.vat_rate == Decimal("5.5")
    assert second_product.left is None  # no limit is given
    assert [offer.price for item in items for offer in item.offers] == [250, 250]
    assert "created 0, changed 0, left 2" in import_things(folder, [*first_goods, *goods(2)])


def test_what_cannot_be_taken_in_is_named_and_nothing_is(folder: Path) -> None:
    output = import_things(folder, [*goods(1, name=""), *goods(2)], "--dry-run", fails=True)
    assert f"{ELSEWHERE}/products/1 dfc-b:name" in output
    assert "would create 1" in output
    with open_instance(folder) as instance, instance.store.read() as tx:
        assert products_of(tx, "shop") == []


def test_a_product_without_a_type_needs_one_that_is_said_here(folder: Path) -> None:
    untyped = goods(1, product_type=None)
    assert "products/1 dfc-b:hasType" in import_things(folder, untyped, "--dry-run", fails=True).replace("\n", " ")
    assert "created 1" in import_things(folder, untyped, "--default-category", "fruit")


def test_prices_in_other_money_are_not_taken_for_ours(folder: Path) -> None:
    foreign = goods(1)
    foreign[2] = DfcOffer(
        iri=f"{ELSEWHERE}/offers/1", item=f"{ELSEWHERE}/items/1", price=DfcPrice(amount=250, currency="GBP")
    )
    assert "Prices in GBP are left out" in import_things(folder, foreign, "--dry-run", fails=True)


@pytest.mark.parametrize("version", ["1", "2"])
def test_an_export_holds_everything_and_imports_again_unchanged(folder: Path, version: str) -> None:
    import_things(folder, [*goods(1, weighed=True, deposit=DfcPrice(amount=20, currency="EUR")), *goods(2)])
    with open_instance(folder) as instance, instance.store.write() as tx:
        category = create_category(tx, "shop", name="Members")
        (catalog,) = catalogs_of(tx, "shop")
        first_item = items_of(tx, "shop", catalog.id)[0]
        set_price(tx, "shop", first_item.id, 200, category_id=category.id)
    file = folder.parent / "out.json"
    output = run("export", "les-paniers", "--version", version, "-o", str(file), "--instance", str(folder))
    assert "wrote" in output
    assert_readable(file.read_bytes())
    document = read(file.read_bytes(), host="val.example")
    assert document.version == ("2.0" if version == "2" else "1.16")
    assert [finding.weight for finding in document.findings if finding.code != "foreign_host"] == []
    assert len(document.all(DfcOffer)) == 3
    assert [row.unlimited for row in document.all(DfcLot)] == [True, True]
    assert document.all(DfcProduct)[0].deposit == DfcPrice(amount=20, currency="EUR")
    second_import = run("import", str(file), "--enterprise", "les-paniers", "--instance", str(folder))
    assert "created 0, changed 0, left 2" in second_import


def test_what_an_import_cannot_keep_is_named(folder: Path) -> None:
    farms = [DfcEnterprise(iri=f"{ELSEWHERE}/farms/{name}", name=name) for name in ("Hill", "Vale")]
    hill = goods(
        1,
        enterprise=farms[0].iri,
        images=("https://elsewhere.example/apples.png",),
        extra={"dfc-b:hasNutrientCharacteristic": ({"@value": "rich"},)},
    )
    output = import_things(folder, [*farms, *hill, *goods(2, enterprise=farms[1].iri)], "--dry-run").replace("\n", " ")
    assert "Nutrition is left out" in output
    assert "Goods of 2 producers become goods of this one enterprise: Hill, Vale. Choose one" in output


def test_an_import_of_one_farm_loses_nothing(folder: Path) -> None:
    output = import_things(folder, goods(1), "--dry-run")
    assert "left out" not in output
    assert "become goods" not in output


def test_all_enterprises_are_exported_together(folder: Path) -> None:
    with open_instance(folder) as instance, instance.store.write() as tx:
        a_shop(tx, "other", name="Other", slug="other")
    document = read(run("export", "--all", "--instance", str(folder)).encode())
    assert len(document.things) == 6  # two enterprises with their addresses, and a catalog of each


def test_a_check_says_what_is_understood_and_what_is_not(tmp_path: Path) -> None:
    output = run("check", str(_odd_document(tmp_path)), fails=True)
    assert "DFC 1.16" in output
    assert "1 CatalogItem, 1 Offer, 1 SuppliedProduct" in output
    assert "hub:colour of SuppliedProduct is kept and passed on" in output.replace("\n", " ")
    assert "Wrong [no_number]: dfc-b:stockLimitation is not a number" in output.replace("\n", " ")


def test_a_check_in_a_french_shell_says_it_in_french(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    output = run("check", str(_odd_document(tmp_path)), fails=True).replace("\n", " ")
    assert "C’est un document DFC 1.16\u00a0: " in output
    assert "Compris\u00a0: 1 CatalogItem, 1 Offer, 1 SuppliedProduct." in output
    assert "hub:colour de SuppliedProduct est gardé et transmis, mais rien n’en est fait." in output
    assert "Faux [no_number]\u00a0: dfc-b:stockLimitation n’est pas un nombre possible. À " in output
    error = run("check", str(tmp_path / "none"), fails=True)  # in a box whose line breaks depend on the path
    assert "n’est pas un fichier lisible" in " ".join(error.replace("│", " ").split())


def _odd_document(folder: Path) -> Path:
    """A document with an unknown property and an impossible value."""
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


def test_a_check_says_where_something_is_and_what_would_be_right(tmp_path: Path) -> None:
    output = run("check", str(_odd_document(tmp_path)), fails=True)
    assert "  $['@graph'][1]['dfc-b:stockLimitation']\n  Write a number, such as 2.5." in output
    assert "  $['@graph'][0]['hub:colour']\n  Nothing has to be done." in output


def test_a_check_for_programs_is_json(tmp_path: Path) -> None:
    result = json.loads(run("check", str(_odd_document(tmp_path)), "--json", fails=True))
    assert (result["version"], result["understood"]) == ("1.16", {"CatalogItem": 1, "Offer": 1, "SuppliedProduct": 1})
    (wrong,) = (finding for finding in result["findings"] if finding["weight"] == "wrong")
    assert wrong == {
        "weight": "wrong",
        "code": "no_number",
        "count": 1,
        "text": "dfc-b:stockLimitation is not a number that can be.",
        "iri": f"{ELSEWHERE}/items/1",
        "property": "dfc-b:stockLimitation",
        "hint": "Write a number, such as 2.5.",
        "path": "$['@graph'][1]['dfc-b:stockLimitation']",
    }
    bare = write_116([DfcItem(iri=f"{ELSEWHERE}/items/1")])
    (tmp_path / "bare.json").write_text(json.dumps(bare))
    gaps = json.loads(run("check", str(tmp_path / "bare.json"), "--json"))["gaps"]
    assert [(gap["code"], gap["path"]) for gap in gaps] == [
        ("no_price", "$['@graph'][0]"),
        ("no_product", "$['@graph'][0]"),
    ]


def test_a_developer_without_an_instance_checks_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the guide promises; whatever needs an instance says that there is none."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "document.json").write_text(json.dumps(write_116(goods(1))))
    checked = CliRunner().invoke(shell, ["dfc", "check", "document.json"])
    assert (checked.exit_code, checked.exception) == (0, None)
    assert "1.16" in checked.output
    linked = CliRunner().invoke(shell, ["dfc", "links"])
    assert linked.exit_code == 1
    assert "There is no instance.toml" in str(linked.exception)


@pytest.mark.parametrize(
    ("content", "code"), [("fine", 0), ("odd", 1), ('{"@context": "https://evil.example/context.json"}', 3), ("{", 3)]
)
def test_a_check_ends_with_a_code_for_programs(tmp_path: Path, content: str, code: int) -> None:
    file = tmp_path / "document.json"
    file.write_text(json.dumps(write_116(goods(1))) if content == "fine" else content)
    file = _odd_document(tmp_path) if content == "odd" else file
    app = typer.Typer()
    commands(app)
    assert CliRunner().invoke(app, ["dfc", "check", str(file)]).exit_code == code


@pytest.mark.parametrize(
    ("property", "path"),
    [
        ("dfc-b:description", "$[1]['dfc-b:hasDescription']"),
        ("dfc-b:hasAddress", "$[1]['dfc-b:hasAdress']"),
        ("dfc-b:VATnumber", "$[1]"),
    ],
)
def test_a_path_names_the_property_as_it_is_spelt(property: str, path: str) -> None:
    node = {"@id": "https://x.example/1", "dfc-b:hasDescription": "A", "dfc-b:hasAdress": "https://x.example/2"}
    assert Paths([{"@id": "https://x.example/1"}, node]).path_of("https://x.example/1", property) == path


def test_paths_of_nested_nodes_and_odd_keys_are_written_as_rfc_9535_says() -> None:
    raw = {"it's": [{"@id": "https://x.example/1", "a\\b": 1}]}
    assert Paths(raw).path_of("https://x.example/1") == "$['it\\'s'][0]"
    assert Paths(raw).path_of("https://x.example/1", "a\\b") == "$['it\\'s'][0]['a\\\\b']"


def test_a_hub_links_looks_reads_again_and_unlinks(folder: Path, tmp_path: Path) -> None:
    """``commensal dfc link``, ``links``, ``refresh``, ``unlink``; and ``check`` and ``import`` of an address."""
    toml = folder / "instance.toml"
    toml.write_text(f'{toml.read_text()}\n[outbound]\nallow = ["127.0.0.1"]\n')
    secret = tmp_path / "token.txt"
    secret.write_text("very-secret\n")
    with Distant() as distant:
        url = distant.say("/catalogue", *distant.goods(1, stock=4), *distant.goods(2, name=""))
        options = ("--instance", str(folder))
        assert "2 SuppliedProduct" in run("check", url, *options, "--token-file", str(secret))
        with_it = ("link", url, "--enterprise", "les-paniers", "--token-file", str(secret), "--name", "The Orchard")
        output = run(*with_it, *options)
        assert "new 1, changed 0, gone 0" in output
        assert "Un produit est laissé de côté\u00a0: /name\u00a0: Veuillez remplir ce champ." in output, (
            "what stays with a link is said as its hub does"
        )
        id = output.split(":")[0]
        distant.say("/catalogue", *distant.goods(1, stock=5, price="3"))
        assert "new 0, changed 1, gone 0" in run("refresh", id, *options)
        links_output = run("links", *options)
        assert "The Orchard" in links_output
        assert "1 products" in links_output
        assert "unlinked" in run("unlink", id, *options)
        assert run("links", *options) == ""
        assert "would create 1" in run("import", url, "--enterprise", "les-paniers", "--dry-run", *options)
        assert {request.headers.get("authorization", "") for request in distant.asked} == {"Bearer very-secret", ""}
        assert "very-secret" not in output + links_output
        with pytest.raises(NotAnswered, match=f"nothing at {distant.base}"):
            run("check", f"{distant.base}/nothing", *options)
