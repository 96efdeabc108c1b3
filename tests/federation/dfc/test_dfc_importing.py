"""A document becomes goods of an enterprise: stock beside what is ordered, cases with their pieces."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from PIL import Image as Picture
from sqlalchemy import update

from commensal import Invalid
from commensal.catalogs import listings_of
from commensal.catalogs.items import item_by_id
from commensal.enterprises.enterprises import enterprise_by_id
from commensal.enterprises.tables import enterprise
from commensal.instance.settings import InstanceSettings
from commensal.parts.product_lists import Defaults
from commensal.products import products_of
from commensal.products.values import StockedProduct
from commensal.testing.receiver import PlannedAnswer, Receiver
from commensal.testing.shop import Shop
from commensal_federation.dfc.findings import UnreadableDocument
from commensal_federation.dfc.graph import write_116
from commensal_federation.dfc.importing import DfcReport, plan_document
from commensal_federation.dfc.read import read
from commensal_federation.dfc.vocabulary import (
    DfcConsumption,
    DfcEnterprise,
    DfcItem,
    DfcOffer,
    DfcOther,
    DfcPrice,
    DfcProduct,
    DfcProduction,
    DfcQuantity,
    DfcTransformation,
    Thing,
)
from commensal_federation.linked_catalogues.pictures import enqueue_pictures
from commensal_federation.platforms.export import export_enterprise

from .emitted import assert_readable
from .platforms import settings_with

THERE = "https://platform.example/"
HERE = "http://testserver"


@pytest.fixture
def settings() -> InstanceSettings:
    return settings_with("https://login.example")


def take_in(shop: Shop, things: Sequence[Thing], *, dry_run: bool = False, **kwargs: Any) -> DfcReport:
    defaults = Defaults(category="vegetable", vat_rate=Decimal(5))
    document = read(write_116(things))
    with shop.instance.store.read() as tx:
        planned = plan_document(tx, HERE, enterprise_by_id(tx, shop.id), document, defaults=defaults, **kwargs)
    if dry_run:
        return planned.report
    with shop.instance.store.write() as tx:
        return planned.commit(tx)


def stocked(shop: Shop) -> dict[str, StockedProduct]:
    with shop.instance.store.read() as tx:
        return {row.product.name: row for row in products_of(tx, shop.id)}


def offered(name: str, size: DfcQuantity, stock: int, **members: Any) -> list[Thing]:
    """A product with its item and offer."""
    item, price = f"{THERE}{name}/item", DfcPrice(amount=300, currency="EUR")
    return [
        DfcProduct(iri=f"{THERE}{name}", name=name, quantity=size, **members),
        DfcItem(iri=item, product=f"{THERE}{name}", stock=Decimal(stock), sku=name),
        DfcOffer(iri=f"{THERE}{name}/offer", item=item, price=price),
    ]


def a_case(piece: str, case: str, pieces: int) -> list[Thing]:
    into = f"{THERE}{case}/of/{piece}"
    return [
        DfcTransformation(iri=into),
        DfcConsumption(
            iri=f"{into}/in",
            transformation=into,
            product=f"{THERE}{piece}",
            quantity=DfcQuantity(value=Decimal(pieces)),
        ),
        DfcProduction(
            iri=f"{into}/out", transformation=into, product=f"{THERE}{case}", quantity=DfcQuantity(value=Decimal(1))
        ),
    ]


def test_what_was_exported_changes_nothing_while_some_of_it_is_ordered(shop: Shop) -> None:
    shop.order({"honey": 2, "chicken": 3})
    before = stocked(shop)
    with shop.instance.store.read() as tx:
        things = list(export_enterprise(tx, HERE, enterprise_by_id(tx, shop.id)))
    report = take_in(shop, things).list_report
    assert (report.created, report.changed, report.unchanged, report.problems) == (0, 0, 5, ())
    assert stocked(shop) == before
    assert before["Honey"].left == 1


def test_a_case_and_its_pieces_are_one_stock(shop: Shop) -> None:
    jar = DfcQuantity(value=Decimal(400), unit="Gram")
    report = take_in(
        shop,
        [
            *offered("Beans", jar, 100),
            *offered("Case of beans", DfcQuantity(value=Decimal(1)), 3),
            *a_case("Beans", "Case of beans", 12),
        ],
    )
    assert report.list_report.problems == ()
    goods = stocked(shop)
    piece, case = goods["Beans"], goods["Case of beans"]
    assert piece.lot == case.lot
    assert (piece.left, case.left, piece.lot.free, piece.lot.unit) == (36, 3, Decimal("14.4"), "Kilogram")
    assert (case.product.quantity, case.product.unit) == (Decimal(4800), "Gram")
    assert not [finding for finding in report.findings if finding.code == "case_stock"]


def test_a_box_of_several_goods_keeps_its_own_stock_and_is_named(shop: Shop) -> None:
    piece = DfcQuantity(value=Decimal(1))
    goods = [*offered("Beans", piece, 8), *offered("Peas", piece, 9), *offered("Box", piece, 2)]
    report = take_in(shop, [*goods, *a_case("Beans", "Box", 2), *a_case("Peas", "Box", 3)])
    assert {name: stocked(shop)[name].left for name in ("Beans", "Peas", "Box")} == {"Beans": 8, "Peas": 9, "Box": 2}
    assert "case_stock" in {finding.code for finding in report.findings}


def test_a_case_of_cases_keeps_its_own_stock_and_is_named(shop: Shop) -> None:
    """No jar is counted twice: not as one of a crate and as one of a pallet of crates."""
    piece = DfcQuantity(value=Decimal(1))
    goods = [*offered("Jar", piece, 99), *offered("Crate", piece, 4), *offered("Pallet", piece, 2)]
    report = take_in(shop, [*goods, *a_case("Jar", "Crate", 6), *a_case("Crate", "Pallet", 10)])
    taken_in = stocked(shop)
    assert {name: taken_in[name].left for name in ("Jar", "Crate", "Pallet")} == {"Jar": 24, "Crate": 4, "Pallet": 2}
    assert taken_in["Jar"].lot == taken_in["Crate"].lot != taken_in["Pallet"].lot
    assert [finding.code for finding in report.findings] == ["case_stock"]


def test_goods_that_are_made_of_each_other_have_the_stock_that_is_stated(shop: Shop) -> None:
    piece = DfcQuantity(value=Decimal(1))
    goods = [*offered("Jar", piece, 99), *offered("Crate", piece, 4), *offered("Pallet", piece, 2)]
    circle = [*a_case("Jar", "Crate", 6), *a_case("Crate", "Pallet", 10), *a_case("Pallet", "Jar", 2)]
    report = take_in(shop, [*goods, *circle])
    assert {name: stocked(shop)[name].left for name in ("Jar", "Crate", "Pallet")} == {
        "Jar": 99,
        "Crate": 4,
        "Pallet": 2,
    }
    assert [finding.code for finding in report.findings] == ["case_circle"]


def test_a_piece_that_is_offered_in_cases_alone_costs_its_share(shop: Shop) -> None:
    jar = DfcProduct(iri=f"{THERE}Jar", name="Jar", quantity=DfcQuantity(value=Decimal(1)))
    report = take_in(shop, [jar, *offered("Crate", DfcQuantity(value=Decimal(1)), 3), *a_case("Jar", "Crate", 7)])
    assert report.list_report.problems == ()
    with shop.instance.store.read() as tx:
        (listed,) = listings_of(tx, shop.id, [stocked(shop)["Jar"].product.id]).values()
        (offer,) = item_by_id(tx, shop.id, listed[0]).offers
    assert (offer.price, stocked(shop)["Jar"].left) == (43, 21)


@pytest.mark.parametrize("supplier", ["the vale", f"{THERE}vale"])
def test_the_goods_of_one_of_several_farms_are_taken_in(shop: Shop, supplier: str) -> None:
    farms = [DfcEnterprise(iri=f"{THERE}{name}", name=f"The {name}") for name in ("hill", "vale")]
    piece = DfcQuantity(value=Decimal(1))
    goods = [
        *offered("Beans", piece, 8, enterprise=f"{THERE}hill"),
        *offered("Peas", piece, 9, enterprise=f"{THERE}vale"),
    ]
    report = take_in(shop, [*farms, *goods], supplier=supplier)
    assert (report.list_report.created, report.findings) == (1, ())
    assert "Peas" in stocked(shop)
    assert "Beans" not in stocked(shop)
    with pytest.raises(UnreadableDocument, match="no product of The moor"):
        take_in(shop, [*farms, *goods], supplier="The moor")


def test_where_goods_come_from_and_how_they_are_kept_is_taken_in_and_shown(shop: Shop) -> None:
    piece = DfcQuantity(value=Decimal(1))
    origins = ("Brittany", "https://other.example/words#moor")
    report = take_in(shop, offered("Cider", piece, 8, origins=origins, refrigerated=True))
    product = stocked(shop)["Cider"].product
    assert (product.origins, product.handling) == (("Brittany",), ("Chilled",))
    assert [finding.code for finding in report.findings] == ["origin"]
    with shop.instance.store.read() as tx:
        things = list(export_enterprise(tx, HERE, enterprise_by_id(tx, shop.id)))
    (cider,) = (thing for thing in things if isinstance(thing, DfcProduct) and thing.name == "Cider")
    assert (cider.origins, cider.refrigerated, cider.frozen) == (("Brittany",), True, False)


def test_pictures_are_fetched_once_and_do_not_replace_those_that_are_there(shop: Shop) -> None:
    upload = BytesIO()
    Picture.new("RGB", (40, 30), "green").save(upload, "PNG")
    piece = DfcQuantity(value=Decimal(1))
    with Receiver() as receiver:
        receiver.always = PlannedAnswer(200, {"Content-Type": "image/png"}, upload.getvalue())
        things = [
            *offered("Cider", piece, 8, images=(f"{receiver.url}/cider.png", f"{receiver.url}/2.png")),
            *offered("Perry", piece, 8, images=("file:///etc/passwd",)),
        ]
        for _ in range(2):
            report = take_in(shop, things)
            with shop.instance.store.write() as tx:
                enqueue_pictures(tx, report.pictures)
            shop.run_jobs()
        assert [request.path for request in receiver.received] == ["/cider.png"]
    goods = stocked(shop)
    assert goods["Cider"].product.image_id is not None
    assert goods["Perry"].product.image_id is None


def test_a_product_that_its_platform_links_to_ours_is_ours(shop: Shop) -> None:
    """``owl:sameAs``, as DFC's service of links says it; a link to somebody else's product means nothing here."""
    before = stocked(shop)["Honey"].product
    ours = f"{HERE}/api/dfc/supplied_products/{before.id}"
    links = {"owl:sameAs": ({"@id": "https://elsewhere.example/9"}, {"@value": ours})}
    jar = DfcQuantity(value=before.quantity, unit=before.unit)
    report = take_in(shop, offered("Miel de châtaignier", jar, 8, extra=links))
    assert (report.list_report.created, report.list_report.changed) == (0, 1)
    assert stocked(shop)["Miel de châtaignier"].product.id == before.id
    assert "kept" not in {finding.code for finding in read(write_116(offered("Miel", jar, 8, extra=links))).findings}


def a_nutrient(iri: str, term: str, value: str) -> Thing:
    members = {"hasNutrientDimension": {"@id": f"dfc-m:{term}"}, "hasUnit": {"@id": "dfc-m:Gram"}}
    values = {f"dfc-b:{name}": (member,) for name, member in (*members.items(), ("value", {"@value": value}))}
    return DfcOther(iri=iri, also=("dfc-b:NutrientCharacteristic",), extra=values)


def test_shelf_life_storage_and_nutrition_are_taken_in_and_told_to_platforms_again(shop: Shop) -> None:
    """In the language of the enterprise; what platforms say by nodes, they read as nodes."""
    bounds = {"dfc-b:minValue": ({"@value": -2},), "dfc-b:maxValue": ({"@value": "4"},)}
    cold = DfcOther(iri="_:cold", also=("dfc-b:Temperature",), extra=bounds)
    facts = {
        "dfc-b:lifetime": ({"@value": "12 months"},),
        "dfc-b:usageOrStorageCondition": ({"@value": "In the dark"},),
        "dfc-b:hasTemperature": ({"@id": "_:cold"},),
        "dfc-b:hasNutrientCharacteristic": ({"@id": "_:protein"}, {"@id": "_:salt"}),
    }
    nutrients = [a_nutrient("_:protein", "Protein", "3.20"), a_nutrient("_:salt", "Salt", "0,1")]
    with shop.instance.store.write() as tx:
        tx.execute(update(enterprise).values(language="fr"))
    things = [cold, *nutrients, *offered("Cider", DfcQuantity(value=Decimal(1)), 8, extra=facts)]
    assert take_in(shop, things).findings == ()
    product = stocked(shop)["Cider"].product
    assert (product.lifetime, product.storage) == ("12 months", "In the dark; −2–4 °C")
    assert product.nutrition == "Protéine: 3.2 g; Sel: 0.1 g"
    assert take_in(shop, things).list_report.unchanged == 1
    with shop.instance.store.read() as tx:
        exported = write_116(list(export_enterprise(tx, HERE, enterprise_by_id(tx, shop.id))))
    (cider,) = (node for node in exported["@graph"] if node.get("dfc-b:name") == "Cider" and "dfc-b:lifetime" in node)
    assert cider["dfc-b:usageOrStorageCondition"] == "In the dark; −2–4 °C"
    written = {node["@id"]: node for node in exported["@graph"]}
    nodes = [written[iri] for iri in cider["dfc-b:hasNutrientCharacteristic"]]
    assert [node["dfc-b:value"] for node in nodes] == ["3.2", "0.1"]
    assert_readable(json.dumps(exported).encode())
    again = read(exported)
    assert [thing.extra["own:nutrition"] for thing in again.all(DfcProduct) if thing.name == "Cider"] == [
        ({"@value": "Protéine: 3.2 g; Sel: 0.1 g"},)
    ]


def test_nutrition_that_is_not_understood_is_named_and_kept(shop: Shop) -> None:
    strange = DfcOther(iri="_:x", also=("dfc-b:NutrientCharacteristic",), extra={"dfc-b:value": ({"@value": "much"},)})
    extra = {"dfc-b:hasNutrientCharacteristic": ({"@id": "_:x"},)}
    report = take_in(shop, [strange, *offered("Cider", DfcQuantity(value=Decimal(1)), 8, extra=extra)])
    assert [finding.code for finding in report.findings] == ["no_place"]


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_mistake_names_the_product_and_the_property(shop: Shop, dry_run: bool) -> None:
    goods = [*offered("Peas", DfcQuantity(value=Decimal(1)), 1), *offered("", DfcQuantity(value=Decimal(1)), 1)]
    try:
        problems = take_in(shop, goods, dry_run=dry_run).list_report.problems
    except Invalid as error:
        problems = error.problems
    assert [problem.where for problem in problems] == [f"{THERE} dfc-b:name"]
    assert "Peas" not in stocked(shop)
