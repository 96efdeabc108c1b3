"""What a customer may order at a sale: the right items, prices, rates and stock, by one statement that stays fast."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event, insert, update

from commensal.base.money import Money
from commensal.catalogs.items import add_item, change_item
from commensal.catalogs.offers import remove_price, set_price
from commensal.catalogs.tables import catalog_item, offer
from commensal.enterprises.tables import customer_category, enterprise, enterprise_grant
from commensal.products.fields import PRODUCT_FIELDS, ProductFacts
from commensal.products.products import archive_product, create_product
from commensal.products.tables import image, product_vat, supplied_product
from commensal.products.values import UnitPrice
from commensal.products.vat import set_rate
from commensal.sale_sessions.tables import coordination_supplier, session_item
from commensal.sale_sessions.values import SaleSession
from commensal.sale_sessions.visible_offers import VisibleOffer, offers_for
from commensal.stock.lots import open_lot
from commensal.stock.tables import stock_lot
from commensal.stock.take import take_stock
from commensal.storage.database import Store, insert_rows


class Stall:
    """A hub's sale of a farm's products, with an item for each call of `item`."""

    def __init__(self, store: Store, session: SaleSession) -> None:
        self.store, self.session = store, session

    def item(
        self, name: str, price: int | None = 250, *, item_values: dict[str, Any] | None = None, **kwargs: Any
    ) -> str:
        content = {"product_type": "apples", "quantity": Decimal(1), "unit": "Kilogram", "vat_rate": Decimal("5.5")}
        with self.store.write() as tx:
            if "lot_id" not in kwargs:
                kwargs = {"on_hand": Decimal(10)} | kwargs
            product = create_product(tx, **{"enterprise_id": "farm", "name": name, **content, **kwargs})
            item = add_item(tx, "hub", self.session.catalog_id, product.id, **(item_values or {}))
            tx.execute(insert(session_item).values(session_id=self.session.id, item_id=item.id))
            if price is not None:
                set_price(tx, "hub", item.id, price)
        return item.id

    def offers(self, *category_ids: str, **kwargs: Any) -> dict[str, VisibleOffer]:
        with self.store.read() as tx:
            return {offer.name: offer for offer in offers_for(tx, self.session.id, category_ids, **kwargs)}


@pytest.fixture
def stall(store: Store, hamlet: Any) -> Stall:
    for name in ("hub", "farm", "dairy"):
        hamlet.enterprise(name)
    hamlet.grant("farm", "hub", "ReadProducts", "WriteOrders")
    with store.write() as tx:
        categories = [
            {"id": category, "enterprise_id": "hub", "name": category, "version": 1} for category in ("staff", "school")
        ]
        insert_rows(tx, customer_category, categories)
    return Stall(store, hamlet.session(hamlet.sale()))


def test_who_asks_for_what_is_sold_out_is_told_of_that_alone(store: Store, stall: Stall) -> None:
    for name, on_hand in (("one left", "2"), ("none", "0"), ("too little for a piece", "1.9"), ("expired", "10")):
        stall.item(name, quantity=Decimal(2), on_hand=Decimal(on_hand))
    lots = {name: offer.lot_id for name, offer in stall.offers().items()}
    assert set(stall.offers(sold_out=True)) == {"none", "too little for a piece"}
    with store.write() as tx:
        tx.execute(update(stock_lot).where(stock_lot.c.id == lots["none"]).values(unlimited=True))
        tx.execute(update(stock_lot).where(stock_lot.c.id == lots["expired"]).values(free_until=tx.now))
    sold_out = {offer.name for offer in stall.offers().values() if offer.left == 0}
    assert set(stall.offers(sold_out=True)) == sold_out == {"expired", "too little for a piece"}
    assert list(stall.offers("staff", sold_out=True, limit=1)) == ["too little for a piece"]
    assert list(stall.offers(sold_out=True, skip=1, limit=5)) == ["expired"]


def test_an_offer_says_all_that_a_customer_needs_to_know(store: Store, stall: Stall) -> None:
    with store.write() as tx:
        picture = {"sha256": "", "width": 1, "height": 1, "bytes": 1, "alt": "Des pommes", "created_at": tx.now}
        tx.execute(insert(image).values(id="picture", enterprise_id="farm", **picture))
    item_id = stall.item(
        "Reinettes",
        quantity=Decimal(2),
        description="<b>Bio</b>",
        labels=["Organic-AB"],
        allergens=["Nuts"],
        deposit=50,
        weighed=True,
        image_id="picture",
        on_hand=Decimal("9.5"),
    )
    (found_offer,) = stall.offers().values()
    facts: dict[str, Any] = {fact.name: PRODUCT_FIELDS[fact.name].default for fact in fields(ProductFacts)}
    facts |= {"labels": ("Organic-AB",), "allergens": ("Nuts",)}
    assert found_offer == VisibleOffer(
        item_id=item_id,
        product_id=found_offer.product_id,
        supplier_id="farm",
        supplier_name="farm",
        lot_id=found_offer.lot_id,
        lot_quantity=2000,
        name="Reinettes",
        description="<b>Bio</b>",
        product_type="apples",
        quantity=Decimal(2),
        unit="Kilogram",
        weighed=True,
        weight_tolerance=None,
        currency="EUR",
        price=250,
        unit_price=UnitPrice(Money(125, "EUR"), "Kilogram"),
        vat_rate=Decimal("5.5"),
        deposit=50,
        left=4,
        orderable_until=stall.session.closes_at,
        image_id="picture",
        image_alt="Des pommes",
        **facts,
    )


def test_a_category_pays_its_own_price_and_the_lowest_where_it_has_several(store: Store, stall: Stall) -> None:
    item_id = stall.item("Pommes", 250)
    with store.write() as tx:
        set_price(tx, "hub", item_id, 300, category_id="staff")
        set_price(tx, "hub", item_id, 280, category_id="school")

    def price(*categories: str) -> int:
        return stall.offers(*categories)["Pommes"].price

    assert (price(), price("staff"), price("school"), price("staff", "school")) == (250, 300, 280, 280)
    assert price("another") == 250
    with store.write() as tx:
        remove_price(tx, "hub", item_id)
    assert "Pommes" not in stall.offers()
    assert "Pommes" not in stall.offers("another")
    assert price("staff") == 300


def test_an_item_is_shown_to_everybody_or_to_its_categories(store: Store, stall: Stall) -> None:
    stall.item("Pour tous")
    stall.item("Réservé", item_values={"shown_to": ["staff"]})
    assert set(stall.offers()) == {"Pour tous"}
    assert set(stall.offers("school")) == {"Pour tous"}
    assert set(stall.offers("staff")) == {"Pour tous", "Réservé"}
    assert set(stall.offers("school", "staff")) == {"Pour tous", "Réservé"}


def test_what_is_hidden_archived_or_without_a_price_is_not_there(store: Store, stall: Stall) -> None:
    hidden = stall.item("Masqué")
    stall.item("Archivé")
    stall.item("Sans prix", None)
    stall.item("Gratuit", 0)
    with store.write() as tx:
        change_item(tx, "hub", hidden, 1, hidden=True)
        found_offer = stall.offers()["Archivé"]
        archive_product(tx, "farm", found_offer.product_id, 1)
    assert set(stall.offers()) == {"Gratuit"}
    with store.write() as tx:
        tx.execute(update(enterprise).where(enterprise.c.id == "farm").values(archived_at=tx.now))
    assert stall.offers() == {}


def test_a_lost_grant_does_not_empty_a_running_sale(store: Store, stall: Stall) -> None:
    stall.item("Pommes")
    with store.write() as tx:
        tx.execute(enterprise_grant.delete())
    assert set(stall.offers()) == {"Pommes"}


def test_what_is_left_is_counted_in_pieces_of_each_size(store: Store, stall: Stall) -> None:
    with store.write() as tx:
        lot = open_lot(tx, enterprise_id="farm", name="Pommes de terre", unit="Kilogram", on_hand=Decimal(26))
    for kilos in (1, 5, 25):
        stall.item(f"{kilos} kg", quantity=Decimal(kilos), lot_id=lot.id)
    stall.item("Basilic", unit="Bunch", unlimited=True, on_hand=None)
    assert {name: found_offer.left for name, found_offer in stall.offers().items()} == {
        "1 kg": 26,
        "5 kg": 5,
        "25 kg": 1,
        "Basilic": None,
    }
    assert {found_offer.lot_id for name, found_offer in stall.offers().items() if name != "Basilic"} == {lot.id}
    with store.write() as tx:
        take_stock(tx, {lot.id: 1001}, order_id="o")
    assert {name: found_offer.left for name, found_offer in stall.offers().items()} == {
        "1 kg": 24,
        "5 kg": 4,
        "25 kg": 0,
        "Basilic": None,
    }
    assert stall.offers()["Basilic"].unit_price is None


def test_the_vat_rate_is_that_of_the_day_of_the_distribution_where_the_shop_is(store: Store, stall: Stall) -> None:
    stall.item("Cidre", vat_rate=Decimal(20))
    day = stall.session.begins_at.date()
    with store.write() as tx:
        product_id = stall.offers()["Cidre"].product_id
        set_rate(tx, "farm", product_id, Decimal(10), day)
        set_rate(tx, "farm", product_id, Decimal("5.5"), day + timedelta(days=1))
    assert stall.offers()["Cidre"].vat_rate == 10
    with store.write() as tx:  # when it begins at noon in Paris, it is the next day in Kiritimati
        tx.execute(update(enterprise).where(enterprise.c.id == "hub").values(timezone="Pacific/Kiritimati"))
    assert stall.offers()["Cidre"].vat_rate == Decimal("5.5")


def test_a_supplier_may_close_before_the_sale_and_never_after_it(store: Store, stall: Stall) -> None:
    stall.item("Pommes")
    closes_at = stall.session.closes_at
    for supplier_closes_at, expected in [
        (closes_at - timedelta(days=1), closes_at - timedelta(days=1)),
        (closes_at + timedelta(days=1), closes_at),
        (None, closes_at),
    ]:
        with store.write() as tx:
            of_farm = coordination_supplier.c.enterprise_id == "farm"
            tx.execute(update(coordination_supplier).where(of_farm).values(closes_at=supplier_closes_at))
        assert stall.offers()["Pommes"].orderable_until == expected


def test_the_shops_own_name_and_order_are_used(store: Store, stall: Stall) -> None:
    stall.item("Zèbre", item_values={"position": 1})
    stall.item("Ane", item_values={"position": 3, "name": "Âne"})
    stall.item("Buffle", item_values={"position": 2})
    assert list(stall.offers()) == ["Zèbre", "Buffle", "Âne"]


def test_items_can_be_asked_for_by_id_and_in_pages(store: Store, stall: Stall) -> None:
    ids = [stall.item(name, item_values={"position": place // 2}) for place, name in enumerate("abcde")]
    assert set(stall.offers(item_ids=[ids[3], ids[1], "unknown"])) == {"b", "d"}
    assert stall.offers(item_ids=[]) == {}
    names = list(stall.offers())
    pages = []
    after = ""
    while page := stall.offers(after=after, limit=2):
        pages += list(page)
        after = list(page.values())[-1].item_id
    assert pages == names
    assert sorted(names) == list("abcde")
    for limit in range(1, 8):  # fewer than all, all, and more
        assert list(stall.offers(limit=limit)) == names[:limit]


def test_a_first_page_that_has_room_for_the_sale_reads_its_items_once(store: Store, stall: Stall) -> None:
    for name in "abc":
        stall.item(name)
    queries: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: queries.append(args[2]))
    for limit, readings in ((2, 2), (3, 1)):
        queries.clear()
        stall.offers(limit=limit)
        (query,) = (query for query in queries if "catalog_item.position" in query)
        assert query.count("JOIN catalog_item") == readings


def test_another_session_sells_its_own_items(store: Store, stall: Stall, hamlet: Any) -> None:
    stall.item("Pommes")
    other = hamlet.session(hamlet.sale(name="Semaine 24"))
    with store.read() as tx:
        assert {found_offer.name for found_offer in offers_for(tx, other.id, ())} <= {"Pommes"}
        assert offers_for(tx, "unknown", ()) == []


def _fill(store: Store, stall: Stall, count: int) -> None:
    """Inserts this many items with prices straight into the tables."""
    ids = [f"n{number:05}" for number in range(count)]
    with store.write() as tx:
        common = {"created_at": tx.now, "version": 1}
        lot = {
            "enterprise_id": "farm",
            "name": "n",
            "unit": "Piece",
            "per_unit": 1,
            "unlimited": False,
            "free": 9,
            "reserved": 0,
            "sold": 0,
        }
        insert_rows(tx, stock_lot, [{"id": id_, **lot, **common} for id_ in ids])
        product = {
            "enterprise_id": "farm",
            "lot_quantity": 1,
            "name": "n",
            "description": "",
            "product_type": "egg",
            "quantity": Decimal(1),
            "unit": "Piece",
            "weighed": False,
            "labels": [],
            "allergens": [],
            "deposit": 0,
            "search": "",
        }
        insert_rows(tx, supplied_product, [{"id": id_, "lot_id": id_, **product, **common} for id_ in ids])
        rate = {"valid_from": date.min.isoformat(), "rate": Decimal("5.5")}
        insert_rows(tx, product_vat, [{"product_id": id_, **rate} for id_ in ids])
        item = {"catalog_id": stall.session.catalog_id, "hidden": False}
        insert_rows(tx, catalog_item, [{"id": id_, "product_id": id_, "position": 1, **item, **common} for id_ in ids])
        insert_rows(tx, session_item, [{"session_id": stall.session.id, "item_id": id_} for id_ in ids])
        insert_rows(tx, offer, [{"id": id_, "item_id": id_, "price": 100, "version": 1} for id_ in ids])


def test_the_question_is_one_statement_and_reads_by_indexes_only(store: Store, stall: Stall) -> None:
    _fill(store, stall, 2000)
    queries: list[tuple[str, Any]] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: queries.append((args[2], args[3])))
    item_ids = [f"n{number:05}" for number in range(0, 300, 10)]
    assert len(stall.offers("staff", "school", item_ids=item_ids)) == 1  # they are all called n
    selects = [query for query in queries if query[0].startswith("SELECT")]
    assert len(selects) == 1
    if store.engine.dialect.name == "sqlite":
        with store.read() as tx:
            plan = tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {selects[0][0]}", selects[0][1]).all()
        steps = [row[-1] for row in plan]
        assert [step for step in steps if step.startswith("SCAN") and "CONSTANT" not in step] == []
        assert any("session_item USING" in step and "session_id=? AND item_id=?" in step for step in steps)
