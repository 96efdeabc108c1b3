"""Lists of the distribution: packers, suppliers, places and drivers read the same orders, each in their own form."""

from __future__ import annotations

import io
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import select, update

from commensal import CustomerField, OrderField
from commensal.base.clock import ManualClock
from commensal.base.errors import Invalid, NotFound
from commensal.base.ids import SeededIds
from commensal.base.plugin_fields import DeclaredFields, PluginFields
from commensal.base.search import search_key
from commensal.enterprises.enterprises import enterprise_by_id
from commensal.enterprises.tables import customer, enterprise
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.orders.cancel import cancel_order
from commensal.orders.fulfil import weigh_order
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.tables import customer_order, guest_order
from commensal.orders.values import Order, Wish
from commensal.parts.distribution.packing import pack_into
from commensal.parts.reports.run import papers_of, print_papers, reports_of
from commensal.pricing.values import Address
from commensal.products.tables import supplied_product
from commensal.storage.database import Store
from commensal.testing.placed import a_lot, a_shop, an_item

from .reporting import run, table, use

LISTS = ("by_customer", "by_product", "by_supplier", "by_place", "sign_in", "labels", "driver", "receipts")
HOME = Address(street="3 rue des Lilas", postcode="37000", city="Tours", country="FR", note="2e étage")


@pytest.fixture
def instance(settings: InstanceSettings, store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path) -> Instance:
    enabled_plugins = InstanceSettings(
        name="T", language="en", plugins={"enabled": ["distribution_lists", "sales", "custom_report"]}
    )
    instance = Instance(tmp_path, enabled_plugins, store, load_plugins(enabled_plugins, clock=clock), clock, ids)
    with store.write() as tx:
        a_shop(tx, name="Les Paniers")
        use(tx, "shop")
    return instance


@pytest.fixture
def orders(instance: Instance) -> list[Order]:
    """Ada at the hall, Zoé at home, Bob at the hall; Gil has cancelled."""
    with instance.store.write() as tx:
        kilo: dict[str, Any] = {"unit": "Kilogram"}
        roots = a_lot(tx, name="Carottes", unit="Kilogram", on_hand="100")
        carrots = an_item(tx, roots, name="Carottes", grains=1000, search=search_key("Carottes"), **kilo)
        chicken = an_item(
            tx,
            roots,
            name="Poulet",
            price=2400,
            grains=2000,
            weighed=True,
            quantity=Decimal(2),
            search="poulet",
            **kilo,
        )
    orders_placed = []
    for name, items, address in (
        ("Ada", {carrots: 3, chicken: 1}, None),
        ("Zoé", {carrots: 1}, HOME),
        ("Bob", {carrots: 2}, None),
        ("Gil", {carrots: 9}, HOME),
    ):
        wish = Wish(items=items, name=name, email=f"{search_key(name)}@example.org", phone="06 12 34", address=address)
        with instance.store.write() as tx:
            orders_placed.append(place_order(tx, instance.hooks, "shop-session", wish))
    with instance.store.write() as tx:
        place = update(customer_order).where(customer_order.c.address.is_(None))
        tx.execute(place.values(shipping_label="Salle des fêtes, 17:00"))
        cancel_order(tx, instance.hooks, locked_order(tx, orders_placed[3].id, enterprise_id="shop"), by_hub=True)
    return orders_placed[:3]


def test_the_packer_ticks_off_each_order(instance: Instance, orders: list[Order]) -> None:
    with instance.store.write() as tx:
        locked = locked_order(tx, orders[0].id, enterprise_id="shop")
        (chicken,) = [line for line in locked.lines if line.weighed]
        weigh_order(tx, instance.hooks, locked, {chicken.id: Decimal("1.87")})
    lines = table(instance, "shop", "distribution_lists:by_customer", amounts="true")
    assert [
        (line["Order"], line["Pieces"], line["Product"], line["To weigh"], line["Amount (EUR)"]) for line in lines
    ] == [
        ("2 · Zoé · □", "1", "Carottes", "", "2.50"),
        ("1 · Ada · Salle des fêtes, 17:00 · □", "3", "Carottes", "", "7.50"),
        ("1 · Ada · Salle des fêtes, 17:00 · □", "1", "Poulet", "1.87\N{NO-BREAK SPACE}kg", "22.44"),
        ("1 · Ada · Salle des fêtes, 17:00 · □", "4", "Subtotal", "", "29.94"),
        ("3 · Bob · Salle des fêtes, 17:00 · □", "2", "Carottes", "", "5.00"),
        ("Total", "7", "", "", "37.44"),
    ]


