"""The office: the page on which a producer says what customers read of one product."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import update

from commensal.catalogs.listings import products_of_items
from commensal.enterprises.tables import enterprise
from commensal.products.fields import PRODUCT_FIELDS
from commensal.products.tables import supplied_product
from commensal.products.values import SuppliedProduct

from .conftest import SALE, Browser, Stall
from .test_office import OFFICE, a_member, owner

PLUGINS = ("shop", "office", "cash", "pickup", "delivery")
__all__ = ["owner"]  # a fixture

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the command is tested on both


def carrots_of(stall: Stall) -> SuppliedProduct:
    with stall.instance.store.read() as tx:
        return products_of_items(tx, "shop", [stall.small])[stall.small]


def open_carrots(browser: Browser, stall: Stall) -> str:
    """Leads from the grid to the product's page, and returns its address."""
    browser.go(f"{OFFICE}/products")
    url = f"{OFFICE}/products/{carrots_of(stall).id}"
    assert ("a", url) in [(tag, attributes.get("href")) for tag, attributes in browser.page.elements]
    browser.go(url)
    return url


def test_all_that_customers_read_of_a_product_is_written_on_its_page(owner: Browser, stall: Stall) -> None:
    url = open_carrots(owner, stall)
    texts = {
        "name": "Sand carrots",
        "sku": "CAR-1",
        "lifetime": "3 weeks",
        "storage": "2–8 °C",
        "nutrition": "Salt: 0 g",
    }
    ticks = {"weighed": "1", "allergens/Eggs": "1", "handling/Chilled": "1", "plugin_fields/delivery/bulky": "1"}
    owner.send(
        url, description="Pulled by hand.\n\nEat them raw.", weight_tolerance="7.5", deposit="0.20", **texts, **ticks
    )
    assert "Customers see it from now on." in owner.page.text
    product = carrots_of(stall)
    assert {name: getattr(product, name) for name in texts} == texts
    assert product.description == "<p>Pulled by hand.</p><p>Eat them raw.</p>"
    assert (product.weighed, product.weight_tolerance, product.deposit) == (True, Decimal("7.5"), 20)
    assert (product.allergens, product.handling) == (("Eggs",), ("Chilled",))
    assert product.plugin_fields == {"delivery": {"bulky": True}}, "a plugin's field stands in the same form"
    owner.go(SALE)
    assert "Sand carrots" in owner.page.text


def test_units_of_other_countries_are_offered_only_where_goods_have_them(owner: Browser, stall: Stall) -> None:
    def units() -> set[str]:
        page = owner.page.elements
        return {attributes.get("value", "") for tag, attributes in page if tag == "option"}

    url = open_carrots(owner, stall)
    assert ("Litre" in units(), {"Gallon", "Inch", "PoundMass"} & units()) == (True, set())
    with stall.instance.store.write() as tx:
        tx.execute(update(supplied_product).values(unit="PoundMass"))
    owner.go(url)
    assert {"Gallon", "Inch", "PoundMass"} & units() == {"PoundMass"}
    with stall.instance.store.write() as tx:
        tx.execute(update(enterprise).where(enterprise.c.id == "shop").values(country="GB"))
    owner.go(url)
    assert {"Gallon", "Inch", "PoundMass"} & units() == {"Gallon", "Inch", "PoundMass"}


def test_what_was_not_touched_stays_as_it_is(owner: Browser, stall: Stall) -> None:
    url = open_carrots(owner, stall)
    before = carrots_of(stall)
    owner.send(url)
    after = carrots_of(stall)
    assert {name: getattr(after, name) for name in PRODUCT_FIELDS} == {
        name: getattr(before, name) for name in PRODUCT_FIELDS
    }
    assert after.plugin_fields == before.plugin_fields


def test_mistakes_stand_at_their_fields_and_nothing_typed_is_lost(owner: Browser, stall: Stall) -> None:
    url = open_carrots(owner, stall)
    owner.send(url, name="", weight_tolerance="some", deposit="x", storage="in sand", **{"allergens/Eggs": "1"})
    assert owner.status == 422
    form = owner.page.form(url)
    assert {name: form.fields[name] for name in ("weight_tolerance", "deposit", "storage", "allergens/Eggs")} == {
        "weight_tolerance": "some",
        "deposit": "x",
        "storage": "in sand",
        "allergens/Eggs": "1",
    }
    wrong = [attributes["id"] for tag, attributes in owner.page.elements if attributes.get("aria-invalid")]
    assert wrong == ["weight_tolerance", "deposit"]
    owner.send(url, weight_tolerance="300", deposit="", name="")
    wrong = [attributes["id"] for tag, attributes in owner.page.elements if attributes.get("aria-invalid")]
    assert wrong == ["name", "weight_tolerance"]
    assert carrots_of(stall).name != ""


def test_whoever_saves_an_older_page_overwrites_nothing(owner: Browser, stall: Stall) -> None:
    url = open_carrots(owner, stall)
    older = owner.page.form(url).fields
    owner.send(url, name="Early carrots")
    owner.post(url, **{**older, "name": "Late carrots"})
    assert owner.status == 422
    assert carrots_of(stall).name == "Early carrots"


def test_a_packer_and_another_producer_do_not_describe_it(stall: Stall, browser: Browser) -> None:
    url = f"{OFFICE}/products/{carrots_of(stall).id}"
    browser.log_in(a_member(stall, "packer"))
    browser.go(f"{OFFICE}/products")
    assert url not in [attributes.get("href") for _, attributes in browser.page.elements]
    browser.go(url)
    assert browser.status == 403
    browser.post(url, name="Mine", version="1")
    assert browser.status == 403
    assert carrots_of(stall).name != "Mine"
