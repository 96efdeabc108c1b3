"""The demo region: the same for the same seed, of the requested size, and plausible."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from commensal.base.units.facets import ALLERGENS, LABELS
from commensal.base.units.measures import MEASURES
from commensal.base.units.product_types import PRODUCT_TYPES, lineage
from commensal.parts.demo.goods import goods_of
from commensal.parts.demo.kinds import KINDS
from commensal.parts.demo.region import draw_region
from commensal.parts.demo.values import DemoRegion, DrawnLot
from commensal.people.email import read_email
from commensal.stock.levels import fitting_unit, grains_of

REGION = draw_region(7)


def lots(region: DemoRegion = REGION) -> Iterator[DrawnLot]:
    return (lot for producer in region.producers for lot in producer.lots)


def test_the_same_seed_draws_the_same_region_and_another_one_another() -> None:
    assert draw_region(7) == REGION
    assert draw_region(8) != REGION


@pytest.mark.parametrize("scale", [1, 3])
def test_the_scale_multiplies_everything(scale: int) -> None:
    region = draw_region(7, scale)
    assert len(region.hubs) == 3 * scale
    assert len(region.producers) == 30 * scale
    assert len(list(lots(region))) == 300 * scale
    assert len(region.shoppers) == 200 * scale
    assert len(region.past_sales) == 8 * scale


def test_a_small_region_is_the_beginning_of_a_large_one() -> None:
    large = draw_region(7, 2)
    assert large.producers[:30] == REGION.producers
    assert large.shoppers[:200] == REGION.shoppers
    assert large.past_sales[:8] == REGION.past_sales


def test_a_scale_has_its_limits() -> None:
    for scale in (0, 101):
        with pytest.raises(ValueError, match="between 1 and 100"):
            draw_region(7, scale)


def test_every_term_is_one_of_ours_and_every_size_takes_whole_grains() -> None:
    for lot in lots(draw_region(1, 8)):
        assert lot.product_type in PRODUCT_TYPES
        assert set(lot.labels) <= set(LABELS)
        assert set(lot.allergens) <= set(ALLERGENS)
        measures = [MEASURES[size.unit] for size in lot.sizes]
        unit, per_unit = fitting_unit(lot.sizes[0].quantity, measures[0])
        for size, measure in zip(lot.sizes, measures, strict=True):
            assert isinstance(grains_of(size.quantity, measure, unit, per_unit), int)
        assert lot.on_hand is None or lot.on_hand * per_unit == int(lot.on_hand * per_unit) > 0


def test_every_row_of_goods_is_used_by_a_kind() -> None:
    for kind in KINDS:
        goods = goods_of(kind.goods)
        assert len(goods) >= kind.products
        assert len({good.name for good in goods}) == len(goods)
        assert {good.product_type for good in goods} <= set(PRODUCT_TYPES)


def test_vat_is_what_french_law_asks() -> None:
    for lot in lots(draw_region(1, 8)):
        kinds = {concept.term for concept in lineage(lot.product_type)}
        expected = "5.5"
        if kinds & {"alcoholic-beverage", "confectionery"} or lot.product_type == "inedible":
            expected = "20"
        elif kinds & {"flower", "plant"}:
            expected = "10"
        assert lot.vat_rate == Decimal(expected), lot.name


def test_prices_are_those_of_a_market() -> None:
    for lot in lots(draw_region(1, 8)):
        assert all(25 <= size.price <= 25_000 and size.price % 5 == 0 for size in lot.sizes), lot
        per_content = [size.price / size.quantity for size in lot.sizes]
        assert per_content == sorted(per_content, reverse=True) or len(lot.sizes) == 1, lot
        assert lot.deposit in (0, 20, 25, 30)


def test_something_is_in_season_everywhere_all_year() -> None:
    for hub in range(3):
        producers = [producer for producer in REGION.producers if hub in producer.hubs]
        assert len({producer.kind for producer in producers}) == len(KINDS)
        for month in range(1, 13):
            assert sum(month in lot.months for producer in producers for lot in producer.lots) >= 80


def test_some_goods_have_sizes_some_are_weighed_and_some_have_no_end() -> None:
    all_lots = list(lots())
    assert sum(len(lot.sizes) == 3 for lot in all_lots) >= 10
    assert sum(lot.weighed for lot in all_lots) >= 30
    assert 1 <= sum(lot.on_hand is None for lot in all_lots) <= 15
    assert sum(lot.deposit > 0 for lot in all_lots) >= 20


def test_nobody_shares_an_address_and_every_reference_is_there_once() -> None:
    region = draw_region(3, 4)
    people = [hub.owner for hub in region.hubs] + [hub.packer for hub in region.hubs]
    people += [producer.owner for producer in region.producers] + [shopper.somebody for shopper in region.shoppers]
    assert len({person.email for person in people}) == len(people)
    assert all(read_email(person.email) == person.email for person in people)
    for producer in region.producers:
        skus = [size.sku for lot in producer.lots for size in lot.sizes]
        assert len(set(skus)) == len(skus)


def test_enterprises_of_one_valley_have_names_of_their_own() -> None:
    names = [hub.name for hub in REGION.hubs] + [producer.name for producer in REGION.producers]
    assert len(set(names)) == 33
    assert all(place.postcode.startswith("96") for place in (producer.place for producer in REGION.producers))


def test_those_who_ordered_are_customers_of_that_hub() -> None:
    for sale in REGION.past_sales:
        assert len(sale.shoppers) >= 10
        assert all(sale.hub in REGION.shoppers[shopper].hubs for shopper in sale.shoppers)