def test_packers_see_what_to_weigh_in_walking_order_and_no_amounts(instance: Instance, orders: list[Order]) -> None:
    with instance.store.write() as tx:
        pack_into(tx, locked_order(tx, orders[0].id, enterprise_id="shop"), 3)
        tx.execute(update(customer_order).where(customer_order.c.number == 1).values(note="Je viens\nà vélo."))
        tx.execute(update(supplied_product).where(supplied_product.c.name == "Carottes").values(handling=["Chilled"]))
    lines = table(instance, "shop", "distribution_lists:by_customer", place="fêtes")
    assert "Amount (EUR)" not in lines[0]
    assert [(line["Order"], line["Product"], line["Packing zone"], line["To weigh"]) for line in lines[:2]] == [
        ("1 · Ada · Salle des fêtes, 17:00 · □□□\nJe viens à vélo.", "Poulet", "Dry", "______\N{NO-BREAK SPACE}kg"),
        ("1 · Ada · Salle des fêtes, 17:00 · □□□\nJe viens à vélo.", "Carottes", "Chilled", ""),
    ]
    html = run(instance, "shop", "distribution_lists:by_customer", "html").decode()
    assert '<p class="written">Je viens à vélo.</p>' in html
    labels = run(instance, "shop", "distribution_lists:labels", "html").decode()
    assert labels.count("<strong>1</strong><b>Ada</b>") == 3
    assert "3/3" in labels
    assert "<span>■ Dry   ✻ Chilled</span>" in labels


def test_what_the_hall_reads_is_large_and_nothing_is_cut_in_two(instance: Instance, orders: list[Order]) -> None:
    pdf = PdfReader(io.BytesIO(run(instance, "shop", "distribution_lists:by_customer", "pdf")))
    sizes: dict[str, float] = {}

    def note_size(text: str, _: Any, matrix: list[float], font: Any, size: float) -> None:
        for word in ("Ada", "Carottes"):
            if word in text:
                sizes[word] = size * abs(matrix[0] or 1)

    for page in pdf.pages:
        page.extract_text(visitor_text=note_size)
    assert sizes["Carottes"] >= 11
    assert sizes["Ada"] >= 16


@pytest.mark.parametrize(("paper", "width"), [("80", 80), ("58", 58)])
def test_each_parcel_has_a_strip_for_the_receipt_printer(
    instance: Instance, orders: list[Order], paper: str, width: int
) -> None:
    pdf = PdfReader(io.BytesIO(run(instance, "shop", "distribution_lists:receipts", "pdf", paper=paper)))
    assert [round(float(page.mediabox.width) / 72 * 25.4) for page in pdf.pages] == [width] * 3
    text = "".join(pdf.pages[0].extract_text().split())  # older readers take a kerned letter for a word of its own
    for words in ("1 · Ada", "3 × Carottes (1 kg) €7.50", "Total €31.50", "To pay €31.50"):
        assert words.replace(" ", "") in text, text


def test_a_heap_is_divided_by_name_and_weight(instance: Instance, orders: list[Order]) -> None:
    lines = table(instance, "shop", "distribution_lists:by_product")
    assert [(line["Product"], line["Pieces"], line["To weigh"], line["Customer"]) for line in lines] == [
        ("Carottes · Les Paniers", "3", "", "Ada"),
        ("Carottes · Les Paniers", "1", "", "Zoé"),
        ("Carottes · Les Paniers", "2", "", "Bob"),
        ("Carottes · Les Paniers", "6", "", "Subtotal"),
        ("Poulet · Les Paniers", "1", "2", "Ada"),
        ("Total", "7", "2", ""),
    ]
    assert table(instance, "shop", "distribution_lists:by_product", supplier="nobody") == []


def test_a_supplier_brings_the_sum_of_all_orders(instance: Instance, orders: list[Order]) -> None:
    first, second, *_ = table(instance, "shop", "distribution_lists:by_supplier")
    assert (first["Product"], first["Pieces"], first["In all"], first["In all (unit)"], first["Orders"]) == (
        "Carottes",
        "6",
        "6",
        "kg",
        "3",
    )
    assert (second["Product"], second["Pieces"], second["In all"]) == ("Poulet", "1", "2")


