"""The demo region, written into an instance: everything through commands, past orders under their own dates."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from PIL import Image as Pillow
from sqlalchemy import func, select

from commensal.base.clock import ManualClock
from commensal.enterprises.enterprises import enterprise_by_id
from commensal.instance import Instance, InstanceSettings
from commensal.orders.tables import customer_order
from commensal.parts.checks.invariants import broken_invariants
from commensal.parts.demo.drawings import DRAWINGS, LANDSCAPE, draw
from commensal.parts.demo.fill import PASSWORD, fill
from commensal.parts.demo.region import draw_region
from commensal.parts.demo.values import DemoRegion, DrawnSale
from commensal.parts.pictures.images import pictures_of_enterprises, read_picture
from commensal.parts.sale_calendar.clone import repeat_due
from commensal.parts.supply.tables import purchase_order
from commensal.people.passwords import password_matches
from commensal.people.tables import person
from commensal.products.tables import image, supplied_product
from commensal.sale_sessions.openness import is_open
from commensal.sale_sessions.questions import coordinations_of, sales
from commensal.sale_sessions.visible_offers import offers_for
from commensal.storage.jobs.tables import job

pytestmark = pytest.mark.bundled  # people pay in cash


@pytest.fixture
def settings(settings: InstanceSettings) -> InstanceSettings:
    return replace(settings, plugins={"enabled": ["cash"]})


def small_region() -> DemoRegion:
    """Returns a part of the region: some producers, and two shoppers of each sale."""
    region = draw_region(7)
    all_sales = (*region.past_sales, *region.running_sales)
    places_used = {place for sale in all_sales for place in sale.shoppers[:2]}
    places = {place: number for number, place in enumerate(sorted(places_used))}

    def two_of(sales: Sequence[DrawnSale]) -> tuple[DrawnSale, ...]:
        return tuple(replace(sale, shoppers=tuple(places[place] for place in sale.shoppers[:2])) for sale in sales)

    return replace(
        region,
        producers=tuple(
            producer for producer in region.producers if producer.kind in ("bakery", "beef", "goat", "groceries")
        ),
        shoppers=tuple(region.shoppers[place] for place in places),
        past_sales=two_of(region.past_sales),
        running_sales=two_of(region.running_sales),
    )


def test_a_filled_instance_sells_now_and_has_a_past(instance: Instance, clock: ManualClock) -> None:
    region = small_region()
    filled = fill(instance, region)
    with instance.store.read() as tx:
        assert broken_invariants(tx) == []

        running = sales(tx)
        assert sorted(running_sale.shop.id for running_sale in running) == sorted(filled.hubs)
        for running_sale in running:
            assert is_open(running_sale.session, clock.now())
            assert timedelta(days=2) <= running_sale.session.closes_at - clock.now() <= timedelta(days=3)
            assert len(offers_for(tx, running_sale.session.id, ())) >= 20
            assert enterprise_by_id(tx, running_sale.shop.id).created_at < clock.now() - timedelta(weeks=5)

        past = [
            coordination
            for hub in filled.hubs
            for coordination in coordinations_of(tx, hub)
            if coordination.completed_at
        ]
        assert len(past) == 9
        assert all(coordination.completed_at == coordination.closes_at for coordination in past)

        rows = tx.all(select(customer_order))
        assert len(rows) == 16 + 2 + 6  # of past sales, of the one that is handed out today, and of those under way
        assert {row["state"] for row in rows} <= {"Held", "Complete", "Cancelled"}
        assert all(row["placed_at"] < clock.now() for row in rows)
        handed_over = [row for row in rows if row["fulfilled_at"] is not None]
        assert len(handed_over) == 16 + 1
        assert all(row["paid_total"] == row["total"] and row["fulfilled_at"] < clock.now() for row in handed_over)
        assert all(row["placed_at"] < row["fulfilled_at"] for row in handed_over)

        waiting = select(purchase_order.c.id).where(purchase_order.c.received_at.is_(None))
        assert tx.value(select(func.count()).select_from(purchase_order)) > 10
        assert tx.all(waiting) == [], "goods are handed out that nobody has received"

        is_due = (job.c.state == "waiting") & (job.c.due_at <= clock.now())
        assert tx.value(select(func.count()).select_from(job).where(is_due)) == 0  # no mails about orders of last month

        password_hash = tx.value(select(person.c.password_hash).where(person.c.email == filled.operator))
        assert password_matches(PASSWORD, password_hash)


def test_products_have_the_picture_that_shows_them(instance: Instance) -> None:
    fill(instance, replace(small_region(), past_sales=(), running_sales=()))
    with instance.store.read() as tx:
        columns = (supplied_product.c.product_type, image.c.id, image.c.alt)
        rows = tx.all(select(*columns).join(image, image.c.id == supplied_product.c.image_id))
        drawings = {drawing.alt: drawing for drawing in DRAWINGS.values()}
        assert rows
        assert [dict(row) for row in rows if not drawings[row["alt"]].shows(row["product_type"])] == []
        assert read_picture(tx, instance.images, rows[0]["id"], small=True)


def test_hubs_have_a_logo_and_a_cover_and_producers_a_logo(instance: Instance) -> None:
    filled = fill(instance, replace(small_region(), past_sales=(), running_sales=()))
    with instance.store.read() as tx:
        pictures = pictures_of_enterprises(tx, [*filled.hubs, *filled.producers])
        covers = [pictures[hub].cover for hub in filled.hubs]
        assert {cover.alt if cover else "none" for cover in covers} == {LANDSCAPE.alt}
        assert all(picture.logo for picture in pictures.values())


@pytest.mark.parametrize("kind", sorted(DRAWINGS))
def test_a_drawing_is_a_picture_of_its_own(kind: str) -> None:
    picture = draw(DRAWINGS[kind])
    others = {draw(drawing).sha256 for name, drawing in DRAWINGS.items() if name != kind}
    with Pillow.open(io.BytesIO(picture.content)) as image_read:
        assert (image_read.format, image_read.size) == ("WEBP", (picture.width, picture.height))
        assert len(image_read.convert("RGB").getcolors(1_000_000) or ()) > 2, "more than its ground"
    assert picture.sha256 not in others


def test_the_sales_of_a_filled_instance_go_on_by_their_rhythm(instance: Instance, clock: ManualClock) -> None:
    filled = fill(instance, replace(small_region(), past_sales=(), running_sales=()))
    clock.advance(days=4)
    with instance.store.write() as tx:
        assert len(repeat_due(tx, instance.hooks)) == 3
        newest = [next(sale for sale in coordinations_of(tx, hub) if sale.rhythm) for hub in filled.hubs]
        openings = sorted(sale.opens_at for sale in newest)
    assert [(opening - clock.now()).days for opening in openings] == [2, 9, 9]
