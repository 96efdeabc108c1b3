"""Plugins declare fields of products: typed, validated, in the API and its document, in the shop's offers, kept."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import update

from commensal import Column, Concept, ProductField, hookimpl
from commensal.base.errors import Invalid
from commensal.base.plugin_fields import DeclaredFields, PluginFields
from commensal.parts.copies.products import ProductCopy, keep_products
from commensal.parts.product_lists.lists import export_list, import_list
from commensal.parts.product_lists.read import read_list
from commensal.parts.serving.app import make_app
from commensal.products.fields import PRODUCT_FIELDS
from commensal.products.products import change_product, create_product
from commensal.products.questions import product_by_id
from commensal.products.tables import supplied_product
from commensal.sale_sessions.visible_offers import offers_for
from commensal.storage.database import Store
from commensal.testing.instances import Instances, Plan, client_of
from commensal.testing.placed import a_lot, a_shop, an_item

from .test_api import a_person

SOILS = {term: Concept(term=term, en=term.title(), fr=term.title()) for term in ("sand", "clay")}
FIELDS = [
    ProductField(name="variety", kind="text", english="variety", french="variété", most=20, shown="line"),
    ProductField(name="frost", kind="flag", english="hardy", french="rustique"),
    ProductField(name="brix", kind="number", english="sugar", french="sucre", most=90),
    ProductField(name="soils", kind="terms", english="soils", french="sols", most=2, vocabulary=SOILS, shown="line"),
    ProductField(name="cost", kind="amount", english="cost", french="coût", most=10_000, copied=False),
]
DECLARED = PluginFields({"season": {field.name: field for field in FIELDS}})
FULL = {"variety": "Reinette", "frost": True, "brix": "12.5", "soils": ["clay"], "cost": 120}
APPLES: dict[str, Any] = {"name": "Pommes", "product_type": "apples", "quantity": Decimal(1), "unit": "Kilogram"}


@pytest.fixture
def orchard(store: Store) -> Store:
    """A store of a shop, whose instance has the plugin."""
    with store.write() as tx:
        a_shop(tx)
    store.plugin_fields = DeclaredFields(products=DECLARED)
    return store


def test_values_are_kept_by_plugin_and_stay_when_others_change(orchard: Store) -> None:
    with orchard.write() as tx:
        made = create_product(tx, enterprise_id="shop", vat_rate=Decimal(5), plugin_fields={"season": FULL}, **APPLES)
        assert made.plugin_fields == {"season": FULL}
        changes = {"season": {"variety": None, "cost": 90}}
        changed = change_product(tx, "shop", made.id, made.version, plugin_fields=changes)
    rest = {name: FULL[name] for name in ("frost", "brix", "soils")}
    assert changed.plugin_fields == {"season": {**rest, "cost": 90}}


@pytest.mark.parametrize(
    ("changes", "where", "code"),
    [
        ({"season": {"variety": "x" * 21}}, "/plugin_fields/season/variety", "too_long"),
        ({"season": {"variety": 5}}, "/plugin_fields/season/variety", "type"),
        ({"season": {"frost": "yes"}}, "/plugin_fields/season/frost", "type"),
        ({"season": {"brix": "NaN"}}, "/plugin_fields/season/brix", "range"),
        ({"season": {"brix": 91}}, "/plugin_fields/season/brix", "range"),
        ({"season": {"cost": -1}}, "/plugin_fields/season/cost", "range"),
        ({"season": {"soils": ["clay", "moon"]}}, "/plugin_fields/season/soils/1", "unknown_term"),
        ({"season": {"colour": "red"}}, "/plugin_fields/season/colour", "unknown_field"),
        ({"absent": {"variety": "x"}}, "/plugin_fields/absent/variety", "unknown_field"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(orchard: Store, changes: Any, where: str, code: str) -> None:
    with orchard.write() as tx, pytest.raises(Invalid) as raised:
        create_product(tx, enterprise_id="shop", vat_rate=Decimal(5), plugin_fields=changes, **APPLES)
    assert [(problem.where, problem.code) for problem in raised.value.problems] == [(where, code)]


def test_everybody_reads_what_is_shown_and_nothing_else(orchard: Store) -> None:
    with orchard.write() as tx:
        an_item(tx, a_lot(tx), plugin_fields={"season": FULL, "gone": {"secret": 1}})
    with orchard.read() as tx:
        (seen,) = offers_for(tx, "shop-session", ())
        assert seen.plugin_fields == {"season": {"variety": "Reinette", "soils": ["clay"]}}
    orchard.plugin_fields = DeclaredFields()
    with orchard.read() as tx:
        assert offers_for(tx, "shop-session", ())[0].plugin_fields == {}


def test_values_of_a_plugin_that_is_switched_off_survive_a_change(orchard: Store) -> None:
    with orchard.write() as tx:
        made = create_product(tx, enterprise_id="shop", vat_rate=Decimal(5), plugin_fields={"season": FULL}, **APPLES)
    orchard.plugin_fields = DeclaredFields()
    with orchard.write() as tx:
        change_product(tx, "shop", made.id, made.version, name="Poires", plugin_fields={})
        assert product_by_id(tx, "shop", made.id).plugin_fields == {"season": FULL}


def test_a_copy_keeps_what_its_plugin_here_allows(orchard: Store) -> None:
    with orchard.write() as tx:
        made = create_product(tx, enterprise_id="shop", vat_rate=Decimal(5), **APPLES)
        described: Any = {name: getattr(made, name) for name in PRODUCT_FIELDS}
        copied: Any = {"season": {"variety": "Reinette", "brix": "hot"}, "absent": {"x": 1}}
        copy = ProductCopy(
            **described,
            id=made.id,
            lot_id=made.lot_id,
            lot_quantity=made.lot_quantity,
            vat_rate=made.vat_rate,
            new=False,
            plugin_fields=copied,
        )
        assert keep_products(tx, "shop", [copy]) == {}
        assert product_by_id(tx, "shop", made.id).plugin_fields == {"season": {"variety": "Reinette"}}


def test_the_api_takes_and_describes_the_fields(tmp_path: Path, commensal_instances: Instances) -> None:
    season = ModuleType("season")
    season.product_fields = hookimpl(lambda: FIELDS)  # type: ignore[attr-defined]
    plan = Plan(plugins=("season",), modules={"season": season})
    with commensal_instances.open(tmp_path, plan) as instance, client_of(make_app(instance)) as client:
        with instance.store.write() as tx:
            a_shop(tx)
        headers = a_person(instance.store, "ada", role="owner")
        body = {**APPLES, "quantity": "1", "vat_rate": "5.5", "plugin_fields": {"season": FULL}}
        made = client.post("/api/enterprises/shop/products", json=body, headers=headers)
        assert (made.status_code, made.json()["plugin_fields"]) == (201, {"season": FULL})
        url = f"/api/enterprises/shop/products/{made.json()['id']}"
        patch = {"plugin_fields": {"season": {"frost": "maybe"}}}
        refused = client.patch(url, json=patch, headers={**headers, "If-Match": '"1"'})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/plugin_fields/season/frost")
        schemas = client.get("/api/openapi.json").json()["components"]["schemas"]
    described = {
        name: schemas[name]["properties"]["plugin_fields"]["properties"]["season"]["properties"]
        for name in ("NewProduct", "ProductPatch", "SuppliedProduct", "VisibleOffer")
    }
    assert described["NewProduct"].keys() == described["ProductPatch"].keys() == FULL.keys()
    assert described["NewProduct"]["variety"] == {"title": "variety", "type": "string", "maxLength": 20}
    assert described["NewProduct"]["soils"]["items"]["enum"] == ["sand", "clay"]
    assert described["VisibleOffer"].keys() == {"variety", "soils"}


@pytest.mark.parametrize("name", ["", "Big", "a-b", "x" * 61, "1st"])
def test_a_name_that_is_no_name_is_refused_where_it_is_declared(name: str) -> None:
    with pytest.raises(ValueError, match="is not a name of a field"):
        ProductField(name=name, kind="text", english="x", french="x")


def test_a_word_that_is_none_is_refused_where_it_is_declared() -> None:
    """With the words that there are: it was an error 500 for whoever set the field first."""
    with pytest.raises(ValueError, match=r"kind of the field dry: 'flags' is not one of .*did you mean 'flag'\?"):
        ProductField(name="dry", kind="flags", english="x", french="x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"shown of the field dry: 'bagde' .*did you mean 'badge'\?"):
        ProductField(name="dry", kind="flag", english="x", french="x", shown="bagde")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="kind of the column km: 'decimal' is not one of text, whole"):
        Column(name="km", label="km", kind="decimal")  # type: ignore[arg-type]


def test_a_product_from_before_has_no_values(orchard: Store) -> None:
    with orchard.write() as tx:
        made = create_product(tx, enterprise_id="shop", vat_rate=Decimal(5), **APPLES)
        tx.execute(update(supplied_product).values(plugin_fields={}))
        assert product_by_id(tx, "shop", made.id).plugin_fields == {}


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_list_carries_the_fields_there_and_back(orchard: Store, language: str, kind: Any) -> None:
    with orchard.write() as tx:
        made = create_product(tx, enterprise_id="shop", vat_rate=Decimal(5), plugin_fields={"season": FULL}, **APPLES)
        file = export_list(tx, "shop", language=language, format=kind)
        same = import_list(tx, "shop", read_list(file, DECLARED))
        assert (same.changed, same.unchanged) == (0, 1)
        change_product(tx, "shop", made.id, made.version, plugin_fields={"season": dict.fromkeys(FULL)})
        assert product_by_id(tx, "shop", made.id).plugin_fields == {}
        assert import_list(tx, "shop", read_list(file, DECLARED)).changed == 1
        assert product_by_id(tx, "shop", made.id).plugin_fields == {"season": FULL}


def test_a_wrong_cell_of_a_plugins_column_is_named(orchard: Store) -> None:
    content = "producer,name,category,units,unit_type,price,vat,sugar,hardy\nshop,Poires,pears,1,kg,2,5.5,99,perhaps\n"
    with orchard.write() as tx:
        report = import_list(tx, "shop", read_list(content.encode(), DECLARED), dry_run=True)
    assert {problem.where for problem in report.problems} == {"row 2, sugar", "row 2, hardy"}