def test_each_place_knows_who_comes(instance: Instance, orders: list[Order]) -> None:
    with instance.store.write() as tx:
        tx.execute(update(customer_order).where(customer_order.c.number == 3).values(collector="Max", paid_total=620))
    lines = table(instance, "shop", "distribution_lists:by_place", place="FÊTES", amounts="true")
    assert [(line["Customer"], line["Pieces"], line["Due (EUR)"]) for line in lines[:2]] == [
        ("Ada", "4", "31.50"),
        ("Bob · Collected by: Max", "2", ""),
    ]
    signing = table(instance, "shop", "distribution_lists:sign_in")
    due, back = "Due (EUR)", "To give back (EUR)"
    assert [(row[due], row[back]) for row in signing][-2:] == [("31.50", "1.20"), ("34.00", "1.20")], (
        "none hides another"
    )
    assert [row["Customer"] for row in signing] == ["Zoé", "Ada", "Bob · Collected by: Max", "Subtotal", ""]
    assert 'class="box"' in run(instance, "shop", "distribution_lists:sign_in", "html").decode()
    headings = {line["Order"] for line in table(instance, "shop", "distribution_lists:by_customer")}
    assert "3 · Bob · Collected by: Max · Salle des fêtes, 17:00 · □" in headings
    assert "<b>Bob · Collected by: Max</b>" in run(instance, "shop", "distribution_lists:labels", "html").decode()


def test_who_has_not_confirmed_an_order_stands_on_no_list(instance: Instance, orders: list[Order]) -> None:
    with instance.store.write() as tx:
        theirs = guest_order.c.order_id == orders[0].id
        tx.execute(update(guest_order).where(theirs).values(confirm_by=tx.now + timedelta(hours=1)))
    for name in LISTS:
        if name != "by_supplier":  # the goods are reserved, and the supplier brings them
            assert "Ada" not in run(instance, "shop", f"distribution_lists:{name}", "html").decode(), name


def test_the_driver_rings_where_an_address_is(instance: Instance, orders: list[Order]) -> None:
    lines = table(instance, "shop", "distribution_lists:driver")
    assert [
        (line["Customer"], line["Street"], line["Postcode"], line["Way in"]) for line in lines if line["Street"]
    ] == [("Zoé", "3 rue des Lilas", "37000", "2e étage")]


def test_packers_and_drivers_read_what_plugins_have_asked(instance: Instance, orders: list[Order]) -> None:
    gate = OrderField(name="gate", kind="text", english="gate", french="portail", asked="delivery")
    dog = CustomerField(name="dog", kind="flag", english="dog", french="chien")
    instance.store.plugin_fields = DeclaredFields(
        orders=PluginFields({"tour": {"gate": gate}}), customers=PluginFields({"tour": {"dog": dog}})
    )
    with instance.store.write() as tx:
        theirs = customer_order.c.id == orders[1].id
        tx.execute(update(customer_order).where(theirs).values(plugin_fields={"tour": {"gate": "12B"}}))
        tx.execute(update(customer).values(plugin_fields={"tour": {"dog": True}}))
    (way_in,) = (line["Way in"] for line in table(instance, "shop", "distribution_lists:driver") if line["Street"])
    assert way_in == "2e étage · Gate: 12B · Dog: yes"
    headings = {line["Order"] for line in table(instance, "shop", "distribution_lists:by_customer")}
    assert {"2 · Zoé · Gate: 12B · Dog: yes · □", "3 · Bob · Salle des fêtes, 17:00 · Dog: yes · □"} <= headings
    notes = [
        line["Note"] for line in table(instance, "shop", "distribution_lists:by_place") if line["Customer"] == "Zoé"
    ]
    assert notes == ["Gate: 12B · Dog: yes"]


def test_every_parcel_has_a_label_of_its_own(instance: Instance, orders: list[Order]) -> None:
    html = run(instance, "shop", "distribution_lists:labels", "html", language="fr", sheet="2x7", skip="4").decode()
    assert html.count('<div class="sticker"></div>') == 4
    assert html.count("<strong>") == html.count('class="code"') == 3
    assert "<strong>2</strong><b>Zoé</b>" in html
    assert "■ Sec" in html
    codes = {line["Code for the camera"] for line in table(instance, "shop", "distribution_lists:labels")}
    assert codes == {f"commensal:order:{order.id}" for order in orders if order.number != 4}, "as on the order's page"
    pdf = PdfReader(io.BytesIO(run(instance, "shop", "distribution_lists:labels", "pdf", language="fr")))
    assert len(pdf.pages) == 1
    for name in ("Ada", "Zoé", "Bob"):
        assert name in pdf.pages[0].extract_text()


def test_many_customers_of_a_product_stand_in_one_row(instance: Instance, orders: list[Order]) -> None:
    lines = table(instance, "shop", "distribution_lists:by_product", compact="true")
    counts = {line["Product"].split(" ·")[0]: line["Customer"].replace("\N{NO-BREAK SPACE}", " ") for line in lines}
    assert counts["Carottes"] == "1 × 3 · 2 × 1 · 3 × 2"


def test_the_sheet_of_a_supplier_says_where_they_are_and_has_a_line_to_sign(
    instance: Instance, orders: list[Order]
) -> None:
    with instance.store.write() as tx:
        tx.execute(update(enterprise).values(street="2 rue du Puits", postcode="37000", city="Tours", phone="02 47"))
    html = run(instance, "shop", "distribution_lists:by_supplier", "html").decode()
    assert "Les Paniers · 2 rue du Puits, 37000 Tours · 02 47" in html
    assert '<p class="written">Received on ____' in html


@pytest.mark.parametrize("name", LISTS)
def test_every_list_prints_in_french_and_english(instance: Instance, orders: list[Order], name: str) -> None:
    for language, word in (
        ("fr", "Vente de juin · samedi 6 juin 2026"),
        ("en", "Vente de juin · Saturday, 6 June 2026"),
    ):
        html = run(instance, "shop", f"distribution_lists:{name}", "html", language=language).decode()
        assert name == "labels" or word in html
        assert "Gil" not in html
        assert run(instance, "shop", f"distribution_lists:{name}", "pdf", language=language).startswith(b"%PDF")


def test_a_shop_that_has_sold_nothing_yet_gets_an_empty_list(instance: Instance) -> None:
    with instance.store.write() as tx:
        a_shop(tx, "young")
        use(tx, "young")
    assert table(instance, "young", "distribution_lists:by_customer") == []
    with instance.store.read() as tx:
        assert tx.all(select(customer_order)) == []


def test_all_lists_of_a_moment_are_one_file(instance: Instance, orders: list[Order]) -> None:
    with instance.store.read() as tx:
        reports = list(reports_of(tx, instance.hooks, "shop", "en").values())
        shop, scopes = enterprise_by_id(tx, "shop"), frozenset({"orders:read"})
        papers = papers_of(reports, "pack", scopes)
        assert [paper.id for paper in papers] == ["by_customer", "by_product", "by_supplier"]
        options: dict[str, Any] = {"chosen": {"sale": "shop-session"}, "language": "en"}
        pdf = PdfReader(io.BytesIO(print_papers(instance.store, tx, shop, papers, **options)))
        with pytest.raises(NotFound):
            print_papers(instance.store, tx, shop, papers_of(reports, "pack", frozenset()), **options)
        with pytest.raises(Invalid):
            print_papers(instance.store, tx, shop, papers, chosen={"sale": "another"}, language="en")
    text = " ".join(page.extract_text() for page in pdf.pages)
    assert text.index("By customer") < text.index("By product")
    assert len(pdf.pages) == 3


@pytest.mark.parametrize(("sheet", "bottom"), [("3x8", 37.5), ("2x7", 53.25), ("2x4", 74.5)])
def test_a_long_name_cuts_nothing_off_a_label(
    instance: Instance, orders: list[Order], sheet: str, bottom: float
) -> None:
    """The number of the crate stands last, above the `bottom` of the first row of stickers in millimetres."""
    place = "Salle des fêtes de Saint-Jean-de-Maurienne, samedi 6 juin 2026, 17:00 – 18:30"
    long = {"name": "Association des familles de Saint-Jean-de-Maurienne", "shipping_label": place}
    with instance.store.write() as tx:
        tx.execute(update(customer_order).where(customer_order.c.number == 1).values(**long))
        pack_into(tx, locked_order(tx, orders[0].id, enterprise_id="shop"), 3)
    printed = run(instance, "shop", "distribution_lists:labels", "pdf", language="fr", sheet=sheet)
    page = PdfReader(io.BytesIO(printed)).pages[0]
    from_top: list[float] = []

    def note_place(text: str, outer: list[float], inner: list[float], font: Any, size: float) -> None:
        if text.strip() == "1/3":
            height = inner[4] * outer[1] + inner[5] * outer[3] + outer[5]
            from_top.append(float(page.mediabox.height) - height)

    page.extract_text(visitor_text=note_place)
    (baseline,) = from_top
    assert baseline / 72 * 25.4 < bottom - 2
